"""The offset of two cameras' stamps, measured in what moves for both."""

import numpy as np
import pytest

from rtrack_ros.intake.stamp_offset import StampOffset, StampOffsetMeter

MS = 1_000_000


def walker(x: float, speed: float, begin: float):
    """A path that stands still, then walks."""
    return lambda t: (x + speed * max(t - begin, 0), 150, x + speed * max(t - begin, 0) + 50, 260)


PATHS = [walker(60, 120, 0.7), walker(520, -90, 1.6), walker(250, 60, 2.9)]


def measured(world, offset_ms: float, every: int = 1, frames: int = 150) -> StampOffset | None:
    meter, rng = StampOffsetMeter(), np.random.default_rng(0)

    def grainy(image: np.ndarray) -> np.ndarray:
        return np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)

    for index in range(frames):
        pair = world.pair(index)
        meter.add_rgb(pair.stamp_ns, grainy(pair.rgb))
        if index % every == 0:
            meter.add_thermal(pair.stamp_ns + round(offset_ms * MS), grainy(pair.thermal))
    return meter.measure()


@pytest.mark.parametrize(('offset_ms', 'every'), [(0, 1), (120, 1), (-80, 3)])
def test_walkers_tell_the_offset_to_the_slop_of_a_pair(make_world, offset_ms: float,
                                                       every: int) -> None:
    found = measured(make_world(PATHS), offset_ms, every)
    assert found is not None and found.offset_ms == pytest.approx(offset_ms, abs=20)
    assert found.agreement > 0.4


def test_where_nothing_moves_there_is_no_offset(make_world, make_path) -> None:
    assert measured(make_world([make_path(200, 200, 0, 0)]), 120) is None


def test_a_short_look_tells_nothing(make_world) -> None:
    assert measured(make_world(PATHS), 120, frames=60) is None


def test_two_cameras_that_see_other_things_tell_nothing(make_world) -> None:
    meter, one, other = StampOffsetMeter(), make_world(PATHS), make_world(
        [walker(500, 40, 2.2), walker(50, 30, 0.2)])
    for index in range(150):
        meter.add_rgb(one.stamp(index), one.pair(index).rgb)
        meter.add_thermal(one.stamp(index), np.ascontiguousarray(other.pair(index).thermal[::-1]))
    assert meter.measure() is None
