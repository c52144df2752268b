"""Frames on the disk as clips: the boxes, words and pixels that were drawn."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('torch', reason='samples are drawn for training (make test TORCH=1)')

from rtrack_ros.data.pairs import DataError
from rtrack_ros.training.shards.frames import draw_frames, write_shard
from rtrack_ros.training.tasks.clips import open_clips
from rtrack_ros.training.tasks.ground import Ground

SIZE, SEED = (128, 96), 3_100_000


@pytest.fixture(scope='module')
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('shards')
    write_shard(folder, 0, SEED, 6, SIZE)
    return folder


def test_a_frame_is_a_clip_with_what_was_drawn(shards: Path) -> None:
    clips = open_clips(str(shards), 'shards', 0, 0)
    drawn = list(draw_frames(SEED, SIZE))[:6]
    assert len(clips) == 6
    for clip, (rgb, thermal, row) in zip(clips, drawn, strict=True):
        pair = clip.pair(0)
        assert np.array_equal(pair.rgb, rgb) and np.array_equal(pair.thermal, thermal)
        assert clip.sentences == tuple(item.text for item in row.sentences)
        boxes = clip.objects(0)
        assert [boxes[number] for number in sorted(boxes)] == [
            pytest.approx(np.multiply(item.box, (0.128, 0.096, 0.128, 0.096)))
            for item in row.objects]
        assert [clip.meant(number, 0) for number in range(len(clip.sentences))] == [
            frozenset(item.objects) for item in row.sentences]


def test_questions_about_drawn_frames_have_both_kinds_of_answers(shards: Path) -> None:
    task = Ground(open_clips(str(shards), 'shards', 0, 0), 'brief', 24, 0.5, 1)
    questions = [task[number] for number in range(24)]
    assert {bool(item.boxes) for item in questions} == {True, False}
    assert {label for item in questions for label in item.labels} <= {'person', 'car', 'cyclist'}


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='no shards'):
        open_clips(str(tmp_path), 'shards', 0, 0)
