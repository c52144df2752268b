"""Sparse optical flow of one spectrum: where to put points, and where they went.

Points lie on corners in the sense of Shi and Tomasi (1994), at most one per block of 4x4 pixels;
they are followed by pyramidal Lucas-Kanade and kept when following them back ends where they
began (Kalal et al., 2010).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.frames import Image8

Points = NDArray[np.float32]

_BLOCK = 4
# Smaller eigenvalue of the gradient covariance, in the units of cornerMinEigenVal on uint8
# images: below it a corner is sensor noise.
_LEAST_CORNER = 2e-4
_WINDOW = (13, 13)
_LEVELS = 3
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.03)


class CornerMap:
    """The strongest corner of every 4x4 block of an image, computed once for all boxes."""

    def __init__(self, image: Image8) -> None:
        response = cv2.cornerMinEigenVal(image, 3, ksize=3)
        rows, columns = image.shape[0] // _BLOCK, image.shape[1] // _BLOCK
        blocks = response[:rows * _BLOCK, :columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
        flat = blocks.transpose(0, 2, 1, 3).reshape(rows, columns, _BLOCK * _BLOCK)
        place = flat.argmax(axis=2)
        self._strength = np.take_along_axis(flat, place[:, :, None], axis=2)[:, :, 0]
        self._x = (np.arange(columns)[None, :] * _BLOCK + place % _BLOCK).astype(np.float32)
        self._y = (np.arange(rows)[:, None] * _BLOCK + place // _BLOCK).astype(np.float32)

    def in_box(self, box: NDArray[np.float64], limit: int, hidden: BoxArray) -> Points:
        """Return up to ``limit`` corners in ``box`` (x1, y1, x2, y2), shape (N, 2), best first.

        Corners inside one of the boxes ``hidden`` (K, 4) belong to what stands before it.
        """
        rows, columns = self._strength.shape
        left, top = np.clip(np.floor(box[:2] / _BLOCK), 0, (columns, rows)).astype(int)
        right, bottom = np.clip(np.ceil(box[2:] / _BLOCK), 0, (columns, rows)).astype(int)
        strength = self._strength[top:bottom, left:right].ravel()
        x = self._x[top:bottom, left:right].ravel()
        y = self._y[top:bottom, left:right].ravel()
        inside = (strength > _LEAST_CORNER) & (x >= box[0]) & (x <= box[2]) & (y >= box[1]) \
            & (y <= box[3])
        for x1, y1, x2, y2 in hidden:
            inside &= (x < x1) | (x > x2) | (y < y1) | (y > y2)
        chosen = np.flatnonzero(inside)
        if len(chosen) > limit:
            chosen = chosen[np.argsort(-strength[chosen], kind='stable')[:limit]]
        return np.stack([x[chosen], y[chosen]], axis=1)

    def outside(self, boxes: BoxArray, cells: tuple[int, int] = (8, 6)) -> Points:
        """Return the best corner outside all ``boxes`` of each of ``cells`` (columns, rows)."""
        strength = self._strength.copy()
        rows, columns = strength.shape
        for x1, y1, x2, y2 in boxes / _BLOCK:
            strength[max(0, int(y1)):max(0, int(y2) + 1), max(0, int(x1)):max(0, int(x2) + 1)] = 0
        high, wide = max(1, rows // cells[1]), max(1, columns // cells[0])
        found = []
        for top in range(0, rows - high + 1, high):
            for left in range(0, columns - wide + 1, wide):
                best = int(strength[top:top + high, left:left + wide].argmax())
                row, column = top + best // wide, left + best % wide
                if strength[row, column] > _LEAST_CORNER:
                    found.append((self._x[row, column], self._y[row, column]))
        return np.array(found, dtype=np.float32).reshape(-1, 2)


@dataclass(frozen=True)
class Flow:
    """Where points went.

    Attributes:
        start: (N, 2) pixels in the first image.
        end: (N, 2) pixels in the second image.
        valid: (N,) whether the point came back to where it began.
    """

    start: Points
    end: Points
    valid: NDArray[np.bool_]


def follow(first: Image8, second: Image8, points: Points, forward_backward_px: float) -> Flow:
    """Follow ``points`` (N, 2) from one image to another of the same shape, forth and back."""
    if len(points) == 0:
        return Flow(points, points, np.zeros(0, dtype=bool))
    start = points.reshape(-1, 1, 2)
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, start, None, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_CRITERIA)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        second, first, end, None, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_CRITERIA)
    miss = np.linalg.norm((start - back)[:, 0], axis=1)
    height, width = second.shape
    ends = end[:, 0].astype(np.float32)
    inside = (ends >= 0).all(axis=1) & (ends < (width, height)).all(axis=1)
    valid = (found[:, 0] == 1) & (returned[:, 0] == 1) & (miss < forward_backward_px) & inside
    return Flow(points, ends, valid)
