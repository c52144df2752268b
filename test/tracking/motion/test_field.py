"""Motion between frames, on pictures whose motion is known."""

import numpy as np
import pytest

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import STILL, joined
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion.field import Expectation, OpticalFlow

CONFIG = TrackerConfig()
FLOW = OpticalFlow()
UNKNOWN = Expectation(np.full((1, 2), np.nan), np.full(1, 50.0))


def views(world, index: int) -> Views:
    return Views.of(world.pair(index), CONFIG.flow_width, CONFIG.siamese_width)


def around(box: np.ndarray, share: float) -> np.ndarray:
    """Return boxes (N, 4) grown by a share of their size on every side."""
    margin = share * (box[:, 2:] - box[:, :2])
    return np.concatenate([box[:, :2] - margin, box[:, 2:] + margin], axis=1)


@pytest.mark.parametrize('pan', [0.0, 90.0])
def test_motion_of_camera_and_box_are_separated(make_world, make_path, pan) -> None:
    world = make_world([make_path(300, 200, 120, 30, 40, 80)], pan=pan)
    field = FLOW.measure_motion(views(world, 0), views(world, 1), world.boxes(0), UNKNOWN, CONFIG)
    assert np.allclose(field.camera, [[1, 0, -pan / 30], [0, 1, 0]], atol=0.15)
    assert field.motions[0].shift == pytest.approx(((120 - pan) / 30, 1.0), abs=0.3)


def test_a_slow_object_is_separated_from_its_background_over_a_stride(make_world,
                                                                      make_path) -> None:
    """Half a view pixel per frame is lost in one step and clear over five of them."""
    world = make_world([make_path(300, 200, 33, 0, 40, 80)])
    loose = around(world.boxes(0), 0.4)
    frames = [views(world, index) for index in (0, 1, 5)]
    step = FLOW.measure_motion(frames[0], frames[1], loose, UNKNOWN, CONFIG).motions[0]
    stride = FLOW.measure_boxes(frames[0], frames[2], loose, np.zeros((0, 4)), UNKNOWN, STILL,
                                CONFIG)[0]
    assert abs(step.shift[0] - 33 / 30) > 0.3
    assert stride.shift[0] == pytest.approx(5 * 33 / 30, abs=0.75)


def test_all_boxes_are_measured_at_once_each_by_its_own_motion(make_world, make_path) -> None:
    world = make_world([make_path(100, 200, 60, 0), make_path(300, 220, -90, 30),
                        make_path(500, 180, 0, 0)])
    found = FLOW.measure_boxes(views(world, 0), views(world, 5), world.boxes(0), np.zeros((0, 4)),
                               Expectation(np.full((3, 2), np.nan), np.full(3, 50.0)), STILL,
                               CONFIG)
    shifts = [motion.shift for motion in found]
    assert np.allclose(shifts, [(10, 0), (-15, 5), (0, 0)], atol=0.5)


@pytest.mark.parametrize('speed', [30, 45, 60])
def test_points_of_an_object_in_front_of_a_box_are_not_its_own(speed, make_world,
                                                               make_path) -> None:
    """The nearer object reaches further down, covers most of the box, moves the other way."""
    world = make_world([make_path(300, 200, speed, 0, 60, 100),
                        make_path(320, 190, -speed, 0, 60, 140)])
    box, hider = world.boxes(0)
    frames = views(world, 0), views(world, 5)
    known = FLOW.measure_boxes(*frames, box[None], hider[None], UNKNOWN, STILL, CONFIG)[0]
    unknown = FLOW.measure_boxes(*frames, box[None], np.zeros((0, 4)), UNKNOWN, STILL, CONFIG)[0]
    assert known is None or known.shift[0] == pytest.approx(speed / 6, abs=1)
    assert unknown is None or unknown.shift[0] < 5


def test_camera_motions_follow_each_other() -> None:
    turn = np.array([[0.0, -1.0, 3.0], [1.0, 0.0, 0.0]])
    shift = np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 20.0]])
    assert joined(turn, shift) == pytest.approx(np.array([[0, -1, 13], [1, 0, 20]]))
    assert joined(shift, turn) == pytest.approx(np.array([[0, -1, -17], [1, 0, 10]]))
