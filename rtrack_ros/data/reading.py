"""Recorded images go through the node's own intake, one after another, as they once arrived."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rtrack_ros.data.pairs import DataError, Tally
from rtrack_ros.frames import FramePair
from rtrack_ros.intake.config import IntakeConfig
from rtrack_ros.intake.receiving import Intake, ReceivedPair
from rtrack_ros.intake.thermal_state import ThermalState

# Longer than an image can be told to wait for its partner.
_AFTER_THE_END_NS = 2_000_000_000


class Arrival(NamedTuple):
    """One image as it arrives.

    Attributes:
        time_ns: When it was received, on a clock that never goes back.
        give: Gives it to the intake.
    """

    time_ns: int
    give: Callable[[Intake], None]


class RecordedClock:
    """The time of a recording, in place of the module ``time``."""

    def __init__(self) -> None:
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        """Return when the newest image was received."""
        return self.now_ns

    def time_ns(self) -> int:
        """Return the same: the time of day was recorded."""
        return self.now_ns


class RecordedLog:
    """Keeps the first warning of each kind, and how many there were.

    Args:
        has_thermal: Whether the recording has a thermal camera; that none comes is no news else.
    """

    def __init__(self, has_thermal: bool = True) -> None:
        self._passed_over = () if has_thermal else tuple(ThermalState.__members__)
        self._first: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def warning(self, kind: str, text: str) -> None:
        """Take a warning."""
        if kind in self._passed_over:
            return
        self._first.setdefault(kind, text)
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def sentences(self) -> list[str]:
        """Return one line for each kind."""
        return [text if self._counts[kind] == 1 else f'{text} ({self._counts[kind]} times)'
                for kind, text in self._first.items()]


class RecordedPairs(ABC):
    """The frame pairs of a recording, paired, scaled and registered as the node does it.

    Args:
        config: Settings of the intake; None takes the defaults.

    Attributes:
        tally: What the newest reading used and left out; complete at its end.
        numbers: Which RGB image of its camera each pair of the newest iteration was, from 1.
    """

    def __init__(self, config: IntakeConfig | None) -> None:
        self._config = config or IntakeConfig()
        self.tally = Tally()
        self.numbers: list[int] = []

    @property
    @abstractmethod
    def fps(self) -> float:
        """RGB images per second over the whole recording."""

    @property
    @abstractmethod
    def _has_thermal(self) -> bool:
        """Whether there are images of a thermal camera."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of RGB images, as far as it is known without decoding them."""

    @abstractmethod
    def _arrivals(self, tally: Tally) -> Iterator[Arrival]:
        """Yield the images of both cameras in the order of arrival; count those not there."""

    def _explain_nothing(self) -> str:
        """Return why there is no pair at all, with the remedy."""
        reason = '; '.join(self.tally.notes[:2]) or 'it holds no image'
        return f'the recording gives no frame: {reason}'

    def __iter__(self) -> Iterator[FramePair]:
        """Yield the pair of every RGB image."""
        self.numbers = []
        for received in self.received():
            if received.number:
                self.numbers.append(received.number)
                yield received.pair

    def received(self) -> Iterator[ReceivedPair]:
        """Yield the pairs with their number, and whether tracking has to start afresh.

        Where RGB images are missing for long, pairs of a thermal image alone have the number 0.

        Raises:
            DataError: not one image could be used.
        """
        tally, clock, log = Tally(), RecordedClock(), RecordedLog(self._has_thermal)
        self.tally = tally
        intake = Intake(self._config, log, clock)
        try:
            for number, arrival in enumerate(self._arrivals(tally)):
                clock.now_ns = max(clock.now_ns, arrival.time_ns)
                if number == 0 and self._has_thermal:
                    intake.expect_thermal()
                if intake.waiting:
                    # What was due before this image came; the node has a timer for it.
                    yield from self._counted(intake, tally)
                arrival.give(intake)
                yield from self._counted(intake, tally)
            # What the silence after the end does to the thermal camera is no news to anybody.
            notes = log.sentences()
            clock.now_ns += _AFTER_THE_END_NS
            yield from self._counted(intake, tally)
        finally:
            _complete(tally, intake)
        tally.notes += notes
        if not tally.used:
            raise DataError(self._explain_nothing())

    def _counted(self, intake: Intake, tally: Tally) -> Iterator[ReceivedPair]:
        for received in intake.poll():
            if received.number:
                tally.used += 1
                tally.without_thermal += self._has_thermal and received.pair.thermal is None
            else:
                tally.thermal_alone += 1
            yield received


def _complete(tally: Tally, intake: Intake) -> None:
    """Add what the intake refused to what the recording lacks."""
    counts = intake.counts
    tally.thermal_size = intake.thermal_size
    tally.rgb.damaged += counts.rgb_refused
    tally.rgb.repeated += counts.rgb_dropped
    tally.rgb.images += counts.rgb + tally.rgb.missing
    tally.thermal.damaged += counts.thermal_refused
    tally.thermal.images += counts.thermal + tally.thermal.missing
