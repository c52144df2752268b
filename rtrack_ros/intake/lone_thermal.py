"""Thermal as the clock: what is made of thermal images while the RGB camera is silent.

RGB images are the clock as long as they come. When they stop, a robot by night still has what it
sees best with. Boxes stay in RGB pixels, by the homography and the size of the last RGB image.
"""

import copy
from collections import deque
from statistics import median
from typing import Any, Final, NamedTuple

from rtrack_ros.intake.evidence import SeenImage

RGB_SILENT = ('RGB images have stopped, and thermal images are the clock; check the RGB camera '
              'and its driver')
_UNKNOWN_PERIOD_NS: Final = 1_000_000_000


class LoneImage(NamedTuple):
    """A thermal image that came while RGB was silent.

    Attributes:
        image: The image.
        header: Header of its message; None for an image that was no message.
        received_ns: When it came, monotonic clock.
    """

    image: SeenImage
    header: Any
    received_ns: int


class LoneThermal:
    """Says which thermal images stand for a pair of their own.

    Args:
        timeout_ns: Silence of the RGB camera after which they do. A slow camera is silent between
            its images: it is given two and a half of its own periods at least.
    """

    def __init__(self, timeout_ns: int) -> None:
        self._timeout_ns = timeout_ns
        self._rgb_ns: int | None = None
        self._periods_ns: deque[int] = deque(maxlen=15)
        self._newest: LoneImage | None = None
        self.is_clock = False
        """Whether thermal images are the clock now."""

    def rgb_came(self, now_ns: int) -> bool:
        """Take note of an RGB image; returns whether thermal images were the clock before."""
        was, self.is_clock = self.is_clock, False
        if self._rgb_ns is not None:
            self._periods_ns.append(now_ns - self._rgb_ns)
        self._rgb_ns, self._newest = now_ns, None
        return was

    def thermal_came(self, image: SeenImage, header: Any, now_ns: int) -> None:
        """Take note of a thermal image."""
        self.is_clock = self._rgb_ns is not None and now_ns - self._rgb_ns > self._patience_ns
        if self.is_clock:
            self._newest = LoneImage(image, header, now_ns)

    @property
    def _patience_ns(self) -> float:
        usual_ns = median(self._periods_ns) if self._periods_ns else _UNKNOWN_PERIOD_NS
        return max(self._timeout_ns, 2.5 * usual_ns)

    def take(self) -> LoneImage | None:
        """Return the newest thermal image that stands for a pair, once."""
        newest, self._newest = self._newest, None
        return newest


def header_for(lone: LoneImage, rgb_header: Any) -> Any:
    """Return the header of a pair without RGB: the instant of thermal, the frame of RGB."""
    if lone.header is None or rgb_header is None:
        return None
    header = copy.deepcopy(rgb_header)
    header.stamp.sec, header.stamp.nanosec = divmod(lone.image.stamp_ns, 10**9)
    return header
