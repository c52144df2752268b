"""The thread of a detector of our own choice: it looks at the newest pair inside a time budget."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rtrack_ros.detections import DetectionCounts, Detections
from rtrack_ros.detectors.base import Detector
from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.detectors.looking import Look, look
from rtrack_ros.frames import FramePair

_FIRST_BACK_OFF_S: Final = 0.5
_LONGEST_BACK_OFF_S: Final = 30.0
_JITTER_NS: Final = 5_000_000
"""Stamps of a camera are not even: a look that is due so soon is due now."""


@dataclass
class LookCounts:
    """How the looks of a detector went so far.

    Attributes:
        looks: Pairs that it looked at.
        images: Images that it looked at.
        failures: Looks on which it failed.
        failed_in_a_row: Of these, those since the last success.
        last_error: Text of the last failure, empty before one.
        look_ms: Wall time of the newest look; None before one.
        boxes: What became of the boxes.
    """

    looks: int = 0
    images: int = 0
    failures: int = 0
    failed_in_a_row: int = 0
    last_error: str = ''
    look_ms: float | None = None
    boxes: DetectionCounts = field(default_factory=DetectionCounts)

    @property
    def complaint(self) -> str:
        """What is wrong, '' while all is well."""
        if not self.failed_in_a_row:
            return ''
        return f'the detector fails: {self.last_error}; objects come from the model alone'


class Looks:
    """A detector with its counts; whatever it raises is counted and never fatal.

    Args:
        detector: Finds boxes; used by one thread at a time.
        deliver: Takes what it sees.
        config: What of it is kept, and how often it looks.
    """

    def __init__(self, detector: Detector, deliver: Callable[[Detections], object],
                 config: DetectorConfig) -> None:
        self.counts, self.config = LookCounts(), config
        self._detector, self._deliver = detector, deliver
        self._looked_ns: int | None = None

    def is_due(self, pair: FramePair) -> bool:
        """Whether the rate allows a look at a pair, by its stamp alone."""
        if self._looked_ns is None or pair.stamp_ns < self._looked_ns:
            return True
        return pair.stamp_ns - self._looked_ns + _JITTER_NS >= 1e9 / self.config.rate_hz

    def look(self, pair: FramePair) -> None:
        """Look at a pair and pass on what is seen."""
        started = time.perf_counter()
        self._looked_ns = pair.stamp_ns
        try:
            seen = look(self._detector, pair, self.config)
            if seen is not None:
                self._count(seen, (time.perf_counter() - started) * 1e3)
                self._deliver(seen.detections)
        except Exception as error:
            self.counts.failures += 1
            self.counts.failed_in_a_row += 1
            self.counts.last_error = f'{type(error).__name__}: {error}'

    def _count(self, seen: Look, took_ms: float) -> None:
        counts = self.counts
        counts.looks += 1
        counts.images += seen.images
        counts.boxes += seen.counts
        counts.look_ms, counts.failed_in_a_row = took_ms, 0


def pause_s(counts: LookCounts, took_s: float, config: DetectorConfig) -> float:
    """Return for how long a detector rests after a look.

    Args:
        counts: How its looks went.
        took_s: Wall time of the look.
        config: Its share of the time, and its rate.
    """
    if counts.failed_in_a_row:
        return float(min(_FIRST_BACK_OFF_S * 2.0 ** min(counts.failed_in_a_row - 1, 16),
                         _LONGEST_BACK_OFF_S))
    return max(took_s / config.time_share, 1.0 / config.rate_hz) - took_s


class DetectorWorker:
    """Looks at the newest pair in a thread of its own.

    Args:
        looks: The detector.
    """

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._pair: FramePair | None = None
        self._closed = False
        # Guards the pair and the flag; notified when either changes.
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._work, name='detector', daemon=True)
        self._thread.start()

    def offer(self, pair: FramePair) -> None:
        """Offer the newest pair; returns at once. One that was not looked at is passed over."""
        with self._wake:
            self._pair = pair
            self._wake.notify_all()

    def withdraw(self) -> None:
        """Take back a pair that was not looked at, for a reset."""
        with self._wake:
            self._pair = None

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop after the look in work; returns whether the thread ended in time."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (pair := self._take()) is not None:
            started = time.monotonic()
            self._looks.look(pair)
            rest_s = pause_s(self._looks.counts, time.monotonic() - started, self._looks.config)
            with self._wake:
                self._wake.wait_for(lambda: self._closed, rest_s)

    def _take(self) -> FramePair | None:
        """Wait for a pair; None closes."""
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._pair is not None)
            pair, self._pair = self._pair, None
            return None if self._closed else pair
