"""Windows around a box: within the image, in the model's shape, and with the box in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.frames import FramePair
from rtrack_ros.language.closeup import (
    MIN_SIDE,
    SEARCH_FACTOR,
    close_up,
    window_around,
    within,
)

IMAGE, MODEL = (640, 480), (256, 192)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x, y = draw(st.floats(-200, 800)), draw(st.floats(-200, 700))
    return x, y, x + draw(st.floats(0.1, 700)), y + draw(st.floats(0.1, 500))


@given(boxes(), st.floats(1, 8), st.sampled_from([(256, 192), (320, 256), (448, 448), (96, 192)]))
def test_a_window_lies_in_the_image_and_has_the_shape_of_the_model(box, factor, model) -> None:
    x1, y1, x2, y2 = window_around(box, factor, IMAGE, model)
    assert 0 <= x1 < x2 <= IMAGE[0] and 0 <= y1 < y2 <= IMAGE[1]
    assert (x2 - x1) == pytest.approx((y2 - y1) * model[0] / model[1], abs=2)


def test_a_window_has_the_square_of_the_factor_times_the_area_of_the_box() -> None:
    x1, y1, x2, y2 = window_around((300, 200, 330, 270), SEARCH_FACTOR, IMAGE, MODEL)
    assert (x2 - x1) * (y2 - y1) == pytest.approx(16 * 30 * 70, rel=0.02)
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((315, 235), abs=1)


@given(st.floats(0, 600), st.floats(0, 440))
def test_a_box_in_the_image_is_in_its_window(x: float, y: float) -> None:
    box = (x, y, x + 20, y + 40)
    x1, y1, x2, y2 = window_around(box, SEARCH_FACTOR, IMAGE, MODEL)
    assert x1 <= box[0] + 1 and box[2] - 1 <= x2 and y1 <= box[1] + 1 and box[3] - 1 <= y2


def test_a_speck_gets_a_window_that_shows_something() -> None:
    x1, y1, x2, y2 = window_around((100, 100, 101, 101), 2.5, IMAGE, MODEL)
    assert (x2 - x1) * (y2 - y1) == pytest.approx(MIN_SIDE ** 2, rel=0.1)


def test_a_box_as_large_as_the_image_has_the_image_as_window() -> None:
    assert window_around((0, 0, 640, 480), SEARCH_FACTOR, IMAGE, MODEL) == (0, 0, 640, 480)


def test_a_close_up_shows_the_pixels_about_the_box_in_both_spectra() -> None:
    rgb = np.arange(480 * 640 * 3).reshape(480, 640, 3).astype(np.uint8)
    pair = FramePair(1, rgb, rgb[:, :, 0])
    box = (300.0, 200.0, 330.0, 270.0)
    seen = close_up(pair, box, SEARCH_FACTOR, MODEL)
    x1, y1, x2, y2 = window_around(box, SEARCH_FACTOR, IMAGE, MODEL)
    assert seen.region == (x1, y1, x2, y2)
    assert np.array_equal(seen.rgb, rgb[y1:y2, x1:x2])
    assert seen.thermal is not None and np.array_equal(seen.thermal, rgb[y1:y2, x1:x2, 0])
    with pytest.raises(ValueError, match='crop already'):
        close_up(seen, box, SEARCH_FACTOR, MODEL)


def test_a_box_within_a_region_is_moved_and_cut() -> None:
    region = (100, 50, 200, 150)
    assert within((120, 60, 150, 90), region) == (20, 10, 50, 40)
    assert within((80, 60, 150, 400), region) == (0, 10, 50, 100)
    x1, y1, x2, y2 = within((0, 0, 10, 10), region)
    assert x1 == x2 == y1 == y2 == 0
