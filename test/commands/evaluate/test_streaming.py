"""``rtrack evaluate --streaming`` on a small simulated recording, with the oracle's answers."""

import json
from pathlib import Path

import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.cli import main


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('scene')
    assert main(['simulate', '--seed', '9400030', '--seconds', '1', '--fps', '10', '--format',
                 'video', '--out', str(out), '--size', '160x120', '--thermal-size', '80x60',
                 '--conditions', 'day']) == 0
    return out


def evaluate(folder: Path, *more: str) -> int:
    return main(['evaluate', '--streaming', '--sequence', str(folder), '--answers', 'oracle',
                 '--own-cost-ms', '5', *more])


def test_json_has_every_method_at_the_profile(folder: Path, capsys: pytest.CaptureFixture[str]
                                              ) -> None:
    assert evaluate(folder, '--profile', '0.2', '--methods', 'rtrack_ros,blocking model',
                    '--json', '-') == 0
    result = json.loads(capsys.readouterr().out)
    assert (result['profile'], result['delay_s'], result['answers']) == ('0.2 s', 0.2, 'oracle')
    assert set(result['methods']) == {'rtrack_ros', 'blocking model'}
    assert result['instants'] == 10 * result['sequences']
    assert result['methods']['rtrack_ros']['truth_boxes'] > 0


def test_the_table_names_the_engine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(folder, '--profile', 'thor-qwen3vl-2b-nvfp4') == 0
    shown = capsys.readouterr().out
    assert 'thor-qwen3vl-2b-nvfp4' in shown and 'rtrack_ros' in shown


@pytest.mark.parametrize(('arguments', 'remedy'), [
    (['--streaming'], '--sequence'),
    (['--streaming', '--sequence', '.', '--answers', 'oracle'], '--profile'),
    (['--streaming', '--sequence', '.', '--profile', 'orin'], 'orin-qwen3vl-2b-int4'),
    (['--streaming', '--methods', 'magic'], 'blocking model'),
    ([], '--tracks'),
])
def test_what_is_missing_is_named(arguments: list[str], remedy: str,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['evaluate', *arguments]) == 2
    assert remedy in capsys.readouterr().err
