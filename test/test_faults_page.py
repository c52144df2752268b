"""``docs/faults.md`` names tests that exist, for at least forty faults."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'faults.md').read_text()
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text()
           for path in (ROOT / 'test').rglob('test_*.py')}


def rows() -> list[list[str]]:
    return [[cell.strip() for cell in line.strip('|').split(' | ')]
            for line in PAGE.splitlines() if line.startswith('| ') and '|---' not in line
            and not line.startswith('| fault |')]


def test_every_fault_says_what_is_seen_and_what_shows_it() -> None:
    assert len(rows()) >= 40
    for row in rows():
        assert len(row) == 3 and all(row), row


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for named in re.findall(r'`((?:test/[\w/]+\.py)?(?:::)?(?:test_\w+)?)`', PAGE):
        path, _, name = named.rpartition('::') if '::' in named else (
            (named, '', '') if named.endswith('.py') else ('', '', named))
        if path and path not in SOURCES:
            missing.append(path)
        elif name and not any(f'def {name}(' in text for where, text in SOURCES.items()
                              if not path or where == path):
            missing.append(named)
    assert missing == []
