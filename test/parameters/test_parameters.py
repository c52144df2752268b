"""One schema: what is declared, what the files say and what the tracker accepts agree."""

from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import yaml

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.engines.server.engine import ServerEngine
from rtrack_ros.intake.config import NOT_CALIBRATED, IntakeConfig, homography_matrix
from rtrack_ros.parameters.files import page_text, yaml_text
from rtrack_ros.parameters.schema import SCHEMA
from rtrack_ros.parameters.values import (
    check,
    defaults,
    intake_config,
    pipeline_config,
    schedule_for,
    server_options,
    tracker_config,
)
from rtrack_ros.parameters.yaml_file import read_parameters, said_to_another
from rtrack_ros.scheduling.scheduler import Schedule
from rtrack_ros.settings import settings_of
from rtrack_ros.tracking.config import TrackerConfig

ROOT = Path(__file__).parents[2]
DEFAULTS = defaults()


def test_the_yaml_file_is_up_to_date() -> None:
    assert (ROOT / 'config' / 'tracker.yaml').read_text() == yaml_text(), (
        'run: python -m rtrack_ros.parameters.files > config/tracker.yaml')


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / 'docs' / 'parameters.md').read_text() == page_text(), (
        'run: python -m rtrack_ros.parameters.files --page > docs/parameters.md')


def test_the_yaml_file_holds_the_defaults_with_their_types() -> None:
    loaded = yaml.safe_load(yaml_text())['/**']['ros__parameters']
    assert loaded == DEFAULTS
    assert {name: type(value) for name, value in loaded.items()} == {
        name: type(value) for name, value in DEFAULTS.items()}


def test_the_page_has_a_row_for_every_parameter() -> None:
    rows = [line for line in page_text().splitlines() if line.startswith('| `')]
    assert [row.split('`')[1] for row in rows] == [spec.name for spec in SCHEMA]


def test_what_one_usually_changes_comes_first_and_is_about_a_dozen() -> None:
    usual = [spec.name for spec in SCHEMA if not spec.setting.advanced]
    assert usual == [spec.name for spec in SCHEMA][:len(usual)]
    assert 8 <= len(usual) <= 15 and 'tracker.siamese.per_frame' in usual


def test_every_tracker_setting_is_a_parameter_with_a_range() -> None:
    ours = {spec.field: spec for spec in SCHEMA if spec.name.startswith('tracker.')}
    known = dict((item.name, setting) for item, setting in settings_of(TrackerConfig))
    assert set(ours) == set(known)
    assert all(spec.setting.span is not None and spec.when == 'now' for spec in ours.values())
    assert all(spec.name.startswith('tracker.advanced.') == spec.setting.advanced
               for spec in ours.values())


def test_facts_about_the_model_are_no_parameters() -> None:
    assert not [name for name in DEFAULTS if 'probability' in name or 'centre_noise' in name]


@pytest.mark.parametrize('end', [0, 1], ids=['least', 'greatest'])
def test_the_ends_of_every_range_are_accepted(end: int) -> None:
    for spec in SCHEMA:
        if spec.setting.span is not None and not spec.name.startswith('thermal.linear'):
            values = DEFAULTS | {spec.name: type(spec.default)(spec.setting.span[end])}
            assert check(values) == '', spec.name
            assert pipeline_config(values) is not None


def test_the_defaults_fit_together_and_are_those_of_the_library() -> None:
    assert check(DEFAULTS) == ''
    assert tracker_config(DEFAULTS) == TrackerConfig()
    assert intake_config(DEFAULTS | {'thermal.homography': NOT_CALIBRATED}) == IntakeConfig()


