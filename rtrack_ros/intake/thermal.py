"""Raw thermal counts become 8 bits, and the thermal image comes onto the RGB grid."""

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8


class ThermalNormaliser:
    """Turns raw thermal counts into 8 bits by percentiles that follow the scene slowly.

    Raw counts of different cameras mean different things, and are never taken for kelvin. A
    percentile stretch per frame would flicker with every warm body that enters; the limits are
    therefore smoothed over ``time_constant_s``.

    Args:
        low: Lower percentile, in [0, 100).
        high: Upper percentile; raising it darkens the picture.
        time_constant_s: Seconds for the limits to follow a change; larger flickers less.
        limits: Fixed (low, high) raw counts; set them for comparable evaluation.
    """

    def __init__(self, low: float = 1.0, high: float = 99.7, time_constant_s: float = 1.0,
                 limits: tuple[float, float] | None = None) -> None:
        self._percentiles = (low, high)
        self._time_constant_s = time_constant_s
        self._fixed = limits
        self._limits: NDArray[np.float64] | None = None
        self._stamp_ns = 0

    def __call__(self, raw: NDArray[np.generic], stamp_ns: int) -> Image8:
        """Return the uint8 image, shape as ``raw`` (h, w); 8-bit input passes unchanged."""
        if raw.dtype == np.uint8:
            return raw.astype(np.uint8, copy=False)
        values = raw.astype(np.float32)
        if raw.dtype.kind == 'f':
            values = np.nan_to_num(values)
        low, high = self._fixed or self._follow(values, stamp_ns)
        scaled = (values - low) * (255.0 / max(high - low, 1e-6))
        return np.clip(scaled, 0, 255).astype(np.uint8)

    def _follow(self, values: NDArray[np.float32], stamp_ns: int) -> tuple[float, float]:
        now = np.asarray(np.percentile(values[::4, ::4], self._percentiles), np.float64)
        dt = (stamp_ns - self._stamp_ns) * 1e-9
        limits = now
        if self._limits is not None and dt >= 0:
            share = 1.0 - np.exp(-dt / max(self._time_constant_s, 1e-6))
            limits = self._limits + share * (now - self._limits)
        self._limits, self._stamp_ns = limits, stamp_ns
        return float(limits[0]), float(limits[1])


def register_thermal(thermal: Image8, width: int, height: int,
                     homography: NDArray[np.float64] | None = None) -> Image8:
    """Return the thermal image on the RGB grid, shape (height, width).

    Args:
        thermal: uint8, shape (h, w).
        width: RGB width in pixels.
        height: RGB height in pixels.
        homography: 3x3, thermal pixels to RGB pixels; None assumes equal fields of view.
    """
    if homography is None:
        if thermal.shape == (height, width):
            return thermal
        resized = cv2.resize(thermal, (width, height), interpolation=cv2.INTER_LINEAR)
        return resized.astype(np.uint8)
    return cv2.warpPerspective(thermal, homography, (width, height)).astype(np.uint8)
