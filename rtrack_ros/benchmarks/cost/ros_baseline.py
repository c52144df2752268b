"""The common ROS way to the same result, written anew for comparison: pairing and conversion.

Most ROS 2 nodes in Python pair cameras by ``message_filters.ApproximateTimeSynchronizer`` and read
images by ``cv_bridge``. Neither is a wheel on the package index, hence this: the behaviour of the
Python synchroniser (4.11) with integer stamps, where the original builds a Time and a Duration for
every comparison, and the copies of ``CvBridge.imgmsg_to_cv2``. What is measured here is therefore,
if anything, cheaper than the original.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import cv2
import numpy as np

from rtrack_ros.frames import Image8
from rtrack_ros.intake.encodings import LAYOUTS, Array

T = TypeVar('T')

RGB, THERMAL = 0, 1


class ApproximateTime(Generic[T]):
    """Pairs two streams greedily, the moment a message has any partner nearer than the slop.

    A pair may therefore hide a better one that would have come a moment later, a message never
    leaves without a partner and serves one pair only, and a slop of 0 pairs nothing.

    Args:
        queue_size: Messages kept per stream; the one with the least stamp is dropped.
        slop_ns: The difference of stamps must be below this.
    """

    def __init__(self, queue_size: int = 10, slop_ns: int = 20_000_000) -> None:
        self._queue_size, self._slop_ns = queue_size, slop_ns
        self._queues: tuple[dict[int, T], dict[int, T]] = ({}, {})

    def add(self, stream: int, stamp_ns: int, item: T) -> tuple[T, T] | None:
        """Take one message of stream ``RGB`` or ``THERMAL``; returns the pair it completes."""
        own, other = self._queues[stream], self._queues[1 - stream]
        own[stamp_ns] = item
        while len(own) > self._queue_size:
            del own[min(own)]
        for partner in self._partners(stamp_ns, other):
            # The newest message itself may have been dropped by the full queue just now.
            if stamp_ns in own and abs(partner - stamp_ns) < self._slop_ns:
                pair = own.pop(stamp_ns), other.pop(partner)
                return pair if stream == RGB else pair[::-1]
        return None

    def _partners(self, stamp_ns: int, stamps: dict[int, T]) -> Iterator[int]:
        near = [(abs(stamp - stamp_ns), stamp) for stamp in stamps
                if abs(stamp - stamp_ns) <= self._slop_ns]
        return (stamp for _, stamp in sorted(near))


def imgmsg_to_cv2(message: Any, wanted: str = 'passthrough') -> Array:
    """Return the pixels as ``cv_bridge`` does: a copy, in ``wanted`` encoding.

    Args:
        message: Image message of one of ``encodings.LAYOUTS``.
        wanted: 'bgr8' for a message of 'rgb8', or 'passthrough'.

    Raises:
        ValueError: the conversion is not one of these.
    """
    layout = LAYOUTS[message.encoding]
    kind = np.dtype(('>' if message.is_bigendian else '<') + layout.kind)
    columns = message.step // (layout.channels * kind.itemsize)
    pixels = np.ndarray((message.height, columns, layout.channels), kind, bytes(message.data))
    pixels = pixels[:, :message.width]
    if layout.channels == 1:
        pixels = pixels[:, :, 0]
    if wanted == 'passthrough':
        return pixels.copy()
    if (message.encoding, wanted) != ('rgb8', 'bgr8'):
        raise ValueError(f'{message.encoding} to {wanted} is not among the conversions compared')
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))


def stretched_thermal(counts: Array, size: tuple[int, int]) -> Image8:
    """Return thermal counts as 8 bits of ``size`` (width, height): least to most, then resized."""
    eight = cv2.normalize(counts, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    return np.asarray(cv2.resize(eight, size), np.uint8)


def paired_by_approximate_time(rgb_ns: Sequence[int], thermal_ns: Sequence[int]) -> int:
    """Return how many of the RGB stamps get a partner, both streams arriving in stamp order."""
    pairing: ApproximateTime[int] = ApproximateTime()
    arrivals = sorted([(stamp, RGB) for stamp in rgb_ns]
                      + [(stamp, THERMAL) for stamp in thermal_ns])
    return sum(pairing.add(stream, stamp, stamp) is not None for stamp, stream in arrivals)
