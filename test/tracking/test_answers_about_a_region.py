"""An answer about a part of the image says nothing about the rest."""

from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.tracker import Tracker

LEFT_HALF = (0, 0, 320, 480)


@pytest.fixture
def world(make_world, make_path):
    """One object on the left of the image, one on the right, both nearly still."""
    return make_world([make_path(100, 150, 3, 0), make_path(450, 150, -3, 0)])


@pytest.fixture
def tracker(world, queries):
    # Flow is exact on textured rectangles; what the network adds is shown in test_siamese.
    tracker = Tracker(TrackerConfig(siamese_per_frame=0))
    tracker.step(world.pair(0), queries)
    tracker.apply(world.answer(0))
    for index in range(1, 11):
        tracker.step(world.pair(index), queries)
    return tracker


def scores(tracker) -> list[float]:
    return [track.score for track in sorted(tracker.tracks(), key=lambda track: track.box[0])]


def test_an_empty_answer_about_a_region_contradicts_only_tracks_inside(world, tracker) -> None:
    left, right = scores(tracker)
    tracker.apply(replace(world.answer(10, only=[]), region=LEFT_HALF))
    now_left, now_right = scores(tracker)
    assert now_left < left - 0.1
    assert now_right == pytest.approx(right, abs=1e-9)


def test_the_same_answer_about_the_whole_image_contradicts_both(world, tracker) -> None:
    before = scores(tracker)
    tracker.apply(world.answer(10, only=[]))
    assert all(now < then - 0.1 for now, then in zip(scores(tracker), before, strict=True))


def test_a_track_half_inside_is_half_contradicted(world, tracker) -> None:
    left, right = scores(tracker)
    middle = round(float(np.mean(world.boxes(10)[0][[0, 2]])))
    tracker.apply(replace(world.answer(10, only=[]), region=(0, 0, middle, 480)))
    half = left - scores(tracker)[0]
    tracker.reset()
    assert 0.02 < half < 0.25


def test_a_box_cut_by_the_region_does_not_shrink_its_track(world, tracker) -> None:
    box = world.boxes(10)[0]
    cut = (int(box[0]) - 60, int(box[1]) - 60, int(box[2]) - 20, int(box[3]) + 60)
    answer = world.answer(10, only=[0])
    seen = replace(answer.groundings[0], box=(box[0], box[1], float(cut[2]), box[3]))
    tracker.apply(replace(answer, groundings=(seen,), region=cut))
    kept = min(tracker.tracks(), key=lambda track: track.box[0])
    assert kept.box == pytest.approx(tuple(box), abs=3.0)
