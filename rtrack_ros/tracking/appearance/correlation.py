"""The correlation filter: it follows one target by how it and its surroundings look.

The Siamese network was trained on people and vehicles of some size. A target that is shown in a
box may be anything: a drone of fifteen pixels, a bus from above. So a filter is learned from the
target itself, in the image at full resolution, in each spectrum: it answers with a peak where the
target is and with nothing around it (MOSSE, Bolme et al., CVPR 2010; several channels with one
common denominator as in DSST, Danelljan et al., BMVC 2014; edges of four directions as channels,
our choice). It is learned on, slowly, where its peak is sharp. The ratio of peak to sidelobe says
how surely the target is there; it needs no model and no training.

How the target grows is measured too, by comparing windows of several sizes with how it looked, so
that its size is estimated from what is seen and does not drift.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import FramePair, Image8

SIDE: Final = 64
"""Cells of the sides of a patch."""
REACH: Final = 3.0
"""Sides of a patch over those of its box, ..."""
LEAST_PX: Final = 48.0
"""... but at least so many RGB pixels: a small target may move by more than its size."""
SHARP: Final = 7.0
"""Peak-to-sidelobe ratio from which the target is seen (Bolme et al.)."""
_Complex = NDArray[np.complexfloating]
_Float = NDArray[np.float32]
_PEAK_WIDTH = 0.1
_LEAST_WIDTH = 0.8
_REGULARISATION = 0.01
_PEAK_CELLS = 5
_NOISE = 4.0
# A spectrum that varies by fewer grey levels shows nothing: a silent camera, or a black image.
_SILENT = 3
_MIN_PX = 4.0
# Windows in which the size is measured: how many, their ratio, and their cells and reach.
_SCALES, _SCALE_STEP, _CLOSE, _CLOSE_REACH = 7, 1.06, 20, 1.3


@dataclass(frozen=True)
class Sighting:
    """Where a correlation filter sees its target.

    Attributes:
        centre: x, y in RGB pixels.
        sharpness: Peak-to-sidelobe ratio; from ``SHARP`` on the target is there.
    """

    centre: tuple[float, float]
    sharpness: float

    @property
    def sharp(self) -> bool:
        """Whether the target is there."""
        return self.sharpness >= SHARP


class CorrelationFilter:
    """One target in both spectra. Used by one thread.

    Args:
        pair: Shows the target.
        box: The target, x1, y1, x2, y2 in RGB pixels.
    """

    def __init__(self, pair: FramePair, box: NDArray[np.float64]) -> None:
        self._place = {name: _Ratio() for name in ('rgb', 'thermal')}
        self._views: dict[str, _Float] = {}
        self.learn(pair, box, 1.0)

    def find(self, pair: FramePair, box: NDArray[np.float64]) -> Sighting:
        """Return where the target is, looked for around ``box`` (x1, y1, x2, y2 in RGB pixels).

        Spectra are weighted by how sharply each shows the target: smoke takes it out of one.
        """
        total, weights = np.zeros((SIDE, SIDE), np.float32), 0.0
        for name, patch in _patches(pair, box, REACH, SIDE, LEAST_PX).items():
            response = self._place[name].respond(np.fft.rfft2(_channels(patch) * _WINDOW))
            if response is not None:
                spread = np.fft.irfft2(response, s=(SIDE, SIDE)).astype(np.float32)
                weight = max(_sharpness(spread), 0.1)
                total, weights = total + weight * spread, weights + weight
        if not weights:
            return Sighting(_centre(box), 0.0)
        peak = np.array(_peak(total / weights))
        offset = (peak + SIDE // 2) % SIDE - SIDE // 2
        x, y = np.array(_centre(box)) + offset * _window(box, REACH, LEAST_PX) / SIDE
        return Sighting((float(x), float(y)), _sharpness(total))

    def growth(self, pair: FramePair, box: NDArray[np.float64]) -> float:
        """Return the size of the target over that of ``box``, which is centred on it.

        Windows of several sizes are compared with how the target looked; the best one lies
        between two of them.
        """
        likeness = np.array([self._likeness(_close_views(pair, _scaled(box, factor)))
                             for factor in _FACTORS])
        best = int(np.clip(likeness.argmax(), 1, len(_FACTORS) - 2))
        step = best + _between(*likeness[best - 1:best + 2]) - len(_FACTORS) // 2
        return float(_SCALE_STEP ** step)

    def learn(self, pair: FramePair, box: NDArray[np.float64], share: float) -> None:
        """Learn how the target looks in ``box``; ``share`` in [0, 1] is what that weighs."""
        wanted = _wanted(_extent(box) / _window(box, REACH, LEAST_PX))
        for name, patch in _patches(pair, box, REACH, SIDE, LEAST_PX).items():
            self._place[name].learn(np.fft.rfft2(_channels(patch) * _WINDOW), wanted, share)
        for name, view in _close_views(pair, box).items():
            known = self._views.get(name)
            self._views[name] = view if known is None else (1 - share) * known + share * view

    def _likeness(self, views: dict[str, _Float]) -> float:
        """Return the normalised correlation of close views with those that were learned."""
        shared = self._views.keys() & views.keys()
        return sum(_cosine(self._views[name], views[name]) for name in shared) / max(
            len(shared), 1)


class _Ratio:
    """A filter with several channels and one denominator; values are Fourier transforms."""

    def __init__(self) -> None:
        self._numerator: _Complex | None = None
        self._denominator: _Float = np.zeros(0, np.float32)

    def respond(self, seen: _Complex) -> _Complex | None:
        """Return the response to channels; None before anything was learned, or to other ones."""
        if self._numerator is None or self._numerator.shape != seen.shape:
            return None
        floor = _REGULARISATION * float(self._denominator.mean())
        return np.asarray((self._numerator * seen).sum(axis=0)
                          / (self._denominator + max(floor, 1e-6)))

    def learn(self, seen: _Complex, wanted: _Complex, share: float) -> None:
        """Mix in what gives the wanted response to channels."""
        numerator = wanted * np.conj(seen)
        denominator = (np.abs(seen) ** 2).sum(axis=0)
        if self._numerator is None or self._numerator.shape != seen.shape:
            self._numerator, self._denominator = numerator, denominator
            return
        self._numerator = (1 - share) * self._numerator + share * numerator
        self._denominator = (1 - share) * self._denominator + share * denominator


def _patches(pair: FramePair, box: NDArray[np.float64], reach: float, side: int,
             least_px: float = 0.0) -> dict[str, Image8]:
    """Return what each spectrum shows about a box, (side, side); silent spectra are left out."""
    found: dict[str, Image8] = {}
    if pair.rgb_fresh:
        colour = _resample(pair.rgb, box, _window(box, reach, least_px), side)
        found['rgb'] = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    if pair.thermal is not None and pair.thermal_fresh:
        found['thermal'] = _resample(pair.thermal, box, _window(box, reach, least_px), side)
    return {name: patch for name, patch in found.items() if np.ptp(patch) > _SILENT}


def _resample(image: Image8, box: NDArray[np.float64], size: NDArray[np.float64],
              side: int) -> Image8:
    """Return a window of a size about the centre of a box, resampled; image edges repeat."""
    # Shrinking by more than two would skip pixels: it is done in whole steps before.
    step = np.maximum(size // side, 1).astype(int)
    low = np.floor(np.array(_centre(box)) - size / 2).astype(int) - 2 * step
    high = np.ceil(np.array(_centre(box)) + size / 2).astype(int) + 2 * step
    limit = np.array((image.shape[1], image.shape[0]))
    low, high = np.clip(low, 0, limit - 1), np.clip(high, 1, limit)
    part = image[low[1]:high[1], low[0]:high[0]]
    if step.max() > 1:
        small = np.maximum(np.array((part.shape[1], part.shape[0])) // step, 1)
        step = np.array((part.shape[1], part.shape[0])) / small
        part = cv2.resize(part, tuple(small.tolist()), interpolation=cv2.INTER_AREA)
    cell = size / side / step
    # Centres of pixels lie half a pixel from their corners, on both sides of the map.
    first = (np.array(_centre(box)) - size / 2 - low) / step + cell / 2 - 0.5
    matrix = np.array([[cell[0], 0, first[0]], [0, cell[1], first[1]]])
    return np.asarray(cv2.warpAffine(part, matrix, (side, side),
                                     flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                     borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _channels(patch: Image8) -> _Float:
    """Return a patch without its contrast, and its edges of four directions, (5, side, side)."""
    values = patch.astype(np.float32)
    values = (values - values.mean()) / (values.std() + _NOISE)
    x, y = (cv2.Sobel(values, cv2.CV_32F, *order, ksize=3) / 4 for order in ((1, 0), (0, 1)))
    return np.stack([values, *(np.maximum(edge, 0) for edge in (x, -x, y, -y))])


def _close_views(pair: FramePair, box: NDArray[np.float64]) -> dict[str, _Float]:
    """Return the channels of what a box shows, by spectrum, (5, ``_CLOSE``, ``_CLOSE``)."""
    return {name: _channels(patch)
            for name, patch in _patches(pair, box, _CLOSE_REACH, _CLOSE).items()}


def _cosine(first: _Float, second: _Float) -> float:
    return float((first * second).sum() / (np.linalg.norm(first) * np.linalg.norm(second) + 1e-6))


def _scaled(box: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    half, centre = (box[2:] - box[:2]) / 2 * factor, (box[2:] + box[:2]) / 2
    return np.concatenate([centre - half, centre + half])


def _sharpness(response: _Float) -> float:
    """Return the ratio of peak to sidelobe: how far the peak stands out of the rest."""
    row, column = np.unravel_index(int(response.argmax()), response.shape)
    rolled = np.roll(response, (SIDE // 2 - row, SIDE // 2 - column), axis=(0, 1))
    rest = rolled[_SIDELOBE]
    return float((rolled[SIDE // 2, SIDE // 2] - rest.mean()) / (rest.std() + 1e-9))


def _peak(response: _Float) -> tuple[float, float]:
    """Return x, y of the peak, between cells; the response goes on around its edges."""
    row, column = (int(place) for place in
                   np.unravel_index(int(response.argmax()), response.shape))
    top = float(response[row, column])
    x = _between(response[row, column - 1], top, response[row, (column + 1) % SIDE])
    y = _between(response[row - 1, column], top, response[(row + 1) % SIDE, column])
    return column + x, row + y


def _between(left: float, top: float, right: float) -> float:
    """Return where the parabola through three values has its top, from -0.5 to 0.5."""
    bend = left - 2 * top + right
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


def _centre(box: NDArray[np.float64]) -> tuple[float, float]:
    return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2


def _extent(box: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(box[2:] - box[:2], _MIN_PX)


def _window(box: NDArray[np.float64], reach: float, least_px: float) -> NDArray[np.float64]:
    return np.maximum(_extent(box) * reach, least_px)


def _wanted(share: NDArray[np.float64]) -> _Complex:
    """Return the wanted response, a bell about the target; ``share`` is that of its patch."""
    bells = [_bell(_OFFSETS, max(_PEAK_WIDTH * SIDE * part, _LEAST_WIDTH)) for part in share[::-1]]
    return np.asarray(np.fft.rfft2(np.outer(*bells)), np.complex64)


def _bell(distance: NDArray[np.floating], width: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-distance ** 2 / (2 * width ** 2)))


def _sidelobe() -> NDArray[np.bool_]:
    mask = np.ones((SIDE, SIDE), dtype=bool)
    near = slice(SIDE // 2 - _PEAK_CELLS, SIDE // 2 + _PEAK_CELLS + 1)
    mask[near, near] = False
    return mask


_OFFSETS = np.fft.fftfreq(SIDE, 1 / SIDE)
_WINDOW = np.outer(np.hanning(SIDE + 2)[1:-1], np.hanning(SIDE + 2)[1:-1]).astype(np.float32)
_SIDELOBE = _sidelobe()
_FACTORS = _SCALE_STEP ** (np.arange(_SCALES) - _SCALES // 2)
