"""Run the tests against the built package and say how many passed, folder by folder.

Called by `make test`, inside the environment. Two things would pass silently and fail here: a
folder whose tests were not collected (floors.py), and tests that were skipped because a package
of this environment is broken (conftest.py, which is told what the set-up has installed).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from floors import FLOORS, Floor
from machine import extras, own_ros

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / 'build' / 'test' / 'results.xml'
# The checkout must not hide the built package; Python 3.10 does not know the option.
SAFE_PATH = ['-P'] if sys.version_info >= (3, 11) else []


def run_pytest(tests: list[str], promised: tuple[str, ...]) -> int:
    """Run pytest and return its exit status.

    Args:
        tests: Files or folders; all when there is none.
        promised: Extras that are installed: a test that misses one of their packages fails.
    """
    return subprocess.run(
        [sys.executable, *SAFE_PATH, '-m', 'pytest', '--durations=10', f'--junitxml={RESULTS}',
         '-o', 'junit_family=xunit2', *tests], cwd=ROOT, check=False,
        env={**os.environ, 'RTRACK_TEST_EXTRAS': ','.join(promised)}).returncode


def count_by_folder(results: Path) -> dict[str, Counter[str]]:
    """Return how many tests of each folder of test/ 'passed', 'failed' and were 'skipped'.

    Args:
        results: What pytest wrote with --junitxml. The files in test/ itself count as '.'.
    """
    counts: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(results).getroot().iter('testcase'):
        children = {child.tag for child in case}
        outcome = ('failed' if children & {'failure', 'error'}
                   else 'skipped' if 'skipped' in children else 'passed')
        # A file that could not be imported, or was skipped whole, stands under its name alone.
        folder = _folder_of(case.get('classname') or case.get('name', ''))
        counts.setdefault(folder, Counter())[outcome] += 1
    return counts


def _folder_of(dotted: str) -> str:
    """Return the folder of 'test.folder.test_module.TestClass'."""
    parts = dotted.split('.')
    return parts[1] if len(parts) > 2 and not parts[1].startswith('test_') else '.'


def shortfalls(passed: Mapping[str, int], floors: Mapping[str, Floor], torch: bool) -> list[str]:
    """Return a sentence for each folder of which too few tests passed, or that has no floor."""
    said = [f'test/{folder}: {passed.get(folder, 0)} tests passed where at least {least} must. '
            'Was a file left out? If tests were removed on purpose, lower the number in '
            'bootstrap/floors.py'
            for folder, least in least_of(floors, torch).items() if passed.get(folder, 0) < least]
    return said + [f'test/{folder} has no floor: add one to bootstrap/floors.py'
                   for folder in sorted(set(passed) - set(floors))]


def least_of(floors: Mapping[str, Floor], torch: bool) -> dict[str, int]:
    """Return the lowest count of each folder for a run with or without torch."""
    return {folder: floor.whole if torch else floor.without_torch
            for folder, floor in floors.items()}


def print_folders(counts: Mapping[str, Counter[str]], least: Mapping[str, int]) -> None:
    """Print a line for each folder that has results or must have some."""
    for folder in sorted({*counts, *least}):
        count = counts.get(folder, Counter())
        floor = f', at least {least[folder]}' if folder in least else ''
        print(f'test/{folder:12} {count["passed"]:5} passed, {count["failed"]} failed, '
              f'{count["skipped"]} skipped{floor}')


def main() -> int:
    """Run, count, judge."""
    parser = argparse.ArgumentParser(description='Run the tests against the built package.')
    parser.add_argument('--torch', action='store_true', help='torch was installed: it must work')
    parser.add_argument('tests', nargs='*',
                        help='files or folders, to which no floor applies; all when none is named')
    options = parser.parse_args()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.unlink(missing_ok=True)
    status = run_pytest(options.tests, (*extras(own_ros(), options.torch), 'ros'))
    if not RESULTS.is_file():
        return status or 1
    counts = count_by_folder(RESULTS)
    floors = {} if options.tests else FLOORS
    print_folders(counts, least_of(floors, options.torch))
    total = sum(counts.values(), Counter())
    if not options.tests:
        missing = shortfalls({folder: count['passed'] for folder, count in counts.items()},
                             floors, options.torch)
        print(*missing, sep='\n', end='\n' if missing else '')
        status = status or int(bool(missing))
    print(f'{total["passed"]} tests passed, {total["failed"]} failed, '
          f'{total["skipped"]} skipped')
    return status


if __name__ == '__main__':
    sys.exit(main())
