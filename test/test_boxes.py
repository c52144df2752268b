"""Box arithmetic over arbitrary boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros import boxes

edge = st.floats(-2000, 2000, allow_nan=False, width=32)


@st.composite
def box(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x1, x2 = sorted((draw(edge), draw(edge)))
    y1, y2 = sorted((draw(edge), draw(edge)))
    return x1, y1, x2, y2


some_boxes = st.lists(box(), max_size=6)


@given(some_boxes, some_boxes)
def test_overlaps_are_symmetric_and_bounded(first, second) -> None:
    overlap, general = boxes.iou(first, second), boxes.giou(first, second)
    assert overlap.shape == general.shape == (len(first), len(second))
    assert np.all((overlap >= 0) & (overlap <= 1 + 1e-9))
    assert np.all((general >= -1 - 1e-9) & (general <= overlap + 1e-9))
    np.testing.assert_allclose(overlap, boxes.iou(second, first).T)
    np.testing.assert_allclose(general, boxes.giou(second, first).T)


def test_a_small_box_within_a_large_one_is_covered() -> None:
    assert boxes.cover([(0, 0, 10, 10)], [(2, 2, 4, 4), (9, 0, 19, 10)]).tolist() == [
        [pytest.approx(1), pytest.approx(0.1)]]
    assert boxes.cover([(3, 3, 3, 3)], [(0, 0, 9, 9)])[0, 0] == 0


def test_overlap_of_known_boxes() -> None:
    assert boxes.iou([(0, 0, 10, 10)], [(5, 0, 15, 10)])[0, 0] == pytest.approx(1 / 3)
    assert boxes.giou([(0, 0, 10, 10)], [(20, 0, 30, 10)])[0, 0] == pytest.approx(-1 / 3)
    assert boxes.iou([(3, 3, 3, 3)], [(3, 3, 3, 3)])[0, 0] == 0
    assert boxes.giou([(3, 3, 3, 3)], [(3, 3, 3, 3)])[0, 0] == -1


@given(some_boxes)
def test_conversions_return(some) -> None:
    array = boxes.as_boxes(some)
    rows = np.concatenate([array[:, :2], array[:, 2:] - array[:, :2]], axis=1)
    np.testing.assert_allclose(boxes.xyxy_from_xywh(rows), array, atol=1e-9)


@given(some_boxes)
def test_clipped_boxes_lie_in_the_image(some) -> None:
    cut = boxes.clip(some, 640, 480)
    assert np.all(cut >= 0) and np.all(cut <= np.array([640, 480, 640, 480]))
    assert np.all(boxes.area(cut) <= boxes.area(some) + 1e-6)


def test_the_share_of_a_box_that_a_region_shows() -> None:
    region = (10.0, 0.0, 20.0, 10.0)
    half, whole, outside, empty = (0, 0, 20, 10), (12, 2, 14, 4), (30, 0, 40, 10), (15, 5, 15, 5)
    shares = boxes.share_inside([half, whole, outside, empty], region)
    assert shares.tolist() == [0.5, 1.0, 0.0, 0.0]
    assert boxes.clip_to([half], region).tolist() == [[10, 0, 20, 10]]


def test_shapes_are_checked() -> None:
    assert boxes.as_boxes([]).shape == (0, 4)
    assert boxes.area([(4, 4, 2, 9)])[0] == 0
    with pytest.raises(ValueError, match='four numbers'):
        boxes.as_boxes([(1, 2, 3)])
