import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from rtrack_ros.telemetry import SWITCHES

LOCK = Path(__file__).parents[2] / 'bootstrap' / 'requirements.lock'


def test_the_environment_holds_no_telemetry_and_says_so_to_what_is_started_in_it(
        prepare: ModuleType) -> None:
    assert 'telemetry' not in LOCK.read_text()
    lines = prepare.activation(None)
    assert {f'export {name}={value}' for name, value in SWITCHES.items()} <= set(lines)


def test_every_wheel_is_locked_by_its_hash() -> None:
    entries = [entry for entry in LOCK.read_text().split('\n') if '==' in entry]
    assert len(entries) > 150
    text = LOCK.read_text()
    for entry in entries:
        after = text[text.index(f'{entry}\n'):].split('\n', 2)[1]
        assert after.strip().startswith('--hash=sha256:'), entry


def test_a_package_comes_from_one_index_unless_the_machine_has_mirrors(
        machine: ModuleType) -> None:
    assert 'UV_INDEX_STRATEGY' not in machine.uv_environment({})
    assert 'UV_INDEX_STRATEGY' not in machine.uv_environment({'index-url': 'https://mirror'})
    assert machine.uv_environment({'extra-index-url': 'a b'})['UV_INDEX_STRATEGY']


@pytest.mark.parametrize('name', ['QUERY', 'RGB', 'THERMAL', 'ENGINE', 'TESTS', 'INPUTS'])
@pytest.mark.parametrize('target', ['demo', 'test', 'fuzz'])
def test_no_text_that_is_given_to_make_is_run(tmp_path: Path, name: str, target: str) -> None:
    ran = tmp_path / 'ran'
    for attack in (f'$(shell touch {ran})', f'$$(touch {ran})', f'`touch {ran}`',
                   f'"; touch {ran}; "', f'${{shell touch {ran}}}'):
        # -n prints what would be run; functions of make run all the same.
        shown = subprocess.run(['make', '-n', target, f'{name}={attack}'], cwd=LOCK.parents[1],
                               text=True, capture_output=True, check=False)
        assert shown.returncode == 0, shown.stderr
        assert not ran.exists() and str(ran) not in shown.stdout


def test_a_sentence_reaches_the_command_as_it_was_typed() -> None:
    ask = 'include Makefile\nsay:\n\t@printf %s "$$QUERY"\n'
    said = subprocess.run(['make', '--silent', '-f', '-', 'say', "QUERY=it's $$5 (or) #1"],
                          cwd=LOCK.parents[1], input=ask, text=True, capture_output=True,
                          check=True)
    assert said.stdout.endswith("it's $$5 (or) #1")
