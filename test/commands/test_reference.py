"""``docs/cli.md`` is what the parsers say, on every terminal."""

from pathlib import Path

import pytest

from rtrack_ros.commands import reference

PAGE = Path(__file__).parents[2] / 'docs' / 'cli.md'


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding='utf-8') == reference.page(), (
        'write it again: python -m rtrack_ros.commands.reference > docs/cli.md')


def test_the_page_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []
    for width in ('20', '200'):
        monkeypatch.setenv('COLUMNS', width)
        pages.append(reference.page())
    assert pages[0] == pages[1]


def test_commands_options_defaults_and_groups_are_there() -> None:
    lines = reference.page().splitlines()
    assert '### rtrack track' in lines and '#### rtrack benchmark grounding' in lines
    assert ('| `--ask-interval SECONDS` | 0.3 | time of the recording between two questions to '
            'the model; 0 asks about every frame |') in lines
    assert '**faults of the sensors, for bag**' in lines
    queries = [line for line in lines if line.startswith('| `--query SENTENCE`')]
    assert 'at most one of `--query`, `--box`' in queries[0]
    assert '| `rtrack benchmark cost` | ' in reference.page()
