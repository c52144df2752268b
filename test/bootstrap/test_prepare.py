from pathlib import Path
from types import ModuleType

from rtrack_ros.telemetry import SWITCHES

LOCK = Path(__file__).parents[2] / 'bootstrap' / 'requirements.lock'


def test_the_environment_holds_no_telemetry_and_says_so_to_what_is_started_in_it(
        prepare: ModuleType) -> None:
    assert 'telemetry' not in LOCK.read_text()
    lines = prepare.activation(None)
    assert {f'export {name}={value}' for name, value in SWITCHES.items()} <= set(lines)
