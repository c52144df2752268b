"""Run the tests against the built package and end with one line that says how many passed.

A folder that was not collected would pass silently; hence the lowest number of tests that must
have run. Called by `make test`, inside the environment.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / 'build' / 'test' / 'results.xml'


def run_pytest(tests: list[str]) -> int:
    """Run pytest and return its exit status; -P keeps the checkout from hiding the package."""
    return subprocess.run(
        [sys.executable, '-P', '-m', 'pytest', '--durations=10', f'--junitxml={RESULTS}',
         '-o', 'junit_family=xunit2', *tests], cwd=ROOT, check=False).returncode


def count_results(results: Path) -> dict[str, int]:
    """Return how many tests there were, failed, broke and were skipped."""
    suites = ElementTree.parse(results).getroot().iter('testsuite')
    counts = dict.fromkeys(('tests', 'failures', 'errors', 'skipped'), 0)
    for suite in suites:
        for name in counts:
            counts[name] += int(suite.get(name, 0))
    return counts


def main() -> int:
    """Run, count, judge."""
    parser = argparse.ArgumentParser(description='Run the tests against the built package.')
    parser.add_argument('--at-least', type=int, default=0,
                        help='fail when fewer tests passed; not applied to a choice of tests')
    parser.add_argument('tests', nargs='*', help='files or folders; all when none is named')
    options = parser.parse_args()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.unlink(missing_ok=True)
    status = run_pytest(options.tests)
    if not RESULTS.is_file():
        return status or 1
    counts = count_results(RESULTS)
    broken = counts['failures'] + counts['errors']
    passed = counts['tests'] - broken - counts['skipped']
    floor = 0 if options.tests else options.at_least
    if status == 0 and passed < floor:
        print(f'only {passed} tests passed where at least {floor} must: was a folder left out?')
        status = 1
    print(f'{passed} tests passed, {broken} failed, {counts["skipped"]} skipped')
    return status


if __name__ == '__main__':
    sys.exit(main())
