"""The offset between the stamps of two cameras, measured in what their images show.

Stamps and times of arrival cannot tell a camera that delivers late from one whose clock lags. What
moves can: it moves for both cameras at once. Each camera's images become a coarse map of how much
changed since its image before. The maps of one camera are moved in time against those of the
other until they agree. A camera that shakes and people who walk both serve. Where nothing moves,
there is nothing to measure.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Columns and rows of a map, and pixels of an image for each of its cells.
_CELLS: Final = (16, 12)
_FINER: Final = 6
_STEP_MS: Final = 20.0
_REACH_MS: Final = 500.0
_LONGEST_GAP_MS: Final = 400.0
# Fewest maps of each camera, and the time that they must span.
_LEAST_MAPS, _LEAST_SPAN_MS = 40, 3000.0
# Least agreement, and by how much it must exceed that at other offsets.
_LEAST_AGREEMENT, _LEAST_MARGIN = 0.2, 0.06
_APART_MS: Final = 200.0


@dataclass(frozen=True)
class StampOffset:
    """An offset that was measured.

    Attributes:
        offset_ms: Thermal stamp minus RGB stamp of the same instant.
        agreement: Correlation of what moves for both cameras, 0 to 1.
        margin: By how much that exceeds the agreement at offsets that are far off.
    """

    offset_ms: float
    agreement: float
    margin: float


class _Changes:
    """Maps of how much changed from image to image of one camera."""

    def __init__(self, longest_ms: float) -> None:
        self._longest_ms = longest_ms
        self._before: tuple[float, Array] | None = None
        self.maps: deque[tuple[float, Array]] = deque()

    def add(self, stamp_ns: int, image: Array) -> None:
        columns, rows = _CELLS
        small = cv2.resize(image, (columns * _FINER, rows * _FINER), interpolation=cv2.INTER_AREA)
        small = small.astype(np.float32)
        small = small.mean(axis=2) if small.ndim == 3 else small
        at_ms, before = stamp_ns * 1e-6, self._before
        self._before = at_ms, small
        if before is None or not 0 < at_ms - before[0] <= _LONGEST_GAP_MS:
            if before is not None and at_ms <= before[0]:
                self.maps.clear()
            return
        change = np.abs(small - before[1])
        cells = np.sqrt(cv2.resize(change, _CELLS, interpolation=cv2.INTER_AREA))
        self.maps.append(((at_ms + before[0]) / 2, (cells - np.median(cells)).ravel()))
        while self.maps[-1][0] - self.maps[0][0] > self._longest_ms:
            self.maps.popleft()


class StampOffsetMeter:
    """Measures the offset of two cameras while their images come. One thread at a time.

    Args:
        longest_s: Seconds looked back.
    """

    def __init__(self, longest_s: float = 20.0) -> None:
        self._rgb, self._thermal = _Changes(longest_s * 1e3), _Changes(longest_s * 1e3)

    def add_rgb(self, stamp_ns: int, image: Array) -> None:
        """Take an RGB image, uint8 (H, W, 3)."""
        self._rgb.add(stamp_ns, image)

    def add_thermal(self, stamp_ns: int, image: Array) -> None:
        """Take a thermal image, (h, w), registered to the RGB image as well as is known."""
        self._thermal.add(stamp_ns, image)

    def measure(self) -> StampOffset | None:
        """Return the offset, None while too little moved for both cameras to tell."""
        one, other = self._rgb.maps, self._thermal.maps
        if min(len(one), len(other)) < _LEAST_MAPS or min(
                maps[-1][0] - maps[0][0] for maps in (one, other)) < _LEAST_SPAN_MS:
            return None
        rgb_ms, rgb = _stacked(one)
        thermal_ms, thermal = _stacked(other)
        offsets = np.arange(-_REACH_MS, _REACH_MS + 1, _STEP_MS)
        agreements = np.array([_agreement(rgb_ms, rgb, thermal_ms - offset, thermal)
                               for offset in offsets])
        best = int(np.argmax(agreements))
        if not 0 < best < len(offsets) - 1:
            return None
        far = agreements[np.abs(offsets - offsets[best]) >= _APART_MS]
        before, at, after = agreements[best - 1:best + 2]
        bend = 2 * at - before - after
        top = 0.5 * (after - before) / bend if bend > 0 else 0.0
        found = StampOffset(float(offsets[best] + top * _STEP_MS), float(at),
                            float(at - far.max()))
        told = found.agreement >= _LEAST_AGREEMENT and found.margin >= _LEAST_MARGIN
        return found if told else None


def _stacked(maps: deque[tuple[float, Array]]) -> tuple[Array, Array]:
    """Return times (N,), milliseconds, and maps (N, cells) without what is constant."""
    times = np.array([at for at, _ in maps])
    values = np.stack([cells for _, cells in maps])
    return times, values - values.mean(axis=0)


def _agreement(rgb_ms: Array, rgb: Array, thermal_ms: Array, thermal: Array) -> float:
    """Return the correlation of two series of maps over the time that they share."""
    inside = (rgb_ms >= thermal_ms[0]) & (rgb_ms <= thermal_ms[-1])
    if inside.sum() < _LEAST_MAPS // 2:
        return 0.0
    times, one = rgb_ms[inside], rgb[inside]
    later = np.clip(np.searchsorted(thermal_ms, times), 1, len(thermal_ms) - 1)
    share = (times - thermal_ms[later - 1]) / (thermal_ms[later] - thermal_ms[later - 1])
    other = thermal[later - 1] + share[:, None] * (thermal[later] - thermal[later - 1])
    power = float((one ** 2).sum() * (other ** 2).sum())
    return float((one * other).sum()) / power ** 0.5 if power else 0.0
