"""When an image was taken: by its stamp, or by its arrival where the stamp cannot say."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from rtrack_ros.intake.encodings import octets
from rtrack_ros.intake.messages import stamp_of

_AHEAD_NS: Final = 2_000_000_000
"""A stamp that runs ahead of its arrival by more is one of another clock, or of none."""
_BACK_NS: Final = 500_000_000
"""So far back it is no image that was overtaken."""
_APART_NS: Final = 10_000_000
"""Images under one stamp that arrive closer together are of two cameras on one topic."""
_TRUSTED_AFTER: Final = 30
"""Images without a repeated stamp after which stamps are believed again."""


class Clock(Protocol):
    """The time of arrival; the module ``time`` is one."""

    def monotonic_ns(self) -> int:
        """Return a time that never jumps, for waiting and rates."""

    def time_ns(self) -> int:
        """Return the time of day, the stamp of a first image that has none."""


class _Read(NamedTuple):
    stamp_ns: int
    data: Any
    at_ns: int
    taken_ns: int


class StampReader:
    """Reads the stamps of one camera's messages.

    A stamp that cannot be right is replaced by the time since the image before, on the clock of
    the stamps before. Three kinds cannot: a driver that sets none sends 0; a clock that stands
    still, or shows seconds only, sends different images under one stamp; a single stamp lies far
    off. Two stamps in a row that lie off together are of a clock that was set, or of a bag that
    began again, and are believed.

    Args:
        topic: Of the camera, for warnings.
        warn: Takes the kind of a warning and its text.
        clock: When messages arrive.
    """

    def __init__(self, topic: str, warn: Callable[[str, str], object], clock: Clock) -> None:
        self._topic, self._warn, self._clock = topic, warn, clock
        self._last: _Read | None = None
        self._odd: tuple[int, int] | None = None
        self._by_arrival = 0

    def __call__(self, message: Any) -> int:
        """Return when the image of a message was taken, nanoseconds."""
        stamp_ns, at_ns, last = stamp_of(message), self._clock.monotonic_ns(), self._last
        if last is not None and stamp_ns == last.stamp_ns != 0 and _same(last.data, message.data):
            return last.taken_ns
        believed = self._is_set(stamp_ns) and (
            last is None or self._believed(stamp_ns, at_ns, last))
        taken_ns = stamp_ns
        if not believed:
            taken_ns = self._clock.time_ns() if last is None else (
                last.taken_ns + max(at_ns - last.at_ns, 1))
        self._last = _Read(stamp_ns, message.data, at_ns, taken_ns)
        return taken_ns

    def _is_set(self, stamp_ns: int) -> bool:
        if not stamp_ns:
            self._warn(f'unstamped {self._topic}', f'{self._topic} carries no stamps; the time of '
                       'arrival is used')
        return stamp_ns != 0

    def _believed(self, stamp_ns: int, at_ns: int, last: _Read) -> bool:
        if stamp_ns == last.stamp_ns and at_ns - last.at_ns >= _APART_NS:
            self._by_arrival = _TRUSTED_AFTER
            self._warn(f'coarse stamps {self._topic}', f'{self._topic} sends different images '
                       'under one stamp, of a clock without fractions or one that stands still; '
                       'the time of arrival is used')
            return False
        if self._by_arrival:
            self._by_arrival -= 1
            return False
        return not self._lies_off(stamp_ns, at_ns, last)

    def _lies_off(self, stamp_ns: int, at_ns: int, last: _Read) -> bool:
        """Whether a stamp does not follow those before, nor the one that did not follow either."""
        before, self._odd = self._odd, None
        if _follows(stamp_ns - last.taken_ns, at_ns - last.at_ns):
            return False
        if before is not None and _follows(stamp_ns - before[0], at_ns - before[1]):
            if stamp_ns > last.taken_ns:
                self._warn(f'clock {self._topic}', f'the stamps of {self._topic} jumped ahead by '
                           f'{(stamp_ns - last.taken_ns) * 1e-9:.1f} s; was a clock set?')
            return False
        self._odd = stamp_ns, at_ns
        self._warn(f'odd stamp {self._topic}', f'a stamp of {self._topic} lies '
                   f'{(stamp_ns - last.taken_ns) * 1e-9:.1f} s off the one before; the time of '
                   'arrival is used for this image')
        return True


def _follows(stamps_ns: int, arrivals_ns: int) -> bool:
    """Whether stamps so far apart are of one clock; a player that pauses lets arrivals lag."""
    return -_BACK_NS < stamps_ns <= arrivals_ns + _AHEAD_NS


def _same(one: Any, other: Any) -> bool:
    return np.array_equal(octets(one), octets(other))
