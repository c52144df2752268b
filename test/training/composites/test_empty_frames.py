"""Frames that show nobody: where the settings and a detector agree, and only about people."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from rtrack_ros.data.pairs import DataError
from rtrack_ros.training.composites.clips import ClipSettings, EmptyPart, read_settings
from rtrack_ros.training.composites.detector import Detection
from rtrack_ros.training.composites.empty_frames import (
    DOUBT,
    read_empty_frames,
    show_empty,
    write_empty_shard,
)
from rtrack_ros.training.composites.sentences import is_about_people
from rtrack_ros.training.shards.frames import read_shard

WIDTH, HEIGHT, FRAMES = 160, 120, 12
CAR = (20.0, 30.0, 80.0, 60.0)


class Sees:
    """A detector that sees a car everywhere, and perhaps a person in images brighter than 150."""

    def __init__(self, person: float) -> None:
        self._person = person

    def everything(self, image: np.ndarray, min_score: float) -> list[tuple[str, Detection]]:
        seen = [('car', Detection(CAR, 0.9))]
        if image.mean() > 150:
            seen.append(('person', Detection((90, 30, 110, 90), self._person)))
        return [item for item in seen if item[1].score >= min_score]


def write_video(path: Path, levels: list[int]) -> None:
    path.parent.mkdir(exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 30, (WIDTH, HEIGHT))
    for level in levels:
        writer.write(np.full((HEIGHT, WIDTH, 3), level, np.uint8))
    writer.release()


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Frame i of the thermal clip has the level 20 + 8 i, but frames 7 to 9, which are bright."""
    write_video(tmp_path / 'infrared' / 'lamps.mp4',
                [200 if 7 <= number <= 9 else 20 + 8 * number for number in range(1, FRAMES + 1)])
    return tmp_path


WHOLE = EmptyPart(1, FRAMES)
LEFT = EmptyPart(1, FRAMES, (0, 0, 80, HEIGHT))


def settings(**empty: tuple[EmptyPart, ...]) -> ClipSettings:
    return ClipSettings((), frozenset(), empty)


def levels(clips: Path, *parts: EmptyPart, person: float = 0.9) -> list[int]:
    frames = read_empty_frames(clips, settings(lamps=parts), Sees(person))
    return [round((float(frame.thermal.mean()) - 20) / 8) for frame in frames]


def test_a_frame_needs_both_who_looked_and_the_detector(clips: Path) -> None:
    assert levels(clips, WHOLE) == [1, 2, 3, 4, 5, 6, 10, 11, 12]
    assert levels(clips, EmptyPart(2, 3), EmptyPart(6, 10)) == [2, 3, 6, 10]


def test_a_person_elsewhere_in_the_picture_leaves_a_part_of_it_empty(clips: Path) -> None:
    assert len(levels(clips, LEFT)) == 12
    assert len(levels(clips, EmptyPart(1, FRAMES, (0, 0, 95, HEIGHT)))) == 9
    part, *_ = read_empty_frames(clips, settings(lamps=(LEFT,)), Sees(0.9))
    assert part.thermal.shape == (HEIGHT, 80) and part.rgb.shape == (HEIGHT, 80, 3)
    right = EmptyPart(1, 1, (30, 20, 160, 120))
    part, = read_empty_frames(clips, settings(lamps=(right,)), Sees(0.9))
    assert part.things == ((-10, 10, 50, 40),)


def test_a_doubtful_person_is_enough_to_leave_a_frame_out(clips: Path) -> None:
    assert len(levels(clips, WHOLE, person=DOUBT + 0.01)) == 9
    assert len(levels(clips, WHOLE, person=DOUBT - 0.01)) == 12


def test_a_person_seen_by_the_other_camera_leaves_a_frame_out(clips: Path) -> None:
    write_video(clips / 'visible' / 'lamps.mp4', [200] * 2 + [20] * (FRAMES - 2))
    assert levels(clips, WHOLE) == [3, 4, 5, 6, 10, 11, 12]


def test_nothing_is_said_of_cars_and_every_sentence_about_people_means_nobody(clips: Path) -> None:
    frames = read_empty_frames(clips, settings(lamps=(WHOLE,)), Sees(0.9))
    for seed in range(20):
        rgb, thermal, row = show_empty(np.random.default_rng(seed), frames, (64, 48))
        assert rgb.shape == (48, 64, 3) and not rgb.any() and thermal.shape == (48, 64)
        assert row.objects == () and row.condition == 'night'
        assert len(row.sentences) >= 5
        assert all(item.objects == () and is_about_people(item.text) for item in row.sentences)
    _, _, whole = next(view for view in (show_empty(np.random.default_rng(seed), frames, (64, 48))
                                         for seed in range(99))
                       if view[2].hidden == ((125.0, 250.0, 500.0, 500.0),))
    assert whole.hidden


def test_a_shard_is_what_training_reads(clips: Path, tmp_path: Path) -> None:
    frames = read_empty_frames(clips, settings(lamps=(WHOLE,)), Sees(0.9))
    write_empty_shard(tmp_path / 'train', 4, 5, 6, (64, 48), frames)
    shard = read_shard(tmp_path / 'train', 4)
    assert shard.thermal.shape == (6, 48, 64) and len(shard.rows) == 6
    assert all(row.objects == () and row.sentences for row in shard.rows)


def test_mistakes_are_named(clips: Path, tmp_path: Path) -> None:
    assert read_empty_frames(clips, settings(), None) == ()
    with pytest.raises(DataError, match='make picodet'):
        read_empty_frames(clips, settings(lamps=(WHOLE,)), None)
    with pytest.raises(DataError, match='no .*pipes.mp4; correct the names under empty'):
        read_empty_frames(clips, settings(pipes=(WHOLE,)), Sees(0.9))
    with pytest.raises(DataError, match='sees somebody in every frame of lamps'):
        read_empty_frames(clips, settings(lamps=(EmptyPart(7, 9),)), Sees(0.9))
    path = tmp_path / 'clips.yaml'
    for content, said in (({'empty': {'a': [[5, 2]]}}, r'\[5, 2\] is no part of a clip'),
                          ({'empty': {'a': [[1, 9, 4, 0, 4, 5]]}}, 'is no part of a clip'),
                          ({'empty': {'a': [[1, 9, 4]]}}, 'does not describe clips'),
                          ({'empty': {'a': [[1, 2]]}, 'held_out': ['a']}, 'a is held out')):
        path.write_text(yaml.safe_dump({'train': {}} | content))
        with pytest.raises(DataError, match=said):
            read_settings(path)
    path.write_text("train: {}\nempty: {'0102': [[1, 9], [2, 5, 10, 20, 30, 40]]}\n")
    assert read_settings(path).empty == {
        '0102': (EmptyPart(1, 9), EmptyPart(2, 5, (10, 20, 30, 40)))}
