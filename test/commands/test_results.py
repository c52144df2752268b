"""Where results go: standard output, a file, or standard error beside JSON."""

import json
from pathlib import Path

import pytest
from rich.table import Table

from rtrack_ros.commands.results import Results


def table() -> Table:
    shown = Table('score')
    shown.add_row('0.5')
    return shown


def test_json_on_standard_output_is_alone_there(capsys: pytest.CaptureFixture[str]) -> None:
    results = Results(Path('-'))
    results.show(table(), 'a line')
    results.json({'score': 0.5})
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {'score': 0.5}
    assert '0.5' in shown.err and 'a line' in shown.err


def test_json_into_a_file_makes_its_folder_and_is_said(tmp_path: Path,
                                                       capsys: pytest.CaptureFixture[str]
                                                       ) -> None:
    path = tmp_path / 'made' / 'figures.json'
    results = Results(path)
    results.show(table())
    results.json({'score': 0.5})
    assert json.loads(path.read_text()) == {'score': 0.5}
    shown = capsys.readouterr().out
    assert '0.5' in shown and f'wrote {path}' in shown


def test_a_line_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    line = "pip install '.[eval]' " + 30 * 'long '
    results = Results()
    results.show(line)
    results.json({'score': 0.5})
    assert capsys.readouterr().out == line + '\n'
