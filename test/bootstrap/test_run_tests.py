"""What `make test` makes of the results: a line for each folder, and no folder missing unseen."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = """<testsuites><testsuite>
  <testcase classname="test.tracking.delay.test_replay" name="test_one" />
  <testcase classname="test.tracking.test_tracker.TestLock" name="test_two" />
  <testcase classname="test.tracking.test_tracker" name="test_three"><failure /></testcase>
  <testcase classname="test.test_boxes" name="test_four" />
  <testcase classname="test.data.test_bag" name="test_five"><skipped /></testcase>
  <testcase classname="" name="test.data.layouts.test_refrt"><skipped /></testcase>
  <testcase classname="" name="test.data.test_videos"><error /></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / 'results.xml'
    path.write_text(RESULTS)
    return path


@pytest.fixture
def run(run_tests: ModuleType, floors: ModuleType, monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path):
    """Run the script on given results; returns its exit status and the extras it promised."""
    path = tmp_path / 'made' / 'results.xml'
    monkeypatch.setattr(run_tests, 'RESULTS', path)
    monkeypatch.setattr(run_tests, 'own_ros', lambda: None)

    def run(least: dict[str, int], *arguments: str, text: str = RESULTS, status: int = 0
            ) -> tuple[int, tuple[str, ...]]:
        promises: list[tuple[str, ...]] = []

        def pytest_would(tests: list[str], promised: tuple[str, ...]) -> int:
            promises.append(promised)
            path.write_text(text)
            return status

        monkeypatch.setattr(run_tests, 'run_pytest', pytest_would)
        monkeypatch.setattr(run_tests, 'FLOORS', {
            folder: floors.Floor(count, count - 1) for folder, count in least.items()})
        monkeypatch.setattr(sys, 'argv', ['run_tests.py', *arguments])
        return run_tests.main(), promises[0]
    return run


def test_results_are_counted_by_folder_whether_a_test_ran_or_its_file_broke(
        run_tests: ModuleType, results: Path) -> None:
    counts = run_tests.count_by_folder(results)
    assert {folder: dict(count) for folder, count in counts.items()} == {
        'tracking': {'passed': 2, 'failed': 1}, '.': {'passed': 1},
        'data': {'skipped': 2, 'failed': 1}}


def test_every_folder_at_its_floor_is_well(run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({'.': 1, 'tracking': 2, 'data': 0}, '--torch')[0] == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ['test/.                1 passed, 0 failed, 0 skipped, at least 1',
                     'test/data             0 passed, 1 failed, 2 skipped, at least 0',
                     'test/tracking         2 passed, 1 failed, 0 skipped, at least 2',
                     '3 tests passed, 2 failed, 2 skipped']


def test_a_folder_below_its_floor_fails_the_run_and_is_named(
        run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({'.': 1, 'tracking': 3, 'data': 0}, '--torch')[0] == 1
    said = [line for line in capsys.readouterr().out.splitlines() if 'floors.py' in line]
    assert len(said) == 1
    assert said[0].startswith('test/tracking: 2 tests passed where at least 3 must')


def test_a_folder_that_vanished_fails_the_run_and_is_named(
        run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({'.': 1, 'tracking': 2, 'data': 0, 'training': 9}, '--torch')[0] == 1
    assert 'test/training: 0 tests passed where at least 9 must' in capsys.readouterr().out


def test_without_torch_the_lower_floor_holds(run) -> None:
    assert run({'.': 1, 'tracking': 3, 'data': 0})[0] == 0
    assert run({'.': 1, 'tracking': 4, 'data': 0})[0] == 1


def test_a_new_folder_must_be_given_a_floor(run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({'.': 1, 'tracking': 2}, '--torch')[0] == 1
    assert 'test/data has no floor: add one to bootstrap/floors.py' in capsys.readouterr().out


def test_a_choice_of_tests_has_no_floor(run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({'tracking': 99}, 'test/tracking')[0] == 0
    assert 'at least' not in capsys.readouterr().out


def test_failing_tests_fail_the_run_also_above_the_floors(run) -> None:
    assert run({'.': 1, 'tracking': 2, 'data': 0}, '--torch', status=1)[0] == 1


def test_the_run_promises_what_the_set_up_installs(run) -> None:
    least = {'.': 1, 'tracking': 2, 'data': 0}
    assert set(run(least)[1]) == {'openvino', 'llamacpp', 'eval', 'bag', 'bytetrack', 'ros'}
    learning = {'transformers', 'train'} if sys.version_info >= (3, 11) else {'transformers'}
    assert set(run(least, '--torch')[1]) == learning | {'openvino', 'llamacpp', 'eval', 'bag',
                                                        'bytetrack', 'ros'}


def test_beside_a_ros_of_the_machine_bytetrack_is_not_installed(machine: ModuleType) -> None:
    assert machine.extras('jazzy', torch=False) == ('openvino', 'llamacpp', 'eval', 'bag')


def test_the_wheels_are_locked_with_the_extras_that_are_promised(machine: ModuleType) -> None:
    locked = re.findall(r'--extra (\w+)', (ROOT / 'Makefile').read_text())
    assert locked == [*machine.extras(None, torch=False), 'dev']


def test_every_folder_of_tests_has_a_floor(floors: ModuleType) -> None:
    folders = {path.relative_to(ROOT / 'test').parts[0] for path in
               (ROOT / 'test').glob('*/**/test_*.py')}
    assert set(floors.FLOORS) == folders | {'.'}
    assert all(whole >= without_torch > 0 for whole, without_torch in floors.FLOORS.values())
