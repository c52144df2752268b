"""What an image is worth: whether it repeats the one before, shows anything, and where.

A new stamp is no new image. While an uncooled thermal camera calibrates itself behind its shutter
(0.5 to 2 s, every few minutes), its driver goes on sending the last image. Dead first images,
pixels without a value and the empty border of a registered image are as common. All of this is
decided here, image by image, for both cameras. What follows from it is decided in ``receiving``,
where both cameras are known.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Mask

Array = NDArray[Any]

# Side of the sample that is looked at first, in pixels: a whole image is read only in doubt.
_SAMPLE: Final = 160
# Rows at the upper and lower edge where some cameras write a frame counter.
_TELEMETRY_ROWS: Final = 4
# Share of pixels that may differ in an image that shows nothing: stuck pixels.
_SPECKS: Final = 5e-4
# Least share of pixels with a value.
_LEAST_VALID: Final = 0.02
# An image is a repetition with other noise if it changes by at most so many counts anywhere, and
# on average by this share of what images of this camera usually change by.
_REPEAT_COUNTS: Final = {'u1': 1.0, 'u2': 2.0}
_REPEAT_SHARE: Final = {'u1': 0.1, 'u2': 0.5}
_REPEAT_OTHER: Final = 0.3
_USUAL_AFTER: Final = 10
# Outliers are pixels without a value if they lie beyond the rest by this share of its spread, and
# this share of them has the same value. Marks other than 0 and the highest count are on a minority
# of the pixels.
_GAP, _SAME, _MOSTLY = 0.5, 0.9, 0.6
# A shutter seen from within: its spread is noise alone, and far below that of the scene.
_NOISE_SPREAD, _SCENE_SPREAD, _SHUT = 6.0, 12.0, 0.1


@dataclass(frozen=True, eq=False)
class Judgement:
    """What one image is worth.

    Attributes:
        repeated: It is the image before once more, or differs from it by less than sensor noise.
        dead: It shows nothing at all.
        valid: Shape (h, w), which pixels have a value; None for all of them.
    """

    repeated: bool = False
    dead: bool = False
    valid: Mask | None = None

    @property
    def invalid_share(self) -> float:
        """Share of the pixels without a value, in [0, 1]."""
        return 0.0 if self.valid is None else 1.0 - float(self.valid.mean())


class ImageJudge:
    """Judges the images of one camera in the order of their arrival.

    Args:
        values: Whether pixels are measurements, of which some may be missing (thermal); False for
            a picture (RGB).
    """

    def __init__(self, values: bool) -> None:
        self._values = values
        self._previous: tuple[Array, Array] | None = None
        self._has_shown = False
        self._changes: deque[float] = deque(maxlen=100)
        self._contrast: deque[float] = deque(maxlen=30)

    def __call__(self, image: Array) -> Judgement:
        """Return what an image (h, w) or (h, w, 3) is worth; it must not be changed later."""
        sample = _sample(image)
        repeated = self._repeats(image, sample)
        self._previous = image, sample
        if _uniform(image, sample):
            return Judgement(repeated, dead=self._is_dead(image))
        self._has_shown = True
        spread = _spread(sample) if self._values else None
        valid = _valid(image, spread) if self._values else None
        if valid is not None and valid.mean() < _LEAST_VALID:
            return Judgement(repeated, True, valid)
        return Judgement(repeated, self._values and self._shut(sample, spread), valid)

    def _is_dead(self, image: Array) -> bool:
        """Whether an even image is of a camera that shows nothing, not of an even scene.

        Raw counts are never even, and would spoil the stretch. Eight bits have been through the
        camera's own stretch: a camera that never showed anything else is believed.
        """
        return self._has_shown or not self._values or image.dtype != np.uint8

    def _repeats(self, image: Array, sample: Array) -> bool:
        before, sampled = self._previous or (None, sample)
        if before is None or before.shape != image.shape or before.dtype != image.dtype:
            self._changes.clear()
            return False
        mean, most = _change(sampled, sample)
        if most == 0.0:
            return _equal(image, before)
        usual = min(self._changes) if len(self._changes) >= _USUAL_AFTER else 0.0
        kind = image.dtype.str[1:]
        if most <= _REPEAT_COUNTS.get(kind, usual) \
                and mean <= _REPEAT_SHARE.get(kind, _REPEAT_OTHER) * usual:
            return True
        self._changes.append(mean)
        return False

    def _shut(self, sample: Array, spread: '_Spread | None') -> bool:
        """Whether the camera now sees its own shutter: noise, where there was a scene."""
        if sample.dtype == np.uint8:
            return False
        values = sample[::2].astype(np.float32)
        finite = np.isfinite(values)
        if finite.sum() < 2:
            return False
        low, high = spread.ends if spread else np.percentile(values[finite], (1, 99))
        with np.errstate(invalid='ignore'):
            step = np.abs(np.diff(values[::4], axis=1))
        step = step[np.isfinite(step)]
        noise = float(np.median(step)) / 0.95 if step.size else 0.0
        contrast = float(high - low)
        usual = float(np.median(self._contrast)) if self._contrast else 0.0
        if contrast < _NOISE_SPREAD * noise and contrast < _SHUT * usual:
            return True
        if contrast > _SCENE_SPREAD * noise:
            self._contrast.append(contrast)
        return False


def pixels_with_value(image: Array) -> Mask | None:
    """Return which pixels of measurements (h, w) have a value; None for all of them."""
    return _valid(image, _spread(_sample(image)))


@dataclass(frozen=True, eq=False)
class _Spread:
    """Some values of an image that are numbers, (N,), and where 1 and 99 % of them lie."""

    values: NDArray[np.float32]
    ends: NDArray[np.floating]


def _spread(sample: Array) -> _Spread | None:
    """Return the spread of measurements; None for eight bits, and where there is no number."""
    if sample.dtype == np.uint8:
        return None
    values = sample[::2, ::2].astype(np.float32).ravel()
    values = values[np.isfinite(values)]
    return _Spread(values, np.percentile(values, (1, 99))) if values.size else None


def fill_specks(raw: Array, valid: Mask) -> tuple[NDArray[np.float32], Mask]:
    """Give lone pixels without a value the mean of their neighbours.

    Args:
        raw: Counts, shape (h, w).
        valid: Shape (h, w).

    Returns:
        The counts as float32, and which pixels have a value now.
    """
    values = np.where(valid, raw, 0).astype(np.float32)
    known = cv2.boxFilter(valid.astype(np.float32), -1, (3, 3), normalize=False,
                          borderType=cv2.BORDER_CONSTANT)
    total = cv2.boxFilter(values, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    lone = ~valid & (known >= 4)
    values = np.where(lone, total / np.maximum(known, 1.0), np.where(valid, values, raw))
    return np.asarray(values, np.float32), valid | lone


def _sample(image: Array) -> Array:
    inner = image[_TELEMETRY_ROWS:-_TELEMETRY_ROWS] if len(image) >= 64 else image
    rows, columns = (-(-side // _SAMPLE) for side in inner.shape[:2])
    # Whole and once: it is read several times, also beside the next image.
    return np.ascontiguousarray(inner[::rows, ::columns])


def _equal(image: Array, before: Array) -> bool:
    """Whether two images are equal but for the rows of a frame counter."""
    inner = slice(_TELEMETRY_ROWS, -_TELEMETRY_ROWS) if len(image) >= 64 else slice(None)
    return np.array_equal(image[inner], before[inner], equal_nan=image.dtype.kind == 'f')


def _change(before: Array, after: Array) -> tuple[float, float]:
    """Return by how many counts two images differ, on average and at most."""
    if after.dtype.kind == 'f':
        with np.errstate(invalid='ignore'):
            change = np.nan_to_num(np.abs(after - before), posinf=0.0)
    else:
        change = cv2.absdiff(after, before)
    return float(change.mean()), float(change.max())


def _uniform(image: Array, sample: Array) -> bool:
    """Whether an image shows nothing: one value but for a few stuck pixels, or none at all."""
    few = sample[::8, ::8]
    if sample.dtype.kind == 'f':
        finite = np.isfinite(sample)
        if not finite.any():
            return True
        few = few[finite[::8, ::8]] if finite[::8, ::8].any() else sample[finite]
    value = np.median(few, axis=(0, 1) if few.ndim > 1 else None)
    most = 20 * _SPECKS * sample.size
    # What differs among the few differs in the sample: mostly they are enough to tell.
    if np.count_nonzero(few != value) > most or np.count_nonzero(sample != value) > most:
        return False
    inner = image[_TELEMETRY_ROWS:-_TELEMETRY_ROWS] if len(image) >= 64 else image
    return bool(np.mean(inner != value) <= _SPECKS)


def _valid(image: Array, spread: _Spread | None) -> Mask | None:
    """Return which pixels of measurements (h, w) have a value; None for all of them."""
    invalid = [~np.isfinite(image)] if image.dtype.kind == 'f' else []
    invalid = [mask for mask in invalid if mask.any()]
    if spread is not None:
        invalid += _marked(image, spread, invalid[0] if invalid else None)
    border = _border(image)
    if border is not None:
        invalid.append(border)
    return ~np.logical_or.reduce(invalid) if invalid else None


def _marked(image: Array, spread: _Spread, without: Mask | None) -> list[Mask]:
    """Return the pixels that carry a mark instead of a value: outliers, all of one value."""
    values, ends = spread.values, spread.ends
    reach = _GAP * (ends[1] - ends[0])
    known = None if without is None else (~without).view(np.uint8)
    masks = []
    for mark, side, end in zip(cv2.minMaxLoc(image, known)[:2], (-1.0, 1.0), ends, strict=True):
        if side * (end + side * reach - mark) > 0 and mark != end:
            continue  # Neither an outlier nor so common that it is a quantile itself.
        rest = values[values != mark]
        if rest.size < _LEAST_VALID * values.size:
            continue
        low, high = np.percentile(rest, (1, 99))
        usual = mark in (0, np.iinfo(image.dtype).max) if image.dtype.kind == 'u' else False
        if high <= low or not usual and rest.size < _MOSTLY * values.size:
            continue
        limit = (low if side < 0 else high) + side * _GAP * max(high - low, 1e-6)
        if side * (mark - limit) <= 0:
            continue
        beyond = image < limit if side < 0 else image > limit
        marked = image == np.asarray(mark, image.dtype)
        if np.count_nonzero(marked) >= _SAME * np.count_nonzero(beyond & np.isfinite(image)):
            masks.append(marked)
            values = rest
    return masks


def _border(image: Array) -> Mask | None:
    """Return the empty rows and columns around a registered image, None without one."""
    if image[0].any() and image[-1].any() and image[:, 0].any() and image[:, -1].any():
        return None
    filled = image != 0
    rows, columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    if not rows.size:
        return None
    border = np.ones(image.shape, bool)
    border[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] = False
    return border
