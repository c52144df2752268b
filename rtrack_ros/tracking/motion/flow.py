"""Sparse optical flow of one spectrum: where points went.

Points are followed by pyramidal Lucas-Kanade and kept when following them back ends where they
began (Kalal et al., 2010). The way back is searched from there, on the full image alone: a point
that went wrong does not find back, and a right one needs no coarser level. One of our own in C++
took a third of OpenCV's time, and followed people worse in dark RGB images: docs/tracking.md.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8
from rtrack_ros.tracking.history.corners import Points

_WINDOW, _LEVELS = (7, 7), 4
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.03)


@dataclass(frozen=True)
class Flow:
    """Where points went.

    Attributes:
        start: (N, 2) pixels in the first image.
        end: (N, 2) pixels in the second image.
        valid: (N,) whether the point was found and, if it was followed back, came back.
    """

    start: Points
    end: Points
    valid: NDArray[np.bool_]

    def at(self, pace: float) -> 'Flow':
        """Return the flow with every way ``pace`` times as long."""
        if pace == 1.0:
            return self
        end = self.start + np.float32(pace) * (self.end - self.start)
        return Flow(self.start, end, self.valid)


def follow(first: Image8, second: Image8, points: Points, forward_backward_px: float,
           checked: int | None = None) -> Flow:
    """Follow ``points`` (N, 2) from one image to another of the same shape.

    Args:
        first: uint8 (h, w) where the points are.
        second: uint8 (h, w) where they are looked for.
        points: x, y in pixels.
        forward_backward_px: Largest distance by which a point may miss itself when it is followed
            back.
        checked: How many of the points, from the first, are followed back; None means all. Leave
            out those whose outliers are sorted out in another way.
    """
    if len(points) == 0:
        return Flow(points, points, np.zeros(0, dtype=bool))
    start = np.ascontiguousarray(points, np.float32)
    checked = len(points) if checked is None else checked
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, start[:, None], None, winSize=_WINDOW, maxLevel=_LEVELS - 1,
        criteria=_CRITERIA)
    height, width = second.shape
    end = end[:, 0].astype(np.float32, copy=False)
    inside = (end >= 0).all(axis=1) & (end < (width, height)).all(axis=1)
    valid = (found[:, 0] == 1) & inside
    if checked:
        back, returned, _ = cv2.calcOpticalFlowPyrLK(
            second, first, end[:checked, None], start[:checked, None].copy(),
            winSize=_WINDOW, maxLevel=0, criteria=_CRITERIA, flags=cv2.OPTFLOW_USE_INITIAL_FLOW)
        miss = np.linalg.norm(start[:checked] - back[:, 0], axis=1)
        valid[:checked] &= (returned[:, 0] == 1) & (miss < forward_backward_px)
    return Flow(points, end, valid)
