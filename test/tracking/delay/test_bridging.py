"""A slow thermal camera beside a fast RGB camera: tracks are followed between its images too."""

from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.boxes import iou
from rtrack_ros.frames import FramePair, ImageState, PairHealth
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.tracker import Tracker

HELD = PairHealth(thermal=ImageState.HELD)


def slow(world, index: int, every: int, late_ns: int = 0) -> FramePair:
    """Return a pair of a thermal camera that takes an image every so many frames."""
    pair, taken = world.pair(index), index - index % every
    held = world.pair(taken)
    return replace(pair, thermal=held.thermal, thermal_stamp_ns=held.stamp_ns + late_ns,
                   health=HELD if index % every else PairHealth())


def overlaps(world, queries, every: int, frames: int = 60) -> np.ndarray:
    """Return the overlap with the truth on every frame, after one answer about the first."""
    tracker, found = Tracker(TrackerConfig(siamese_per_frame=0)), []
    for index in range(frames):
        tracks = tracker.step(slow(world, index, every), queries)
        if index == 0:
            tracker.apply(world.answer(0))
            tracks = tracker.tracks()
        found.append(iou([tracks[0].box], world.boxes(index))[0, 0])
    return np.array(found)


def delivered_late(world, index: int, by: int, every: int) -> FramePair:
    """Return a pair of a thermal camera whose images come so many frames late."""
    taken = index - by - (index - by) % every
    held = world.pair(max(taken, 0))
    return replace(world.pair(index), thermal=None if taken < 0 else held.thermal,
                   thermal_stamp_ns=None if taken < 0 else held.stamp_ns, health=HELD)


def turning(t: float) -> tuple[float, float, float, float]:
    """A walker who turns round after a second."""
    x = 200 + 90 * t - 45 * t ** 2
    return x, 200, x + 60, 300


@pytest.mark.parametrize('every', [1, 3, 4])
def test_by_night_a_walker_who_turns_is_followed_by_a_slow_thermal_camera(
        make_world, queries, every: int) -> None:
    found = overlaps(make_world([turning], rgb=False), queries, every)
    assert found.mean() > 0.85 and found.min() > 0.7


def test_by_night_a_moving_camera_carries_boxes_between_thermal_images(make_world, make_path,
                                                                       queries) -> None:
    world = make_world([make_path(300, 200, 60, 0)], rgb=False, pan=90.0)
    found = overlaps(world, queries, 4)
    assert found[::4].min() > 0.95, 'where a thermal image came'
    assert found.min() > 0.7, 'at most three frames without any sight of the camera motion'


def test_frames_between_two_thermal_images_know_their_motion_afterwards(make_world, make_path,
                                                                        queries) -> None:
    world, tracker = make_world([make_path(200, 200, 60, 0)], rgb=False), Tracker(
        TrackerConfig(siamese_per_frame=0))
    for index in range(9):
        tracker.step(slow(world, index, 4), queries)
        if index == 0:
            tracker.apply(world.answer(0))
    frames = list(tracker._book.history)
    shifts = [frame.motions[1].shift[0] for frame in frames[1:]]
    assert shifts == pytest.approx([2.0] * 8, abs=0.4)
    assert all(frame.coasting_s[1] == 0 for frame in frames)


def test_motion_is_measured_over_the_time_of_the_thermal_images(make_world, make_path,
                                                                queries) -> None:
    """The second thermal image was taken half a frame late and shows half as much motion more."""
    world, tracker = make_world([make_path(200, 200, 120, 0)], rgb=False), Tracker(
        TrackerConfig(siamese_per_frame=0))
    tracker.step(world.pair(0), queries)
    tracker.apply(world.answer(0))
    late = world.pair(1.5)
    pair = replace(world.pair(1), thermal=late.thermal, thermal_stamp_ns=late.stamp_ns)
    tracker.step(pair, queries)
    assert tracker._book.history.newest.motions[1].shift[0] == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize('every', [1, 3])
def test_by_night_a_walker_is_followed_by_thermal_images_that_come_late(
        make_world, queries, every: int) -> None:
    """A tenth of a second: the images correct the past, and velocity carries boxes to now."""
    world, tracker, found = make_world([turning], rgb=False), Tracker(
        TrackerConfig(siamese_per_frame=0)), []
    for index in range(60):
        tracks = tracker.step(delivered_late(world, index, 3, every), queries)
        if index == 6:
            tracker.apply(world.answer(3))
            tracks = tracker.tracks()
        if index >= 6:
            found.append(iou([tracks[0].box], world.boxes(index))[0, 0])
    assert np.mean(found[6:]) > 0.8 and np.min(found[6:]) > 0.6
    past = [frame for frame in tracker._book.history if frame.views.thermal is not None]
    assert len(past) >= 50 // every
    assert all(frame.views.stamps == (frame.stamp_ns, frame.stamp_ns) for frame in past)


def test_by_night_an_answer_during_a_pause_of_thermal_leaves_nothing_out(make_world, make_path,
                                                                         queries) -> None:
    """With the thermal camera in order such answers count against the track."""
    against = {}
    for pauses in (True, False):
        world, tracker = make_world([make_path(200, 200, 0, 0)], rgb=False), Tracker(
            TrackerConfig(siamese_per_frame=0))
        for index in range(24):
            dark = replace(world.pair(index), thermal=None)
            tracker.step(dark if pauses and index >= 12 else world.pair(index), queries)
            if index in (0, 6):
                tracker.apply(world.answer(index))
            if index in (14, 18, 22):
                tracker.apply(world.answer(index, only=[]))
        tracklet, = tracker._book.tracklets.values()
        against[pauses] = sum(evidence.meant < 1 for evidence in tracklet.evidence)
    assert against == {True: 0, False: 3}
