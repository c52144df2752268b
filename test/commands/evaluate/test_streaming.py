"""``rtrack evaluate --streaming`` on a small simulated recording, with the oracle's answers."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.cli import main
from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.evaluation.streaming.recordings import open_recording


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


def test_a_recording_with_gaps_says_so_and_frames_keep_their_numbers(
        folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures, rows = tmp_path / 'rgb', []
    pictures.mkdir()
    texture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    for index in range(20):
        picture = texture.copy()
        picture[30:90, 10 + 4 * index:40 + 4 * index] = (200, 40, 40)
        cv2.imwrite(str(pictures / f'{index:03d}.png'), picture)
        rows.append(MotRow(index + 1, 1, (10.0 + 4 * index, 30.0, 40.0 + 4 * index, 90.0)))
    write_mot(tmp_path / 'gt.txt', rows)
    for damaged in (5, 6, 7):
        (pictures / f'{damaged:03d}.png').write_bytes(b'\x89PNG')
    assert main(['evaluate', '--streaming', '--rgb', str(pictures), '--query', 'the box',
                 '--truth', str(tmp_path / 'gt.txt'), '--answers', 'oracle', '--profile', '0.05',
                 '--own-cost-ms', '1', '--json', str(tmp_path / 'j.json')]) == 1
    shown = capsys.readouterr().out
    assert 'used 17 of 20 images, 3 damaged' in shown and '15% of the images' in shown
    result = json.loads((tmp_path / 'j.json').read_text())
    assert result['instants'] == 17 and result['methods']['rtrack_ros']['truth_boxes'] == 17
    stream = open_recording(pictures, None, tmp_path / 'gt.txt', 'the box').stream
    for number in range(1, 18):
        shown = (stream.pairs[number - 1].rgb[60] == (40, 40, 200)).all(axis=1)
        assert stream.truth[number][0].box[0] == np.argmax(shown), 'truth of the very image'
