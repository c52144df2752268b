"""``docs/ros.md`` names all that the node, its messages and its launch file have."""

import ast
import re
from pathlib import Path

import pytest
from builtin_interfaces.msg import Time

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.intake.receiving import Intake
from rtrack_ros.intake.thermal_state import ThermalState
from rtrack_ros.nodes.activity import Activity
from rtrack_ros.nodes.diagnostics import (
    FALLEN_BEHIND,
    NO_CLOCK,
    NO_RGB,
    TOO_FAST,
    Health,
    diagnostic_array,
)
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.parameters.values import defaults, intake_config
from rtrack_ros.pipeline import TrackingPipeline

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'ros.md').read_text()
SOURCES = ''.join(path.read_text() for path in (ROOT / 'rtrack_ros' / 'nodes').glob('*.py'))


def test_every_topic_and_service_is_on_the_page() -> None:
    names = set(re.findall(r"'((?:~|/)[a-z_/]+)'", SOURCES)) - {'/compressed'}
    assert {'~/tracks', '~/status', '~/query', '~/reset'} <= names
    assert '| `referring_query`' in PAGE
    assert sorted(name for name in names if f'| `{name}`' not in PAGE) == []


def test_every_launch_argument_is_on_the_page_with_its_default() -> None:
    tree = ast.parse((ROOT / 'launch' / 'tracker.launch.py').read_text())
    table = next(node.value for node in tree.body if isinstance(node, ast.Assign)
                 and node.targets[0].id == 'ARGUMENTS')
    for name, value in zip(table.keys, table.values, strict=True):
        default = value.elts[0]
        shown = (f'`{default.value}`' if default.value else 'empty') if isinstance(
            default, ast.Constant) else '`config/'
        assert f'| `{name.value}` | {shown}' in PAGE


def test_every_value_of_the_diagnostics_is_on_the_page() -> None:
    settings = defaults()
    health = Health(0, Activity(), Intake(intake_config(settings), ThrottledLog(None)),
                    TrackingPipeline(None).stats(),
                    Capabilities('openvino', 'm', 'CPU', 'int8', 'rel1000', (320, 256), True),
                    (), 0, settings)
    keys = [value.key for status in diagnostic_array(health, Time()).status
            for value in status.values]
    assert len(keys) == len(set(keys)) > 20
    assert [key for key in keys if f'`{key}`' not in PAGE] == []


@pytest.mark.parametrize('text', [
    *(state.value for state in ThermalState), NO_RGB.partition(';')[0],
    NO_CLOCK.partition(';')[0], TOO_FAST, FALLEN_BEHIND, 'cannot configure', 'arrays are late',
    'the newest answer is old', 'no answer yet', 'tracking', 'no query', 'loaded',
    'the model does not answer'])
def test_every_message_of_the_diagnostics_is_on_the_page(text: str) -> None:
    assert text in SOURCES + (ROOT / 'rtrack_ros/intake/thermal_state.py').read_text()
    assert re.search(rf'\| (OK|WARN|ERROR) \| [^|]*{re.escape(text)}', PAGE)
