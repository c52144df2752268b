"""Sparse optical flow of one spectrum: where points went.

Points are followed by pyramidal Lucas-Kanade and kept when following them back ends where they
began (Kalal et al., 2010). The way back is searched from there, on the full image alone: a point
that went wrong does not find back, and a right one needs no coarser level. The compiled core does
this in a third of OpenCV's time, which serves where the core is missing.
"""

import ctypes
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.tracking.compiled import CORE, Core
from rtrack_ros.tracking.history.corners import Points
from rtrack_ros.tracking.history.pyramid import LEVELS, Pyramid

_WINDOW = (7, 7)
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.03)

_Found = tuple[Points, NDArray[np.bool_]]


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


def follow(first: Pyramid, second: Pyramid, points: Points, forward_backward_px: float,
           checked: int | None = None, core: Core | None = CORE) -> Flow:
    """Follow ``points`` (N, 2) from one image to another of the same shape.

    Args:
        first: Image where the points are.
        second: Image where they are looked for.
        points: x, y in pixels.
        forward_backward_px: Largest distance by which a point may miss itself when it is followed
            back.
        checked: How many of the points, from the first, are followed back; None means all. Leave
            out those whose outliers are sorted out in another way.
        core: The compiled core; None leaves it to OpenCV.
    """
    if len(points) == 0:
        return Flow(points, points, np.zeros(0, dtype=bool))
    start = np.ascontiguousarray(points, np.float32)
    checked = len(points) if checked is None else checked
    end, valid = (_by_opencv(first, second, start, forward_backward_px, checked) if core is None
                  else _by_core(core, first, second, start, forward_backward_px, checked))
    return Flow(points, end, valid)


def _by_core(core: Core, first: Pyramid, second: Pyramid, start: Points, miss_px: float,
             checked: int) -> _Found:
    end, valid = start.copy(), np.empty(len(start), dtype=bool)
    top = np.full(len(start), LEVELS - 1, dtype=np.uint8)
    start_at, end_at, top_at, valid_at = (
        ctypes.c_void_p(array.ctypes.data) for array in (start, end, top, valid))
    core.rtrack_follow(first.for_core, second.for_core, len(start), start_at, end_at, top_at,
                       checked, ctypes.c_float(miss_px), valid_at)
    return end, valid


def _by_opencv(first: Pyramid, second: Pyramid, start: Points, miss_px: float,
               checked: int) -> _Found:
    end, found, _ = cv2.calcOpticalFlowPyrLK(
        first.image, second.image, start[:, None], None, winSize=_WINDOW, maxLevel=LEVELS - 1,
        criteria=_CRITERIA)
    height, width = second.image.shape
    end = end[:, 0].astype(np.float32, copy=False)
    inside = (end >= 0).all(axis=1) & (end < (width, height)).all(axis=1)
    valid = (found[:, 0] == 1) & inside
    if checked:
        back, returned, _ = cv2.calcOpticalFlowPyrLK(
            second.image, first.image, end[:checked, None], start[:checked, None].copy(),
            winSize=_WINDOW, maxLevel=0, criteria=_CRITERIA, flags=cv2.OPTFLOW_USE_INITIAL_FLOW)
        miss = np.linalg.norm(start[:checked] - back[:, 0], axis=1)
        valid[:checked] &= (returned[:, 0] == 1) & (miss < miss_px)
    return end, valid
