"""Header stamps of a recording as wall time, whatever clock they are of."""

import struct
from typing import Final

_SAME_CLOCK_NS: Final = 60_000_000_000
"""Stamps this near to the time that they are expected at are of that clock."""


class Restamper:
    """Moves stamps to now, and keeps the offsets that the sensors had among each other.

    A stamp of the recorder's own clock keeps its distance from the begin of the recording, not the
    moment of publishing: so do sensors that are offset against each other stay so, to the
    nanosecond. A stamp of another clock, of the boot for example, keeps its distance from the
    first one of that clock. What has no stamp gets the time at which it was recorded.

    Args:
        begin_ns: Begin of the recording, on the clock of the recorder.
        rate: 2 plays twice as fast.
    """

    def __init__(self, begin_ns: int, rate: float) -> None:
        self._begin_ns, self._rate = begin_ns, rate
        # What a clock showed at the begin of the recording: first the recorder's own.
        self._clocks = [begin_ns]
        self._clock_of: dict[str, int] = {}

    def __call__(self, topic: str, stamp_ns: int, recorded_ns: int, wall_ns: int) -> int:
        """Return the stamp to publish.

        Args:
            topic: Whose message it is.
            stamp_ns: Its stamp in the recording, 0 for none.
            recorded_ns: When it was recorded.
            wall_ns: The wall time at which the play began.
        """
        since_ns = recorded_ns - self._begin_ns
        if stamp_ns:
            since_ns = stamp_ns - self._clock(topic, stamp_ns, since_ns)
        return wall_ns + int(since_ns / self._rate)

    def _clock(self, topic: str, stamp_ns: int, since_ns: int) -> int:
        clock = self._clock_of.get(topic)
        if clock is None:
            expected = [known for known in self._clocks
                        if abs(stamp_ns - (known + since_ns)) < _SAME_CLOCK_NS]
            clock = expected[0] if expected else stamp_ns - since_ns
            self._clocks.append(clock)
            self._clock_of[topic] = clock
        return clock


def header_stamp_ns(data: bytes | bytearray) -> int:
    """Return the stamp of a serialised message whose first field is a std_msgs/Header."""
    seconds, nanoseconds = struct.unpack_from(_stamp_format(data), data, 4)
    return int(seconds * 1_000_000_000 + nanoseconds)


def with_header_stamp(data: bytes, stamp_ns: int) -> bytes:
    """Return the serialised message under another header stamp."""
    changed = bytearray(data)
    struct.pack_into(_stamp_format(data), changed, 4, *divmod(stamp_ns, 1_000_000_000))
    return bytes(changed)


def _stamp_format(data: bytes | bytearray) -> str:
    # The second byte of the CDR encapsulation says whether numbers are little endian.
    return '<iI' if data[1] & 1 else '>iI'
