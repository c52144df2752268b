"""``rtrack evaluate`` from files to figures."""

import json
from pathlib import Path

import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.cli import main
from rtrack_ros.data.mot import MotRow, write_mot


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rows = [MotRow(frame, 1, (frame, 10.0, frame + 30.0, 60.0)) for frame in range(1, 11)]
    write_mot(tmp_path / 'gt.txt', rows)
    write_mot(tmp_path / 'tracks.txt', rows[:5])
    return ['evaluate', '--tracks', str(tmp_path / 'tracks.txt'), '--truth',
            str(tmp_path / 'gt.txt')]


def test_json_has_the_scores_and_presence(files: list[str],
                                          capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, '--json', '-', '--frames', '20']) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures['frames'] == 20
    assert (figures['detre'], figures['detpr'], figures['mota']) == (50, 100, 50)
    assert figures['presence'] == {'precision': 100.0, 'recall': 50.0, 'f1': 66.67,
                                   'absent_fpr': 0.0, 'frames_present': 10, 'frames_absent': 10}


def test_json_into_a_file_leaves_the_table_on_standard_output(
        files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, '--json', str(tmp_path / 'made' / 'scores.json')]) == 0
    assert 'HOTA' in capsys.readouterr().out
    assert json.loads((tmp_path / 'made' / 'scores.json').read_text())['mota'] == 50


def test_the_table_names_the_headline(files: list[str],
                                      capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files) == 0
    shown = capsys.readouterr().out
    assert 'HOTA' in shown and '10 frames' in shown and 'tracks.txt' in shown


def test_too_few_frames_and_missing_files_name_the_remedy(
        files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, '--frames', '3']) == 2
    assert '--frames 10 or more' in capsys.readouterr().err
    Path(files[2]).unlink()
    assert main(files) == 2
    assert 'cannot read' in capsys.readouterr().err
