"""Corners lie where a picture has some, and the compiled core chooses the same as NumPy."""

from collections.abc import Callable

import numpy as np
import pytest

from rtrack_ros.tracking.compiled import CORE, LIBRARY
from rtrack_ros.tracking.history.compiled_corners import CompiledCornerMap
from rtrack_ros.tracking.history.corners import CornerMap

built = pytest.mark.skipif(CORE is None, reason=f'{LIBRARY} is not built: make setup')
WAYS = [pytest.param(lambda *images: CompiledCornerMap(CORE, *images), id='compiled', marks=built),
        pytest.param(CornerMap, id='NumPy')]
EVERYWHERE = np.array([(-10.0, -10, 1000, 1000)])
NOWHERE = np.zeros((0, 4))


def texture(width: int, height: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 255, (height // 6 + 1, width // 6 + 1))
    return np.kron(blocks, np.ones((6, 6)))[:height, :width].astype(np.uint8)


def all_of(corners) -> np.ndarray:
    return corners.in_boxes(EVERYWHERE, 100_000, NOWHERE, np.zeros((1, 0), bool))[1]


@pytest.mark.parametrize('make', WAYS)
def test_corners_of_a_square_lie_at_its_corners(make: Callable) -> None:
    image = np.full((240, 320), 60, np.uint8)
    image[100:140, 60:120] = 200
    found = all_of(make(image))[:4]
    true = {(60, 100), (120, 100), (60, 140), (120, 140)}
    assert all(min(np.hypot(x - a, y - b) for a, b in true) < 5 for x, y in found)
    assert len(all_of(make(np.full((240, 320), 60, np.uint8)))) == 0


@pytest.mark.parametrize('make', WAYS)
def test_a_box_gets_its_own_corners_and_none_of_who_stands_before_it(make: Callable) -> None:
    corners = make(texture(320, 240))
    boxes = np.array([(50.0, 50, 110, 150), (90, 60, 140, 160), (-40, -40, 20, 20),
                      (500, 500, 600, 600)])
    before = np.zeros((4, 4), bool)
    before[0, 1] = True
    owner, points = corners.in_boxes(boxes, 12, boxes, before)
    assert np.bincount(owner, minlength=4).tolist() == [12, 12, 12, 0]
    for box, point in zip(boxes[owner], points, strict=True):
        assert (point >= box[:2]).all()
        assert (point <= box[2:]).all()
    own = points[owner == 0]
    assert not ((own >= boxes[1, :2]) & (own <= boxes[1, 2:])).all(axis=1).any()
    outside = corners.outside(boxes)
    for box in boxes:
        assert not ((outside >= box[:2]) & (outside <= box[2:])).all(axis=1).any()
    assert 30 < len(outside) <= 48


@built
@pytest.mark.parametrize('size', [(320, 240), (160, 90), (41, 37), (9, 300), (5, 4), (1, 1)])
@pytest.mark.parametrize('holes', [False, True])
def test_the_core_chooses_the_same(size: tuple[int, int], holes: bool) -> None:
    image = texture(*size, seed=2)
    image = (image + np.random.default_rng(3).integers(0, 9, image.shape)).clip(0, 255)
    image = image.astype(np.uint8)
    valid = None
    if holes:
        valid = np.ones(image.shape, bool)
        valid[:, size[0] // 3:size[0] // 2] = False
    ours, theirs = CompiledCornerMap(CORE, image, valid), CornerMap(image, valid)
    rng = np.random.default_rng(4)
    low = rng.uniform(-0.2, 0.8, (7, 2)) * size
    boxes = np.concatenate([low, low + rng.uniform(0.05, 0.6, (7, 2)) * size], axis=1)
    before = rng.random((7, 7)) < 0.2
    for limit in (1, 9, 1000):
        (owner, points), (same, expected) = (
            corners.in_boxes(boxes, limit, boxes, before) for corners in (ours, theirs))
        np.testing.assert_array_equal(owner, same)
        assert (points != expected).any(axis=1).sum() <= 0.03 * len(points)
    mine, other = ({tuple(point) for point in corners.outside(boxes)}
                   for corners in (ours, theirs))
    assert len(mine ^ other) <= 0.05 * len(other)
