"""Raw thermal counts become 8 bits, and the thermal image comes onto the RGB grid."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8, Mask
from rtrack_ros.intake.validity import pixels_with_value

# Quantiles in percent that show where the bulk of a scene lies: a warm body hardly moves them.
_BULK = (25.0, 50.0, 75.0)
# The level stepped if the bulk moves by this many of its own widths between two images, or its
# width changes by this factor: a gain or offset step, not something that enters the scene.
_STEP, _GAIN = 1.0, 1.5
# Limits carried over a step are believed while they miss by less than this share of the range.
_MISS = 0.5


class ThermalNormaliser:
    """Turns raw thermal counts into 8 bits by percentiles that follow the scene slowly.

    Raw counts of different cameras mean different things, and are never taken for kelvin. A
    percentile stretch per frame would flicker with every warm body that enters; the limits are
    therefore smoothed over ``time_constant_s``. When the camera changes its gain or its offset,
    the limits go along at once, so that the picture stays as it was. Only pixels with a value
    count.

    Args:
        low: Lower percentile, in [0, 100).
        high: Upper percentile; raising it darkens the picture.
        time_constant_s: Seconds for the limits to follow a change; larger flickers less.
        limits: Fixed (low, high) raw counts; set them for comparable evaluation.
    """

    def __init__(self, low: float = 1.0, high: float = 99.7, time_constant_s: float = 1.0,
                 limits: tuple[float, float] | None = None) -> None:
        self._percentiles = (low, *_BULK, high)
        self._time_constant_s = time_constant_s
        self._fixed = limits
        self._limits: NDArray[np.float64] | None = None
        self._bulk = np.zeros(3)
        self._stamp_ns = 0
        self.steps = 0
        """Steps of gain or offset so far."""

    def __call__(self, raw: NDArray[Any], stamp_ns: int, valid: Mask | None = None,
                 judged: bool = False) -> Image8:
        """Return the uint8 image, shape as ``raw`` (h, w); 8-bit input passes unchanged.

        Args:
            raw: Counts, shape (h, w).
            stamp_ns: When they were taken.
            valid: Shape (h, w), which pixels have a value; None for all that are finite. Pixels
                that are no number come out black.
            judged: Whether ``valid`` says it all; otherwise None lets the counts be looked at.
        """
        if raw.dtype == np.uint8:
            return raw.astype(np.uint8, copy=False)
        if valid is None and not judged:
            valid = pixels_with_value(raw)
        values = raw.astype(np.float32)
        if raw.dtype.kind == 'f':
            finite = np.isfinite(values)
            valid = finite if valid is None else valid & finite
        low, high = self._fixed or self._follow(values, stamp_ns, valid)
        scaled = (values - low) * (255.0 / max(high - low, 1e-6))
        if raw.dtype.kind == 'f':
            scaled = np.nan_to_num(scaled, nan=0.0)
        return np.clip(scaled, 0, 255).astype(np.uint8)

    def _follow(self, values: NDArray[np.float32], stamp_ns: int,
                valid: Mask | None) -> tuple[float, float]:
        known = values[::4, ::4] if valid is None else values[::4, ::4][valid[::4, ::4]]
        if not known.size:
            if self._limits is None:
                return 0.0, 1.0
            return float(self._limits[0]), float(self._limits[1])
        found = np.asarray(np.percentile(known, self._percentiles), np.float64)
        now, bulk = found[[0, -1]], found[1:-1]
        dt = (stamp_ns - self._stamp_ns) * 1e-9
        limits = now
        if self._limits is not None and dt >= 0:
            limits = self._carried(now, bulk)
            share = 1.0 - np.exp(-dt / max(self._time_constant_s, 1e-6))
            limits = limits + share * (now - limits)
        self._limits, self._bulk, self._stamp_ns = limits, bulk, stamp_ns
        return float(limits[0]), float(limits[1])

    def _carried(self, now: NDArray[np.float64], bulk: NDArray[np.float64]
                 ) -> NDArray[np.float64]:
        """Return the limits so far, moved with a step of gain or offset if there was one."""
        assert self._limits is not None
        width, before = max(bulk[2] - bulk[0], 1e-6), max(self._bulk[2] - self._bulk[0], 1e-6)
        moved = abs(bulk[1] - self._bulk[1]) / min(max(width, before), np.ptp(now) + 1e-6)
        if moved < _STEP and 1 / _GAIN < width / before < _GAIN:
            return self._limits
        self.steps += 1
        carried = bulk[1] + (self._limits - self._bulk[1]) * (width / before)
        misses = np.abs(carried - now).max() > _MISS * max(np.ptp(now), 1e-6)
        return now if misses else carried


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
        return np.asarray(resized, np.uint8)
    return np.asarray(cv2.warpPerspective(thermal, homography, (width, height)), np.uint8)


def register_valid(valid: Mask | None, shape: tuple[int, int], width: int, height: int,
                   homography: NDArray[np.float64] | None = None) -> Mask | None:
    """Return where on the RGB grid a registered thermal image has a value; None for everywhere.

    Args:
        valid: Shape (h, w), which thermal pixels have a value; None for all of them.
        shape: (h, w) of the thermal image.
        width: RGB width in pixels.
        height: RGB height in pixels.
        homography: 3x3, thermal pixels to RGB pixels; None assumes equal fields of view.
    """
    if valid is None and homography is None:
        return None
    known = np.ones(shape, np.uint8) if valid is None else valid.astype(np.uint8)
    if homography is None:
        known = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    else:
        known = cv2.warpPerspective(known, homography, (width, height), flags=cv2.INTER_NEAREST)
    return np.asarray(known > 0)
