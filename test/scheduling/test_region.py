"""The region that a model is asked about, enlarged."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrack_ros.scheduling.region import region_of_interest

patiently = settings(max_examples=80, deadline=None,
                     suppress_health_check=[HealthCheck.too_slow])

side = st.integers(64, 2000)
share = st.floats(0.0, 1.0)


@st.composite
def cases(draw):
    """Boxes in an image, and the size of a model's input."""
    width, height = draw(side), draw(side)
    model = draw(st.sampled_from([(256, 192), (320, 256), (64, 64), (96, 512)]))
    corners = draw(st.lists(st.tuples(share, share, share, share), min_size=1, max_size=4))
    boxes = [(min(a, c) * width, min(b, d) * height, max(a, c) * width, max(b, d) * height)
             for a, b, c, d in corners]
    return np.array(boxes), (width, height), model


@patiently
@given(cases())
def test_a_region_shows_all_boxes_enlarged_and_not_squeezed(case) -> None:
    boxes, (width, height), model = case
    region = region_of_interest(boxes, (width, height), model)
    if region is None:
        return
    x1, y1, x2, y2 = region
    assert all(isinstance(edge, int) for edge in region)
    assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
    assert (boxes[:, :2] >= np.array([x1, y1]) - 0.5).all()
    assert (boxes[:, 2:] <= np.array([x2, y2]) + 0.5).all()
    assert x2 - x1 >= model[0] and y2 - y1 >= model[1]
    assert (x2 - x1) / (y2 - y1) == pytest.approx(model[0] / model[1], rel=0.02)
    assert width / (x2 - x1) >= 1.25 and height / (y2 - y1) >= 1.25


def test_a_small_object_is_shown_at_the_camera_s_own_resolution_and_in_the_middle() -> None:
    assert region_of_interest(np.array([[300, 200, 320, 240]]), (640, 480), (256, 192)) == (
        182, 124, 438, 316)


def test_at_the_edge_the_region_moves_inwards_instead_of_shrinking() -> None:
    assert region_of_interest(np.array([[0, 0, 20, 40]]), (640, 480), (256, 192)) == (
        0, 0, 256, 192)


@pytest.mark.parametrize(('boxes', 'image', 'model'), [
    ([], (640, 480), (256, 192)),
    ([[0, 0, 500, 300]], (640, 480), (256, 192)),
    ([[0, 0, 20, 20], [600, 440, 620, 460]], (640, 480), (256, 192)),
    ([[10, 10, 20, 20]], (640, 480), (640, 480))])
def test_no_region_where_it_would_enlarge_little(boxes, image, model) -> None:
    assert region_of_interest(np.array(boxes), image, model) is None