@pytest.mark.parametrize('changes, complaint', [
    ({'thermal.scaling': 'square'}, 'thermal.scaling must be one of auto, linear'),
    ({'thermal.linear_low': 9.0, 'thermal.linear_high': 3.0}, 'must be below'),
    ({'thermal.homography': [1.0] * 8}, 'nine finite numbers'),
    ({'thermal.homography': [1.0] * 9}, 'cannot be inverted'),
    ({'thermal.homography': [float('nan')] * 9}, 'nine finite numbers'),
    ({'engine.server.image_size': '640'}, 'must be empty or written like 640x480'),
    ({'engine.server.image_size': '0x480'}, "got '0x480'"),
    ({'engine.server.dialect': 'french'}, 'engine.server.dialect must be one of auto, vllm'),
    ({'ask.crops': 'sometimes'}, 'auto, always, never'),
    ({'tracker.max_lost_s': -5.0}, 'tracker.max_lost_s must lie between 0 and 3600 s; got -5.0'),
    ({'tracker.prediction_horizon_s': float('nan')}, 'must lie between 0 and 1 s; got nan'),
    ({'sync.slop_ms': float('inf')}, 'sync.slop_ms must lie between'),
    ({'tracker.advanced.existence_decay_s': 0.0}, 'existence_decay_s')])
def test_values_that_do_not_fit_are_explained(changes: dict[str, object],
                                              complaint: str) -> None:
    assert complaint in check(DEFAULTS | changes)


def test_the_homography_is_a_matrix_or_nothing() -> None:
    assert homography_matrix(NOT_CALIBRATED) is None
    matrix = homography_matrix([2.0, 0.0, 5.0, 0.0, 2.0, 6.0, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(matrix @ [1.0, 1.0, 1.0], [7.0, 8.0, 1.0])


@pytest.mark.parametrize(('changes', 'expected'), [
    ({}, Schedule(queries_per_pair=4)),
    ({'ask.deadline_s': 1.5, 'ask.full_frame_interval_s': 3.0, 'ask.confident_score': 0.9,
      'ask.crops': 'always', 'ask.queries_per_pair': 2},
     Schedule(1.5, 3.0, 0.9, 2, crop_size=(320, 256)))])
def test_what_the_model_is_asked_follows_the_parameters(changes, expected) -> None:
    model = Capabilities('e', 'm', 'CPU', 'int8', 'rel1000', (320, 256), True, shares_images=True)
    assert schedule_for(DEFAULTS | changes, model) == expected


def test_the_options_of_a_server_are_those_of_its_engine() -> None:
    given = server_options(DEFAULTS | {'engine.server.image_size': '320x256'})
    assert given['image_size'] == (320, 256)
    assert server_options(DEFAULTS)['image_size'] is None
    defaulted = signature(ServerEngine).parameters
    assert set(given) <= set(defaulted)
    assert {name: defaulted[name].default for name in given} == server_options(DEFAULTS)


def test_no_parameter_holds_an_api_key() -> None:
    assert [name for name in DEFAULTS if 'key' in name] == ['engine.server.api_key_env']


def parameter_file(folder: Path, name: str, **values: object) -> Path:
    path = folder / 'tracker.yaml'
    path.write_text(yaml.safe_dump({name: {'ros__parameters': values}}))
    return path


@pytest.mark.parametrize('given', [120, -40.5, '120', 'auto'])
def test_a_file_may_have_a_number_where_a_number_or_a_word_stands(tmp_path: Path,
                                                                 given: object) -> None:
    path = parameter_file(tmp_path, '/**', **{'sync.thermal_offset_ms': given})
    values, unknown = read_parameters(path)
    offset = intake_config(values).sync.thermal_offset_ms
    assert not unknown and (offset == given == 'auto' or float(offset) == float(given))


@pytest.mark.parametrize(('name', 'node', 'used'), [
    ('/**', '/rtrack', True), ('rtrack', '/rtrack', True),
    ('/front/rtrack', '/front/rtrack', True), ('/*/rtrack', '/front/rtrack', True),
    ('/**/rtrack', '/a/b/rtrack', True), ('/**/rtrack', '/rtrack', True),
    ('rtrack', '/front/rtrack', False), ('tracker_node', '/rtrack', False),
    ('/*/rtrack', '/a/b/rtrack', False)])
def test_a_file_for_another_node_is_told(tmp_path: Path, name: str, node: str, used: bool) -> None:
    said = said_to_another(parameter_file(tmp_path, name, **{'query.initial': 'x'}), node)
    assert (said == '') is used
    assert used or (name in said and node in said and "'/**'" in said)
