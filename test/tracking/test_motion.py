"""Motion between frames, on pictures whose motion is known."""

import numpy as np
import pytest

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history import STILL, Views, joined
from rtrack_ros.tracking.motion import Expectation, Span, measure_boxes, measure_motion

CONFIG = TrackerConfig()
UNKNOWN = Expectation(np.full((1, 2), np.nan), np.full(1, 50.0))


def views(world, index: int) -> Views:
    return Views.of(world.pair(index), CONFIG.flow_width)


def around(box: np.ndarray, share: float) -> np.ndarray:
    """Return boxes (N, 4) grown by a share of their size on every side."""
    margin = share * (box[:, 2:] - box[:, :2])
    return np.concatenate([box[:, :2] - margin, box[:, 2:] + margin], axis=1)


@pytest.mark.parametrize('pan', [0.0, 90.0])
def test_a_slow_object_is_told_from_its_background_over_a_base(make_world, make_path,
                                                               pan) -> None:
    """Half a view pixel per frame is lost in one step and plain over five of them."""
    world = make_world([make_path(300, 200, 33, 0, 40, 80)], pan=pan)
    first, before, after = (views(world, index) for index in (0, 4, 5))
    camera = np.array([[1.0, 0.0, -pan / 30], [0.0, 1.0, 0.0]])
    to_before = np.array([[1.0, 0.0, -4 * pan / 30], [0.0, 1.0, 0.0]])
    loose = around(world.boxes(0), 0.4), around(world.boxes(4), 0.4)
    over_base = measure_motion(Span(first, before, after, to_before, 0.2), *loose, UNKNOWN, CONFIG)
    one_step = measure_motion(Span(before, before, after, STILL, 1.0), loose[1], loose[1], UNKNOWN,
                              CONFIG)
    true = (33 - pan) / 30
    assert over_base.motions[0].shift == pytest.approx((true, 0.0), abs=0.15)
    assert abs(one_step.motions[0].shift[0] - true) > 0.3
    for field in (over_base, one_step):
        assert np.allclose(field.camera, camera, atol=0.15)


def test_a_shake_of_the_last_step_is_in_that_step(make_world, make_path) -> None:
    """Over the base the camera stood still but for its last step."""
    world = make_world([make_path(300, 200, 60, 0)])
    shaken = make_world([make_path(304, 207, 60, 0)])
    shaken._ground = np.roll(world._ground, (7, 4), axis=(0, 1))
    shaken._warm = np.roll(world._warm, (7, 4), axis=(0, 1))
    span = Span(views(world, 0), views(world, 4), views(shaken, 5), STILL, 0.2)
    field = measure_motion(span, world.boxes(0), world.boxes(4), UNKNOWN, CONFIG)
    assert field.camera[:, 2] == pytest.approx((4.0, 7.0), abs=0.2)
    assert field.motions[0].shift == pytest.approx((6.0, 7.0), abs=0.4)


def test_all_boxes_are_measured_at_once_each_by_its_own_motion(make_world, make_path) -> None:
    world = make_world([make_path(100, 200, 60, 0), make_path(300, 220, -90, 30),
                        make_path(500, 180, 0, 0)])
    found = measure_boxes(views(world, 0), views(world, 5), world.boxes(0), np.zeros((0, 4)),
                          Expectation(np.full((3, 2), np.nan), np.full(3, 50.0)), STILL, CONFIG)
    shifts = [motion.shift for motion in found]
    assert np.allclose(shifts, [(10, 0), (-15, 5), (0, 0)], atol=0.5)


def test_points_of_who_stands_before_a_box_are_not_its_own(make_world, make_path) -> None:
    """The nearer one, who reaches further down, covers most of the box and walks the other way."""
    world = make_world([make_path(300, 200, 60, 0, 60, 100), make_path(320, 190, -60, 0, 60, 140)])
    box, hider = world.boxes(0)
    frames = views(world, 0), views(world, 5)
    known = measure_boxes(*frames, box[None], hider[None], UNKNOWN, STILL, CONFIG)[0]
    unknown = measure_boxes(*frames, box[None], np.zeros((0, 4)), UNKNOWN, STILL, CONFIG)[0]
    assert known is None or known.shift[0] == pytest.approx(10, abs=1)
    assert unknown is None or unknown.shift[0] < 5


def test_camera_motions_follow_each_other() -> None:
    turn = np.array([[0.0, -1.0, 3.0], [1.0, 0.0, 0.0]])
    shift = np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 20.0]])
    assert joined(turn, shift) == pytest.approx(np.array([[0, -1, 13], [1, 0, 20]]))
    assert joined(shift, turn) == pytest.approx(np.array([[0, -1, -17], [1, 0, 10]]))
