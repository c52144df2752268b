"""The virtual trajectory between two answers, and what the tracker does with it."""

import numpy as np
import pytest

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.delay.replay import replay
from rtrack_ros.tracking.delay.virtual_trajectory import explains, since_answer, virtual_trajectory
from rtrack_ros.tracking.history.frame import Frame, GivenBox
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.track import TrackState
from rtrack_ros.tracking.tracker import Tracker

CONFIG = TrackerConfig()
VIEWS = Views(np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64), np.uint8), None, (0.1, 0.1),
              np.zeros((48, 64, 2), np.uint8))
BEGIN, END = (100.0, 100.0, 140.0, 180.0), (190.0, 130.0, 230.0, 210.0)


def given(box) -> GivenBox:
    return GivenBox(np.array(box), np.full(4, 4.0))


def frames(count: int, pan: float = 0.0) -> list[Frame]:
    """Frames at 10 Hz without measurements, the camera panning by ``pan`` pixels a frame."""
    made = [Frame(index * 10 ** 8, 0.1, VIEWS, (640, 480)) for index in range(count)]
    for frame in made:
        frame.camera[0, 2] = -pan
    made[0].states[7] = kalman.new_states(np.array([BEGIN]), np.full((1, 4), 3.0))[0]
    made[0].corrections[7] = given(BEGIN)
    return made


@pytest.mark.parametrize('pan', [0.0, 4.0])
def test_replayed_along_the_trajectory_the_filter_has_its_place_and_speed(pan) -> None:
    ring = frames(11, pan)
    trajectory = virtual_trajectory(ring[:-1], ring[-1], 7, given(END))
    assert trajectory is not None and trajectory.past == ring[:-1]
    np.testing.assert_allclose(trajectory.speed, [90.0 + 10 * pan, 30.0], atol=1e-6)
    for frame, motion in trajectory.motions:
        assert motion is not None
        frame.motions[7] = motion
    replay([*trajectory.past, ring[-1]], {7: trajectory.past[0].stamp_ns}, CONFIG)
    state = ring[-1].states[7]
    np.testing.assert_allclose(state[0, :2], [210.0, 170.0], atol=3.0)
    np.testing.assert_allclose(state[1, :2], [90.0 + 10 * pan, 30.0], atol=5.0)
    assert all(np.diff([frame.states[7][0, 0] for frame in ring]) > 0)


def test_without_an_earlier_answer_there_is_no_virtual_trajectory() -> None:
    ring = frames(5)
    assert virtual_trajectory(ring[1:-1], ring[-1], 7, given(END)) is None
    assert virtual_trajectory([], ring[0], 7, given(END)) is None
    assert since_answer(ring[1:-1], ring[-1], 7) == ring[-1:]


def test_a_box_within_the_deviations_of_the_filter_is_explained() -> None:
    state = kalman.new_states(np.array([BEGIN]), np.full((1, 4), 3.0))[0]
    assert explains(state, given(np.array(BEGIN) + 14.0), 3.0)
    assert not explains(state, given(np.array(BEGIN) + 16.0), 3.0)


def test_a_track_that_no_camera_shows_follows_its_answers(make_world, make_path,
                                                          queries) -> None:
    world = make_world([make_path(80, 200, 80, 0)], rgb=False, thermal=False)
    # How soon such a track is lost is not tested here.
    tracker = Tracker(TrackerConfig(coast_s=2.0, lost_after_s=2.0, min_score=0.05))
    for index in range(76):
        tracks = tracker.step(world.pair(index), queries)
        if index in (20, 40, 60):
            tracker.apply(world.answer(index - 15))
    (track,) = tracks
    truth = world.boxes(75)[0]
    assert track.state is TrackState.CONFIRMED
    assert track.id == 1
    assert track.velocity[0] > 40.0, 'only the places of the answers can tell'
    assert world.boxes(45)[0][0] + 25.0 < track.box[0] < truth[0] + 5.0, 'on, beyond the answer'
