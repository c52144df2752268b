"""One target from a box: every method sees the same frames, and the truth decides."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtrack_ros.benchmarks.box.benchmark import (
    follow_sequence,
    mean_of_conditions,
    run_boxes,
)
from rtrack_ros.benchmarks.box.followers import EYE, METHODS, MIL, MODEL, STILL, makers
from rtrack_ros.benchmarks.box.sequences import clip_sequence, clips_in, held_out_targets
from rtrack_ros.benchmarks.box.table import box_rows
from rtrack_ros.cli import main
from rtrack_ros.data.pairs import DataError

STEP = 3
SIZE = 40


def clip(folder: Path, name: str, frames: int = 12, absent: tuple[int, ...] = ()) -> Path:
    """Write a video of a patterned square that moves to the right over a patterned ground."""
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.integers(0, 90, (120, 200), dtype=np.uint8), (0, 0), 4)
    square = np.kron(rng.integers(60, 255, (SIZE // 4, SIZE // 4)), np.ones((4, 4), int))
    video = cv2.VideoWriter(str(folder / f'{name}.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 25,
                            (200, 120))
    rows = []
    for number in range(frames):
        image = ground.copy()
        left = 30 + STEP * number
        image[40:40 + SIZE, left:left + SIZE] = square
        video.write(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
        rows.append('0,0,0,0' if number in absent else f'{left},40,{SIZE},{SIZE}')
    video.release()
    (folder / f'{name}.gt.txt').write_text('\n'.join(rows) + '\n')
    return folder


class Scripted:
    """Says what it is told, and takes 4 ms for it, of which a share is the model's."""

    def __init__(self, boxes, elsewhere: float = 0.0) -> None:
        self.boxes, self.elsewhere_s, self._share = iter(boxes), 0.0, elsewhere
        self.now = 0.0

    def start(self, pair, box) -> None:
        self.now += 1.0

    def follow(self, pair):
        self.now += 0.004
        self.elsewhere_s += self._share
        return next(self.boxes)


def test_the_overlap_is_that_of_the_frames_after_the_first(tmp_path) -> None:
    sequence = clips_in(clip(tmp_path, 'a', 4, absent=(2,)), 100)[0]
    assert sequence.first == (30, 40, 70, 80)
    half = (36 - SIZE, 40, 36, 80)
    scores = run_boxes([sequence], {'it': lambda: Scripted([(33, 40, 73, 80), half, None])})
    row = scores['overlap'][sequence.group]['it']
    # One frame right, one absent and so left out, one said to be gone.
    assert row == {'ao': 0.5, 'sr50': 0.5, 'frames': 2, 'targets': 1}


def test_the_time_of_the_model_is_not_that_of_the_tracker(tmp_path) -> None:
    sequence = clips_in(clip(tmp_path, 'a', 4), 100)[0]
    follower = Scripted([None] * 3, elsewhere=0.003)
    run = follow_sequence(sequence, 'it', follower, clock=lambda: follower.now)
    assert run.model_ms == pytest.approx(3) and run.costs_ms == pytest.approx([1, 1, 1])


def test_known_methods_follow_a_square_that_the_still_box_loses(tmp_path) -> None:
    figures = run_boxes(clips_in(clip(tmp_path, 'a'), 100), makers(None))
    row, = figures['overlap'].values()
    assert set(row) == {STILL, MIL, EYE} == set(METHODS) - {MODEL}
    assert row[STILL]['ao'] < 0.5 < 0.8 < min(row[MIL]['ao'], row[EYE]['ao'])
    assert figures['cost'][STILL]['median_ms'] < figures['cost'][EYE]['median_ms']


def test_a_clip_is_cut_to_the_frames_asked_for(tmp_path) -> None:
    sequence = clips_in(clip(tmp_path, 'a'), 5)[0]
    assert len(list(sequence.frames())) == len(list(sequence.frames())) == 5
    pair, _ = next(sequence.frames())
    assert pair.thermal is not None and np.abs(
        pair.thermal.astype(int) - pair.rgb[..., 1]).max() < 12


def test_mistakes_in_a_folder_of_clips_are_named(tmp_path) -> None:
    with pytest.raises(DataError, match='left,top,width,height'):
        clips_in(tmp_path, 5)
    clip(tmp_path, 'a', absent=(0,))
    with pytest.raises(DataError, match='no box in its first line'):
        clips_in(tmp_path, 5)
    (tmp_path / 'a.avi').unlink()
    with pytest.raises(DataError, match='needs one video'):
        clips_in(tmp_path, 5)


def test_two_cameras_are_taken_apart(tmp_path) -> None:
    clip(tmp_path, 'a')
    still = np.full((120, 200, 3), 7, np.uint8)
    folder = tmp_path / 'thermal'
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f'{number}.png'), still)
    sequence = clip_sequence(tmp_path / 'a.avi', folder, tmp_path / 'a.gt.txt', 5)
    pair, _ = next(sequence.frames())
    assert int(pair.thermal.max()) == 7 and int(pair.rgb.max()) > 100


def test_held_out_targets_are_those_of_the_other_benchmark() -> None:
    targets = list(held_out_targets(1, 9_700_000, 0.4))
    again = list(held_out_targets(1, 9_700_000, 0.4))
    assert [item.name for item in targets] == [item.name for item in again]
    assert len({item.group for item in targets}) == 6
    _, truth = next(targets[0].frames())
    assert truth.objects == {int(targets[0].name.split('/')[1]): targets[0].first}


def test_scenes_weigh_by_their_frames() -> None:
    overlap = {'day': {'it': {'ao': 0.5, 'frames': 30}}, 'dusk': {'it': {'ao': 0.9, 'frames': 10}},
               'clip': {'it': {'ao': 0.0, 'frames': 99}}}
    assert mean_of_conditions(overlap, ('day', 'dusk', 'night'), 'it') == pytest.approx(0.6)
    assert mean_of_conditions(overlap, ('night',), 'it') is None


def test_the_command_writes_what_the_page_shows(tmp_path, capsys) -> None:
    target = tmp_path / 'figures.json'
    assert main(['benchmark', 'box', '--clips', str(clip(tmp_path, 'a')), '--no-scenes',
                 '--no-model', '--json', str(target)]) == 0
    assert 'MIL' in capsys.readouterr().out
    headings, rows = box_rows(json.loads(target.read_text()))
    assert headings == ['average overlap', STILL, MIL, EYE, 'frames']
    assert rows[0][0].endswith('/a') and rows[0][-1] == '11'
    assert main(['benchmark', 'box', '--no-scenes', '--no-model']) == 2
