"""GOT-10k scores against figures of the public toolkit on the same files."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from rtrack_ros.cli import main
from rtrack_ros.data.layouts import read_layout
from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.metrics.single_object import score_single_object

NAME = 'GOT-10k_Val_000001'


def write_set(root: Path, covers: list[int], absent: list[int]) -> Path:
    """Write 12 frames of 160x120 in which a 30x30 box moves three pixels a frame."""
    folder = root / 'val' / NAME
    folder.mkdir(parents=True)
    for number in range(1, 13):
        cv2.imwrite(str(folder / f'{number:08d}.jpg'), np.zeros((120, 160, 3), np.uint8))
    (folder / 'groundtruth.txt').write_text(''.join(
        f'{10 + 3 * index},20,30,30\n' for index in range(12)))
    (folder / 'cover.label').write_text('\n'.join(map(str, covers)))
    (folder / 'absence.label').write_text('\n'.join(map(str, absent)))
    return root


def write_run(folder: Path, boxes: list[str]) -> Path:
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / f'{NAME}_001.txt').write_text('\n'.join(boxes) + '\n')
    return folder


def test_a_static_box_scores_as_in_the_toolkit(tmp_path: Path) -> None:
    sequences = read_layout('got10k', write_set(tmp_path / 'set', [8] * 12, [0] * 12))
    scores = score_single_object('static', sequences,
                                 write_run(tmp_path / 'run', ['10,20,30,30'] * 12))
    assert scores.ao == pytest.approx(0.306857, abs=1e-6)
    assert scores.sr50 == pytest.approx(0.272727, abs=1e-6)
    assert scores.frames == 11 and scores.success[0] > scores.success[60]


def test_boxes_beyond_the_image_are_cut_as_in_the_toolkit(tmp_path: Path) -> None:
    # The mean of rect_iou of got10k 0.1.3 with bound=(160, 120).
    sequences = read_layout('got10k', write_set(tmp_path / 'set', [8] * 12, [0] * 12))
    scores = score_single_object('off', sequences,
                                 write_run(tmp_path / 'run', ['-10,-10,60,70'] * 12))
    assert scores.ao == pytest.approx(0.188441, abs=1e-6)


def test_invisible_frames_are_left_out_and_presence_counts_them(tmp_path: Path) -> None:
    covers, absent = [8] * 6 + [0] * 6, [0] * 6 + [1] * 6
    sequences = read_layout('got10k', write_set(tmp_path / 'set', covers, absent))
    follows = [f'{10 + 3 * index},20,30,30' for index in range(12)]
    always = score_single_object('always', sequences, write_run(tmp_path / 'always', follows))
    quiet = score_single_object('quiet', sequences, write_run(
        tmp_path / 'quiet', follows[:6] + ['0,0,0,0'] * 6))
    assert always.ao == quiet.ao == 1.0 and always.frames == 5
    assert always.presence.absent_fpr == 100.0 and quiet.presence.absent_fpr == 0.0


def test_files_must_be_there_and_fit(tmp_path: Path) -> None:
    sequences = read_layout('got10k', write_set(tmp_path / 'set', [8] * 12, [0] * 12))
    with pytest.raises(DataError, match='one box per frame'):
        score_single_object('none', sequences, tmp_path / 'none')
    with pytest.raises(DataError, match='2 boxes, 12 frames'):
        score_single_object('short', sequences, write_run(tmp_path / 'short', ['1,1,2,2'] * 2))


def test_the_command_prints_ao_and_compares_runs(tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    root = write_set(tmp_path / 'set', [8] * 12, [0] * 12)
    folder = write_run(tmp_path / 'run', ['10,20,30,30'] * 12)
    assert main(['evaluate', '--layout', 'got10k', '--set', str(root), '--run',
                 f'static={folder}', '--report', str(tmp_path / 'page.html')]) == 0
    assert 'AO 0.307, SR0.5 0.273' in capsys.readouterr().out
    assert '0.307' in (tmp_path / 'page.html').read_text()
