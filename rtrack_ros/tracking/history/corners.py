"""Corners: where flow points are put, found once a frame for all boxes.

Points lie on corners in the sense of Shi and Tomasi (1994), at most one per block of 4x4 pixels.
The compiled core finds and chooses them in a fifth of the time, see ``compiled_corners``; what is
here says how, and serves where the core is missing.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.frames import Image8, Mask

Points = NDArray[np.float32]

Indices = NDArray[np.intp]

BLOCK: Final = 2
"""Side of a block of the coarse image, of whose four values the largest counts."""
COARSE: Final = 2
"""Corners are found on an image this many times smaller: flow refines their places anyway."""
MIN_CORNER: Final = 5e-5
"""Smaller eigenvalue of the gradient covariance, in the units of cornerMinEigenVal on uint8
images: below it a corner is sensor noise."""
# Width of the surroundings, in pixels, that must have values for a corner.
_RIM_PX = 9
CELLS: Final = (8, 6)
"""Cells across and down that an image is divided into for points of the background."""


class CornerMap:
    """The strongest corner of every 4x4 block of an image, computed once for all boxes.

    Args:
        image: uint8 (h, w).
        valid: bool (h, w), where the image has a value; None for everywhere. The edge of what has
            none moves with the camera and is no corner.

    Attributes:
        points: (K, 2) x, y in pixels, strongest first.
    """

    def __init__(self, image: Image8, valid: Mask | None = None) -> None:
        coarse, valid = coarse_of(image, valid)
        width = image.shape[1] // COARSE
        response = cv2.cornerMinEigenVal(coarse, 3, ksize=3)
        if valid is not None:
            response = response * valid
        strength, place = _strongest(response)
        block = np.flatnonzero(strength > MIN_CORNER)
        block = block[_falling(strength[block])]
        columns = max(width // BLOCK, 1)
        x = block % columns * BLOCK + place[block] % BLOCK
        y = block // columns * BLOCK + place[block] // BLOCK
        points = (np.stack([x, y], axis=1) + 0.5) * COARSE - 0.5
        self.points: Points = points.astype(np.float32)
        cell = points * CELLS / (image.shape[1], image.shape[0])
        column, row = cell.astype(np.intp).T
        self._cell = row * CELLS[0] + column

    def in_boxes(self, boxes: BoxArray, limit: int, hiders: BoxArray,
                 before: NDArray[np.bool_]) -> tuple[Indices, Points]:
        """Return which corners serve which box, the ``limit`` best of each.

        Args:
            boxes: (N, 4) x1, y1, x2, y2 in pixels.
            limit: Most corners per box.
            hiders: (K, 4) boxes of objects that may hide others.
            before: (N, K) whether a hider stands before a box; its corners are not the box's.

        Returns:
            Box (M,) and corner (M, 2) of every choice, sorted by box.
        """
        inside = self._inside(boxes)
        hidden = np.flatnonzero(before.any(axis=1))
        covered = self._inside(hiders if len(hidden) else hiders[:0])
        for box in hidden:
            inside[box] &= ~covered[before[box]].any(axis=0)
        chosen = [np.flatnonzero(row)[:limit] for row in inside]
        owner = np.repeat(np.arange(len(boxes)), [len(corners) for corners in chosen])
        return owner, self.points[np.concatenate([np.zeros(0, np.intp), *chosen])]

    def outside(self, boxes: BoxArray) -> Points:
        """Return the best corner outside all ``boxes`` (N, 4) of each of 8 x 6 cells, (M, 2)."""
        weakest_first = np.flatnonzero(~self._inside(boxes).any(axis=0))[::-1]
        best = np.full(CELLS[0] * CELLS[1], -1, dtype=np.intp)
        best[self._cell[weakest_first]] = weakest_first  # The last one written stays.
        return self.points[best[best >= 0]]

    def _inside(self, boxes: BoxArray) -> NDArray[np.bool_]:
        x, y = self.points.T
        x1, y1, x2, y2 = boxes.astype(np.float32).T[:, :, None]
        return (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)


def coarse_of(image: Image8, valid: Mask | None) -> tuple[Image8, Mask | None]:
    """Return the image on which corners are found, and where their neighbourhood has values."""
    size = max(image.shape[1] // COARSE, 1), max(image.shape[0] // COARSE, 1)
    coarse = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    if valid is None:
        return coarse, None
    known = cv2.erode(valid.astype(np.uint8), np.ones((_RIM_PX, _RIM_PX), np.uint8),
                      borderValue=1)
    return coarse, cv2.resize(known, size, interpolation=cv2.INTER_NEAREST) > 0


def _strongest(response: NDArray[np.float32]) -> tuple[NDArray[np.float32], Indices]:
    """Return the largest value of every 2x2 block and its place there, 0 to 3, row by row."""
    rows, columns = (length // BLOCK * BLOCK for length in response.shape)
    one, two = response[0:rows:2, 0:columns:2], response[0:rows:2, 1:columns:2]
    three, four = response[1:rows:2, 0:columns:2], response[1:rows:2, 1:columns:2]
    upper, lower = np.maximum(one, two), np.maximum(three, four)
    place = np.where(lower > upper, 2 + (four > three), two > one)
    return np.maximum(upper, lower).ravel(), place.ravel().astype(np.intp, copy=False)


def _falling(values: NDArray[np.float32]) -> Indices:
    """Return the order of positive values from the largest on, the first of equal ones first."""
    # The bits of positive floats sort like the floats. With its index in the low bits every key
    # is unique, and keys are sorted several times as fast as indices by values.
    bits = np.uint64(0xFFFFFFFF) - values.view(np.uint32)
    keys = np.sort(bits << np.uint64(32) | np.arange(len(values), dtype=np.uint64))
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.intp)
