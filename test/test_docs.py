"""What the documents point at is there: files, parameters, pictures."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtrack_ros.cli import build_parser

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob('*.md'), *ROOT.glob('docs/**/*.md'),
                *ROOT.glob('examples/*.md'), *ROOT.glob('models/**/*.md')])
OF_THE_PAST = ('CHANGELOG', 'benchmarks', 'history', 'migration')
"""Pages that name parameters and options by the names they had."""
SUFFIXES = ('.py', '.json', '.yaml')
ADDED_LAYOUT = 'csv-boxes'
"""The layout that docs/guides/add_a_layout.md adds."""
LINK = re.compile(r'\]\(([^)\s#]+)[^)]*\)')
GROUPS = ('engine', 'query', 'ask', 'rgb', 'thermal', 'sync', 'status', 'diagnostics', 'debug',
          'tracker')
PARAMETER = re.compile(rf'`((?:{"|".join(GROUPS)})\.[a-z0-9_.]+)`')


def parameters(tree: dict[str, Any], prefix: str = '') -> set[str]:
    """Return the dotted names of a parameter file."""
    names = set()
    for key, value in tree.items():
        name = f'{prefix}{key}'
        names |= parameters(value, f'{name}.') if isinstance(value, dict) else {name}
    return names


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page):
    links = [link for link in LINK.findall(page.read_text(encoding='utf-8')) if ':' not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize('page', [page for page in PAGES if page.stem not in OF_THE_PAST],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_every_parameter_that_a_page_names_exists(page):
    tree = yaml.safe_load((ROOT / 'config' / 'tracker.yaml').read_text(encoding='utf-8'))
    known = parameters(tree['/**']['ros__parameters'])
    named = set(PARAMETER.findall(page.read_text(encoding='utf-8')))
    assert sorted(name for name in named - known if not name.endswith(SUFFIXES)) == []


def commands(page: Path) -> list[str]:
    """Return the ``rtrack`` commands of a page that are written out in full."""
    text = re.sub(r'\\\n\s*', ' ', page.read_text(encoding='utf-8'))
    blocks = re.findall(r'^ *```(\w*)\n(.*?)^ *```', text, re.DOTALL | re.MULTILINE)
    lines = [line.partition('  #')[0].strip() for language, block in blocks
             if language in ('', 'bash', 'sh') for line in block.splitlines()]
    inline = [' '.join(code.split()) for code in re.findall(r'(?<!`)`([^`]+)`(?!`)', text)]
    return [line for line in lines + [code for code in inline if ' --' in code]
            if line.startswith('rtrack ') and not re.search(r'\.\.\.|[|<>\[\]]', line)]


@pytest.mark.parametrize('page', [page for page in PAGES if page.stem not in OF_THE_PAST],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_accepted(page, capsys):
    refused = []
    for command in commands(page):
        try:
            build_parser().parse_args(shlex.split(command.replace(ADDED_LAYOUT, 'lasher'))[1:])
        except SystemExit:
            reason = capsys.readouterr().err.splitlines()[-1]
            # A page may leave out what it does not speak of.
            refused += [] if 'are required' in reason else [(command, reason)]
    assert refused == []


def test_every_word_of_the_glossary_lives_where_it_says():
    rows = re.findall(r'^\| \*\*.*\| (`[^|]+`) \|$', (ROOT / 'docs' / 'glossary.md').read_text(),
                      re.MULTILINE)
    files = [name for row in rows for name in re.findall(r'`([^`]+)`', row)]
    assert len(rows) >= 30
    assert [name for name in files if not (ROOT / 'rtrack_ros' / name).is_file()] == []


def test_the_readme_is_short():
    lines = (ROOT / 'README.md').read_text(encoding='utf-8').splitlines()
    assert len(lines) <= 100
    assert [line for line in lines if len(line) > 100] == []
