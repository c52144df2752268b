"""Pairs two image streams by header stamp: nearest partner, monotone output, bounded waiting.

An RGB image is the clock: each one leaves exactly once, in stamp order, with the nearest thermal
image within the slop or with none. A thermal image may serve several RGB images, so that a slow
thermal camera (9 Hz is common) still accompanies a fast RGB one. All decisions about partners use
stamps; only waiting uses the caller's clock, which may be any monotone one.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Generic, TypeVar

RgbT = TypeVar('RgbT')
ThermalT = TypeVar('ThermalT')

_MILLISECOND = 1_000_000
# Items of each stream from which their delay is known.
_ENOUGH = 3


class AddOutcome(Enum):
    """What became of an item that was given to the pairer."""

    ACCEPTED = 'accepted'
    """Taken; ``poll`` will return it, or return it as a partner."""
    DUPLICATE = 'duplicate'
    """Dropped: its stamp had been seen on its stream."""
    LATE = 'late'
    """Dropped: a newer RGB item had left already."""
    RESET = 'reset'
    """Taken, as the first one after the stamps of its stream jumped back."""

    @property
    def accepted(self) -> bool:
        """Whether the item was taken."""
        return self in (AddOutcome.ACCEPTED, AddOutcome.RESET)


@dataclass(frozen=True)
class PairedItem(Generic[RgbT, ThermalT]):
    """One RGB item with its thermal partner.

    Attributes:
        stamp_ns: Stamp of the RGB item, nanoseconds.
        rgb: What was given to ``add_rgb``.
        thermal: What was given to ``add_thermal``; None when no partner lies within the slop.
        after_reset: Stamps jumped back before this item (a bag started again, a clock was set):
            whatever the caller remembers about earlier stamps is void.
    """

    stamp_ns: int
    rgb: RgbT
    thermal: ThermalT | None
    after_reset: bool = False


@dataclass
class _Waiting(Generic[RgbT]):
    stamp_ns: int
    item: RgbT
    since_ns: int | None = None


@dataclass(frozen=True)
class _Thermal(Generic[ThermalT]):
    stamp_ns: int
    item: ThermalT


class StampPairer(Generic[RgbT, ThermalT]):
    """Pairs RGB and thermal items by stamp. Calls must come from one thread at a time.

    Args:
        slop_ns: Largest difference of stamps within a pair; raising it accepts worse partners.
        thermal_timeout_ns: Silence of the thermal stream after which RGB items leave at once;
            raising it makes RGB wait longer when the camera is unplugged.
        max_wait_ns: Longest time an RGB item waits for a partner; raising it tolerates a thermal
            camera that delivers late, at the price of latency. Nothing waits for one that
            delivers later still.
        capacity: Items kept per stream. When RGB overflows, the oldest leaves without waiting.
        reset_jump_ns: A stamp this far behind the newest of its stream is a jump back in time,
            not a late item.
    """

    def __init__(self, slop_ns: int = 20 * _MILLISECOND,
                 thermal_timeout_ns: int = 500 * _MILLISECOND,
                 max_wait_ns: int = 50 * _MILLISECOND, capacity: int = 32,
                 reset_jump_ns: int = 500 * _MILLISECOND) -> None:
        if min(slop_ns, thermal_timeout_ns, max_wait_ns) < 0 or capacity < 1:
            raise ValueError('slop_ns, thermal_timeout_ns and max_wait_ns must not be negative, '
                             'and capacity must be at least 1')
        self.slop_ns = slop_ns
        self.thermal_timeout_ns = thermal_timeout_ns
        self._max_wait_ns = max_wait_ns
        self._capacity = capacity
        self._reset_jump_ns = reset_jump_ns
        self._waiting: list[_Waiting[RgbT]] = []
        self._thermal: list[_Thermal[ThermalT]] = []
        self._flushed: list[PairedItem[RgbT, ThermalT]] = []
        self._last_out_ns: int | None = None
        self._reset_pending = False
        self._thermal_arrived = False
        self._thermal_seen_ns: int | None = None
        self._expected_until_ns = 0
        self._periods: deque[int] = deque(maxlen=15)
        self._offsets: deque[int] = deque(maxlen=61)
        self._unseen: list[tuple[deque[int], int]] = []
        self._lateness: tuple[deque[int], deque[int]] = (deque(maxlen=61), deque(maxlen=61))

    @property
    def offset_ns(self) -> int | None:
        """Median of nearest thermal stamp minus RGB stamp, also beyond the slop; None at first."""
        return int(median(self._offsets)) if self._offsets else None

    @property
    def delay_ns(self) -> int | None:
        """By how much later a thermal item arrives than the RGB item of the same stamp; median.

        By the clock given to ``poll``. None until some of both arrived. A late delivery and
        stamps that lag behind look alike here; only the pictures tell them apart.
        """
        rgb, thermal = self._lateness
        enough = min(len(rgb), len(thermal)) >= _ENOUGH
        return int(median(thermal) - median(rgb)) if enough else None

    @property
    def thermal_period_ns(self) -> int | None:
        """Median distance of thermal stamps; None before the third item."""
        return int(median(self._periods)) if len(self._periods) >= 2 else None

    @property
    def waiting(self) -> int:
        """RGB items that were taken and that ``poll`` has not returned yet."""
        return len(self._waiting) + len(self._flushed)

    def add_rgb(self, stamp_ns: int, item: RgbT) -> AddOutcome:
        """Take one RGB item; ``poll`` returns it, alone or paired, unless it is dropped here."""
        outcome = AddOutcome.ACCEPTED
        newest = self._newest_rgb_ns()
        if newest is not None and stamp_ns <= newest - self._reset_jump_ns:
            self._jump_back(stamp_ns)
            outcome = AddOutcome.RESET
        elif self._last_out_ns is not None and stamp_ns < self._last_out_ns:
            return AddOutcome.LATE
        if stamp_ns == self._last_out_ns or any(w.stamp_ns == stamp_ns for w in self._waiting):
            return AddOutcome.DUPLICATE
        self._unseen.append((self._lateness[0], stamp_ns))
        self._waiting.append(_Waiting(stamp_ns, item))
        self._waiting.sort(key=lambda waiting: waiting.stamp_ns)
        while len(self._waiting) > self._capacity:
            self._flushed.append(self._release(self._waiting.pop(0)))
        return outcome

    def add_thermal(self, stamp_ns: int, item: ThermalT) -> AddOutcome:
        """Take one thermal item; it is never late, since it may still serve a waiting RGB item."""
        outcome = AddOutcome.ACCEPTED
        if any(thermal.stamp_ns == stamp_ns for thermal in self._thermal):
            return AddOutcome.DUPLICATE
        self._thermal_arrived = True
        if self._thermal:
            newest = self._thermal[-1].stamp_ns
            if stamp_ns <= newest - self._reset_jump_ns:
                self._forget_thermal(stamp_ns)
                self._periods.clear()
                self._lateness[1].clear()
                outcome = AddOutcome.RESET
            elif stamp_ns > newest:
                self._periods.append(stamp_ns - newest)
        self._unseen.append((self._lateness[1], stamp_ns))
        self._thermal.append(_Thermal(stamp_ns, item))
        self._thermal.sort(key=lambda thermal: thermal.stamp_ns)
        del self._thermal[:-self._capacity]
        return outcome

    def poll(self, now_ns: int) -> list[PairedItem[RgbT, ThermalT]]:
        """Return what is ready, in stamp order.

        Call it after every ``add_...`` so that a pair leaves the moment its partner arrives, and
        from a timer (5 to 10 ms) so that an RGB item without partner leaves in time.

        Args:
            now_ns: The caller's clock in nanoseconds; only differences matter.
        """
        if self._thermal_arrived:
            self._thermal_seen_ns, self._thermal_arrived = now_ns, False
        for lateness, stamp_ns in self._unseen:
            lateness.append(now_ns - stamp_ns)
        self._unseen.clear()
        ready, self._flushed = self._flushed, []
        for waiting in self._waiting:
            if waiting.since_ns is None:
                waiting.since_ns = now_ns
        while self._waiting and self._decided(self._waiting[0], now_ns):
            ready.append(self._release(self._waiting.pop(0)))
        return ready

    def expect_thermal(self, now_ns: int) -> None:
        """Let RGB items wait for a first thermal item as for a later one, for the timeout.

        To be called where it is known that there is a thermal camera.
        """
        self._expected_until_ns = now_ns + self.thermal_timeout_ns

    def pass_over(self, stamp_ns: int) -> bool:
        """Let no RGB item up to a stamp leave any more; returns whether none left after it."""
        if self._waiting or (self._last_out_ns is not None and stamp_ns <= self._last_out_ns):
            return False
        self._last_out_ns = stamp_ns
        return True

    @property
    def thermal_came(self) -> bool:
        """Whether a thermal item ever came."""
        return self._thermal_arrived or self._thermal_seen_ns is not None

    def thermal_alive(self, now_ns: int) -> bool:
        """Whether a thermal item came within the timeout, by the clock given to ``poll``."""
        seen = self._thermal_seen_ns
        return self._thermal_arrived or (
            seen is not None and now_ns - seen < self.thermal_timeout_ns)

    def _decided(self, waiting: _Waiting[RgbT], now_ns: int) -> bool:
        """Whether no better partner can be expected, or waiting for it has cost enough."""
        expected = not self.thermal_came and now_ns < self._expected_until_ns
        if not expected and not self.thermal_alive(now_ns):
            return True
        if self._thermal and self._thermal[-1].stamp_ns >= waiting.stamp_ns:
            return True
        since = now_ns if waiting.since_ns is None else waiting.since_ns
        return now_ns - since >= self._max_wait_ns or not self._better_expected(waiting)

    def _better_expected(self, waiting: _Waiting[RgbT]) -> bool:
        """Whether a nearer partner, by the stream's period and delay, would come in time."""
        period = self.thermal_period_ns
        if (self.delay_ns or 0) > self._max_wait_ns:
            return False
        nearest = self._nearest(waiting.stamp_ns)
        usable = nearest is not None and self._within(nearest, waiting.stamp_ns)
        if period is None or nearest is None:
            return not usable
        newest = self._thermal[-1].stamp_ns
        periods = max(1, round((waiting.stamp_ns - newest) / period))
        expected = abs(newest + periods * period - waiting.stamp_ns)
        # A quarter of a period of jitter is allowed for before a partner is given up, and is
        # demanded before an acceptable partner is passed over for a promised better one.
        if usable:
            return expected + period // 4 < abs(nearest.stamp_ns - waiting.stamp_ns)
        return expected - period // 4 <= self.slop_ns

    def _release(self, waiting: _Waiting[RgbT]) -> PairedItem[RgbT, ThermalT]:
        partner = self._nearest(waiting.stamp_ns)
        if partner is not None:
            self._offsets.append(partner.stamp_ns - waiting.stamp_ns)
            if not self._within(partner, waiting.stamp_ns):
                partner = None
        self._last_out_ns = waiting.stamp_ns
        after_reset, self._reset_pending = self._reset_pending, False
        return PairedItem(waiting.stamp_ns, waiting.item,
                          None if partner is None else partner.item, after_reset)

    def _nearest(self, stamp_ns: int) -> _Thermal[ThermalT] | None:
        return min(self._thermal, key=lambda thermal: abs(thermal.stamp_ns - stamp_ns),
                   default=None)

    def _within(self, thermal: _Thermal[ThermalT], stamp_ns: int) -> bool:
        return abs(thermal.stamp_ns - stamp_ns) <= self.slop_ns

    def _newest_rgb_ns(self) -> int | None:
        return self._waiting[-1].stamp_ns if self._waiting else self._last_out_ns

    def _jump_back(self, stamp_ns: int) -> None:
        self._flushed.extend(self._release(waiting) for waiting in self._waiting)
        self._waiting.clear()
        self._forget_thermal(stamp_ns)
        self._offsets.clear()
        self._unseen.clear()
        for lateness in self._lateness:
            lateness.clear()
        self._last_out_ns = None
        self._reset_pending = True

    def _forget_thermal(self, stamp_ns: int) -> None:
        """Drop thermal items of the time before a jump to ``stamp_ns``."""
        self._thermal = [thermal for thermal in self._thermal
                         if thermal.stamp_ns < stamp_ns + self._reset_jump_ns]
