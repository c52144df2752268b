"""Box arithmetic: overlap, clipping and conversions.

A box array is ``(N, 4)`` float64, ``x1, y1, x2, y2`` in pixels of the original RGB image, x to the
right and y down, corners continuous (a box covering the whole image is ``0, 0, width, height``).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BoxArray = NDArray[np.float64]
_MIN_PX = 0.01


def as_boxes(boxes: ArrayLike | Sequence[Sequence[float]]) -> BoxArray:
    """Return ``boxes`` as a float64 array of shape (N, 4); an empty input gives (0, 4).

    Raises:
        ValueError: the last axis does not hold four numbers.
    """
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 4))
    if array.shape[-1] != 4:
        raise ValueError(f'a box needs four numbers x1, y1, x2, y2; got shape {array.shape}')
    return array.reshape(-1, 4)


def area(boxes: ArrayLike) -> NDArray[np.float64]:
    """Return the area in square pixels of each box; inverted boxes have area 0. Shape (N,)."""
    array = as_boxes(boxes)
    return np.prod(np.maximum(array[:, 2:] - array[:, :2], 0.0), axis=1)


def _intersection(first: BoxArray, second: BoxArray) -> NDArray[np.float64]:
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.prod(np.maximum(bottom_right - top_left, 0.0), axis=2)


def iou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return intersection over union of every pair, shape (N, M), 0 where both areas are 0."""
    a, b = as_boxes(first), as_boxes(second)
    shared = _intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - shared
    return np.where(union > 0, shared / np.maximum(union, 1e-12), 0.0)


def has_area(box: Sequence[float] | NDArray[np.float64]) -> bool:
    """Return whether both sides of a box (4,) are at least a hundredth of a pixel long.

    A row of a file and a score need that much of a box.
    """
    return bool(box[2] - box[0] >= _MIN_PX and box[3] - box[1] >= _MIN_PX)


def cover(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return by how much every pair overlaps, as a share of the smaller box, shape (N, M)."""
    a, b = as_boxes(first), as_boxes(second)
    smaller = np.minimum(area(a)[:, None], area(b)[None, :])
    return np.asarray(_intersection(a, b) / np.maximum(smaller, 1e-12))


def giou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return generalised IoU of every pair, shape (N, M), in [-1, 1] (Rezatofighi et al., 2019).

    Two boxes of area zero at one point have no hull; their value is -1, never a division by zero.
    """
    a, b = as_boxes(first), as_boxes(second)
    shared = _intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - shared
    span = np.maximum(a[:, None, 2:], b[None, :, 2:]) - np.minimum(a[:, None, :2], b[None, :, :2])
    hull = np.prod(np.maximum(span, 0.0), axis=2)
    overlap = np.where(union > 0, shared / np.maximum(union, 1e-12), 0.0)
    return np.where(hull > 0, overlap - (hull - union) / np.maximum(hull, 1e-12), -1.0)


def clip(boxes: ArrayLike, width: int, height: int) -> BoxArray:
    """Return the boxes cut to an image of ``width`` x ``height`` pixels; some may become empty."""
    return clip_to(boxes, (0, 0, width, height))


def clip_to(boxes: ArrayLike, region: Sequence[float]) -> BoxArray:
    """Return the boxes cut to a region x1, y1, x2, y2 of the same units; some may become empty."""
    corners = np.asarray(region, dtype=np.float64)
    return np.clip(as_boxes(boxes), np.tile(corners[:2], 2), np.tile(corners[2:], 2))


def share_inside(boxes: ArrayLike, region: Sequence[float]) -> NDArray[np.float64]:
    """Return the share of the area of each box that lies in a region of the same units, (N,)."""
    return np.asarray(area(clip_to(boxes, region)) / np.maximum(area(boxes), 1e-6))


def xyxy_from_xywh(boxes: ArrayLike) -> BoxArray:
    """Return corner boxes of ``left, top, width, height`` rows."""
    array = as_boxes(boxes)
    return np.concatenate([array[:, :2], array[:, :2] + array[:, 2:]], axis=1)
