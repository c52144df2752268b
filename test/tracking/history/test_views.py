"""What of a pair is evidence, and where corners are."""

from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.frames import FramePair, ImageState, PairHealth
from rtrack_ros.tracking.history.corners import CornerMap
from rtrack_ros.tracking.history.views import Views


@pytest.fixture
def pair(make_world, make_path) -> FramePair:
    return make_world([make_path(300, 200, 0, 0)]).pair(0)


def test_an_older_thermal_image_is_not_measured_on(pair: FramePair) -> None:
    views = Views.of(replace(pair, health=PairHealth(thermal=ImageState.HELD)), 320, 640)
    assert views.thermal is None
    assert views.fine[..., 0].any() and not views.fine[..., 1].any()


def test_a_repeated_rgb_image_is_not_measured_on(pair: FramePair) -> None:
    views = Views.of(replace(pair, health=PairHealth(rgb=ImageState.HELD)), 320, 640)
    assert not views.rgb_fresh and views.thermal is not None
    assert not views.fine[..., 0].any() and views.fine[..., 1].any()


def test_the_edge_of_what_has_no_value_is_no_corner() -> None:
    image = np.zeros((240, 320), np.uint8)
    image[60:180, 80:240] = 200                    # a registered image, black around
    image[110:130, 150:170] = 90                   # what it shows
    valid = np.zeros((240, 320), bool)
    valid[60:180, 80:240] = True
    points = CornerMap(image, valid).points
    assert len(points) >= 4
    assert (np.abs(points - (159.5, 119.5)) < 14).all()
    assert not (np.abs(CornerMap(image).points - (159.5, 119.5)) < 14).all(), 'without a mask'


def test_thermal_images_too_close_together_say_nothing_about_motion() -> None:
    def at(rgb_ms: int, thermal_ms: int) -> Views:
        grey = np.zeros((6, 8), np.uint8)
        return Views(np.zeros((6, 8, 3), np.uint8), grey, grey, (1.0, 1.0),
                     np.zeros((6, 8, 2), np.uint8), True, (rgb_ms * 10**6, thermal_ms * 10**6))
    assert at(33, 40).thermal_pace(at(0, 7)) == 1.0
    assert at(33, 20).thermal_pace(at(0, 0)) == pytest.approx(33 / 20)
    assert at(33, 10).thermal_pace(at(0, 0)) == at(33, 0).thermal_pace(at(0, 0)) == 0.0


@pytest.mark.parametrize(('light', 'fresh', 'thermal', 'lit'), [
    (100, True, False, True), (100, False, False, False), (2, True, False, False),
    (2, True, True, True), (2, False, True, True)])
def test_what_no_image_can_show_is_not_lit(pair: FramePair, light: int, fresh: bool,
                                           thermal: bool, lit: bool) -> None:
    state = ImageState.FRESH if fresh else ImageState.FROZEN
    views = Views.of(replace(pair, rgb=np.full_like(pair.rgb, light), health=PairHealth(rgb=state),
                             thermal=pair.thermal if thermal else None), 320, 640)
    assert views.lit(np.array([100.0, 100, 160, 200])) is lit
