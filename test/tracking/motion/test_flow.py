"""Points are followed rightly."""

import numpy as np
import pytest

from rtrack_ros.tracking.compiled import LIBRARY, load_core
from rtrack_ros.tracking.history.corners import CornerMap
from rtrack_ros.tracking.motion.flow import follow


def waves(shift: tuple[float, float] = (0.0, 0.0), size: tuple[int, int] = (320, 240)
          ) -> np.ndarray:
    """A smooth picture of many frequencies, moved by a part of a pixel."""
    x, y = np.meshgrid(np.arange(size[0]) - shift[0], np.arange(size[1]) - shift[1])
    rng = np.random.default_rng(3)
    total = sum(np.sin(fx * x + fy * y + phase) for fx, fy, phase in
                zip(rng.uniform(-0.5, 0.5, 40), rng.uniform(-0.5, 0.5, 40),
                    rng.uniform(0, 6, 40), strict=True))
    return (128 + 14 * total).clip(0, 255).round().astype(np.uint8)


def inner(image: np.ndarray, margin: int = 30) -> np.ndarray:
    points = CornerMap(image).points
    height, width = image.shape
    return points[((points > margin) & (points < (width - margin, height - margin))).all(axis=1)]


@pytest.mark.parametrize('shift', [(0.0, 0.0), (0.4, -0.3), (5.3, 2.2), (-12.0, 9.5)])
def test_points_move_with_their_picture(shift) -> None:
    first, second = waves(), waves(shift)
    points = inner(first)[:200]
    flow = follow(first, second, points, 0.6)
    assert flow.valid.mean() > (0.95 if abs(shift[0]) < 10 else 0.9)
    moved = (flow.end - flow.start)[flow.valid]
    assert np.percentile(np.abs(moved - shift), 95) < 0.1


def test_a_point_without_texture_or_out_of_the_image_is_not_found() -> None:
    blank = np.full((240, 320), 90, np.uint8)
    assert not follow(blank, blank, np.array([(50, 50), (310, 230)], np.float32), 0.6).valid.any()
    first, second = waves(), waves((-20.0, 0.0))
    points = CornerMap(first).points
    left, stays = points[:, 0] < 16, points[:, 0] > 40
    flow = follow(first, second, points, 0.6)
    assert left.sum() > 20
    assert flow.valid[left].mean() < 0.2
    assert flow.valid[stays].mean() > 0.7


def test_a_point_that_is_hidden_does_not_come_back() -> None:
    """Something else stands at its place; only points that are followed back notice it."""
    first, second = waves(), waves((1.0, 0.0))
    other = np.random.default_rng(4).integers(0, 255, (24, 32)).astype(np.uint8)
    second[80:140, 100:160] = np.kron(other, np.ones((4, 4), np.uint8))[:60, :60]
    points = inner(first)
    hidden = ((points > (106, 86)) & (points < (150, 130))).all(axis=1)
    flow = follow(first, second, points, 0.3)
    assert hidden.sum() > 20
    assert flow.valid[hidden].mean() < 0.35
    assert flow.valid[~hidden].mean() > 0.85
    unchecked = follow(first, second, points, 0.3, checked=0)
    assert unchecked.valid[hidden].mean() > flow.valid[hidden].mean() + 0.2


@pytest.mark.parametrize('size', [(1, 1), (3, 40), (40, 3), (9, 9)])
def test_points_at_the_rim_of_a_tiny_image_do_no_harm(size) -> None:
    image = np.random.default_rng(5).integers(0, 255, size).astype(np.uint8)
    points = np.array([(0, 0), (size[1] - 1, size[0] - 1)], np.float32)
    assert follow(image, image, points, 0.6).valid.shape == (2,)


def test_a_library_that_is_missing_or_old_is_left_alone(tmp_path, caplog) -> None:
    assert load_core([str(tmp_path)]) is None
    assert not caplog.records
    (tmp_path / LIBRARY).write_bytes(b'no library')
    assert load_core([str(tmp_path)]) is None
    assert 'build the package again' in caplog.text
