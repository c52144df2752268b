"""``sync.thermal_offset_ms: auto``: the offset is measured while images come, and then used."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.intake.stamp_offset import StampOffsetMeter
from rtrack_ros.intake.validity import Judgement

# Size of the images that are measured on.
_WIDTH, _HEIGHT = 96, 72
# Stamp time between two measurements, by how much two in a row may differ, and after how long
# without a result the user is told.
_EVERY_NS, _SAME_MS, _PATIENCE_NS = 1_000_000_000, 15.0, 30_000_000_000


class AutoOffset:
    """Measures by how much thermal stamps are ahead of RGB stamps, until it is sure.

    It sees images as they arrive, since stamps that lag far behind make no pairs.

    Args:
        homography: 3x3, thermal to RGB pixels; None assumes equal fields of view.
    """

    def __init__(self, homography: NDArray[np.float64] | None) -> None:
        self._homography = homography
        self._meter = StampOffsetMeter()
        self._size: tuple[int, int] | None = None
        self._begun_ns = self._next_ns = 0
        self._last_ms: float | None = None
        self.offset_ns: int | None = None
        """Thermal stamp minus RGB stamp of the same instant, None until it is known."""
        self.clocks_ns = 0
        """By how much the clocks of the cameras differ, as far as it is known without images."""
        self.overdue = False
        """Whether it should be known by now, and too little moved to tell."""

    def clocks_differ(self, by_ns: int) -> None:
        """Begin anew around an offset that only clocks can have; images tell the rest."""
        self.clocks_ns, self._meter, self._last_ms = by_ns, StampOffsetMeter(), None

    def see_rgb(self, stamp_ns: int, image: Any, judgement: Judgement) -> None:
        """Take an RGB image, uint8 (H, W, 3), with its own stamp."""
        if self.offset_ns is not None or judgement.repeated:
            return
        self._size = image.shape[1], image.shape[0]
        self._begun_ns = self._begun_ns or stamp_ns
        self._meter.add_rgb(stamp_ns, _small(image))
        if not self._next_ns <= stamp_ns <= self._next_ns + 2 * _EVERY_NS:
            self._next_ns = stamp_ns
        if stamp_ns >= self._next_ns:
            self._next_ns = stamp_ns + _EVERY_NS
            self._measure()
            self.overdue = self.offset_ns is None and stamp_ns - self._begun_ns > _PATIENCE_NS

    def see_thermal(self, stamp_ns: int, counts: Any, judgement: Judgement) -> None:
        """Take thermal counts (h, w) with their own stamp."""
        if self.offset_ns is not None or judgement.repeated or judgement.dead:
            return
        values = counts if judgement.valid is None else np.where(
            judgement.valid, counts, np.median(counts[judgement.valid]))
        small = _small(values.astype(np.float32))
        if self._homography is not None and self._size is not None:
            onto = (np.diag([_WIDTH / self._size[0], _HEIGHT / self._size[1], 1.0])
                    @ self._homography
                    @ np.diag([counts.shape[1] / _WIDTH, counts.shape[0] / _HEIGHT, 1.0]))
            small = cv2.warpPerspective(small, onto, (_WIDTH, _HEIGHT),
                                        borderMode=cv2.BORDER_REPLICATE)
        self._meter.add_thermal(stamp_ns - self.clocks_ns, small)

    def _measure(self) -> None:
        found = self._meter.measure()
        last, self._last_ms = self._last_ms, None if found is None else found.offset_ms
        if found is not None and last is not None and abs(found.offset_ms - last) <= _SAME_MS:
            self.offset_ns = self.clocks_ns + round((found.offset_ms + last) / 2 * 1e6)


def _small(image: Any) -> Any:
    return cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
