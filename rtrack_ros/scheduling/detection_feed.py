"""What a detector outside says, on its way to the tracker: in a thread, by stamp, never required.

Detections may be early, late, doubled, out of order, about an image of another size, malformed,
or stop. Nothing of that stops an image. Each kind is counted and said.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.detections import (
    DetectionCounts,
    Detections,
    PixelMap,
    Size,
    on_rgb,
    rgb_pixels,
    thermal_pixels,
)
from rtrack_ros.frames import FramePair
from rtrack_ros.scheduling.feed_report import FeedReport, Trouble
from rtrack_ros.scheduling.pair_stamps import PairStamps
from rtrack_ros.tracking.track_book import Outcome

_MOST_WAITING: Final = 8


@dataclass(frozen=True, eq=False)
class ReceivedBoxes:
    """One message of a detector, unjudged.

    Attributes:
        stamp_ns: Stamp of the image that it looked at, on the clock of the RGB stamps.
        boxes: (N, 4), x1, y1, x2, y2 in pixels of the image that it looked at.
        labels: Class name of each box, '' where it names none.
        scores: Confidence of each box, (N,).
    """

    stamp_ns: int
    boxes: BoxArray
    labels: tuple[str, ...]
    scores: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeedPixels:
    """Which image the detector looks at.

    Attributes:
        spectrum: 'rgb' or 'thermal'.
        image_size: (width, height) of a resized image; None for that of the camera.
        homography: 3x3, thermal pixels to RGB pixels; None assumes equal fields of view.
    """

    spectrum: str = 'rgb'
    image_size: Size | None = None
    homography: NDArray[np.float64] | None = None

    @property
    def thermal(self) -> bool:
        """Whether it looks at the thermal image."""
        return self.spectrum == 'thermal'

    def onto(self, pair: 'PairFacts') -> PixelMap:
        """Return the map from its pixels to those of the RGB image of a pair."""
        if not self.thermal:
            return rgb_pixels(pair.size, self.image_size)
        return thermal_pixels(pair.size, pair.thermal_size or pair.size, self.homography,
                              self.image_size)


@dataclass(frozen=True)
class PairFacts:
    """What is kept of a pair: its stamp and the sizes of its images, (width, height)."""

    stamp_ns: int
    size: Size
    thermal_size: Size | None


_Ready = tuple[ReceivedBoxes, PairFacts | None, FeedPixels]


@dataclass
class FeedCounts:
    """What became of the messages of a detector.

    Attributes:
        arrays: Messages that came.
        malformed: Messages that cannot be read.
        overtaken: Messages dropped because too many waited.
        unmatched: Messages about no pair: their stamp is that of no image.
        applied: Messages that the tracker took.
        refused: Messages that it refused: too late, or about a pair already seen; and those whose
            boxes lie where only an image of another size can have them.
        boxes: What became of the boxes.
    """

    arrays: int = 0
    malformed: int = 0
    overtaken: int = 0
    unmatched: int = 0
    applied: int = 0
    refused: int = 0
    boxes: DetectionCounts = field(default_factory=DetectionCounts)


class DetectionFeed:
    """Takes messages at once and hands them to the tracker in a thread of its own.

    A message waits until a pair of its stamp or a later one came: the camera's images take longer
    through the pairing than a fast detector. Of those that wait the oldest are dropped.

    Args:
        deliver: Takes detections; may take some milliseconds.
        pixels: Which image the detector looks at.
        monotonic: Seconds of a clock that never jumps, for silence.
        threaded: Whether messages are handed over in a thread; otherwise ``drain`` does it.
    """

    def __init__(self, deliver: Callable[[Detections], Outcome],
                 pixels: FeedPixels | None = None,
                 monotonic: Callable[[], float] = time.monotonic, threaded: bool = True) -> None:
        self._threaded = threaded
        self._deliver, self._pixels = deliver, pixels or FeedPixels()
        self._stamps: PairStamps[PairFacts] = PairStamps()
        self._waiting: deque[ReceivedBoxes] = deque()
        self.counts = FeedCounts()
        self._report = FeedReport(monotonic)
        # Guards everything above; notified when a pair or a message came, or it closes.
        self._wake = threading.Condition()
        self._closed = False
        self._busy = False
        self._thread: threading.Thread | None = None

    def configure(self, pixels: FeedPixels) -> None:
        """Take over which image the detector looks at, for what comes from now on."""
        with self._wake:
            if pixels.thermal != self._pixels.thermal:
                self._stamps.clear()
            self._pixels = pixels

    def see(self, pair: FramePair) -> None:
        """Note a pair that the tracker has taken; returns at once."""
        with self._wake:
            stamp_ns = pair.stamp_ns
            if self._pixels.thermal:
                if not pair.thermal_fresh:
                    return
                stamp_ns = pair.thermal_stamp_ns or pair.stamp_ns
            self._stamps.add(stamp_ns, PairFacts(pair.stamp_ns, (pair.width, pair.height),
                                                 pair.thermal_size))
            self._wake.notify_all()

    def offer(self, received: ReceivedBoxes) -> None:
        """Take a message; returns at once. The first one starts the thread."""
        with self._wake:
            if self._threaded and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name='detections', daemon=True)
                self._thread.start()
            self.counts.arrays += 1
            self._report.came()
            self._waiting.append(received)
            while len(self._waiting) > _MOST_WAITING:
                self._drop(self._waiting.popleft())
            self._wake.notify_all()

    def refuse(self, reason: str) -> None:
        """Count a message that cannot be read."""
        with self._wake:
            self.counts.arrays += 1
            self.counts.malformed += 1
            self._report.came()
            self._report.note(Trouble.MALFORMED, reason)

    def drain(self) -> bool:
        """Hand over all messages whose pair is known, in this thread; returns whether there were.

        For files, whose result must not depend on when a thread runs.
        """
        some = False
        while (item := self._next_ready()) is not None:
            self._try(item)
            some = True
        return some

    def reset(self) -> None:
        """Forget pairs and messages: stamps begin anew."""
        with self._wake:
            self._stamps.clear()
            self._waiting.clear()

    @property
    def complaint(self) -> str:
        """What is wrong with the detector and what to do, '' while it is well or there is none."""
        with self._wake:
            return self._report.sentence()

    def wait_idle(self, timeout_s: float = 5.0) -> bool:
        """Wait until nothing can be done any more; returns whether that came about in time."""
        with self._wake:
            return self._wake.wait_for(lambda: not (self._busy or self._ready()), timeout_s)

    def close(self, timeout_s: float = 5.0) -> bool:
        """End the thread; returns whether it ended in time."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _drop(self, received: ReceivedBoxes) -> None:
        """Count a message that is pushed out: no image of its time came, or there are too many."""
        if self._stamps.reaches(received.stamp_ns):
            self.counts.overtaken += 1
        else:
            self.counts.unmatched += 1
            self._report.note(Trouble.UNMATCHED)

    def _ready(self) -> bool:
        return any(self._stamps.reaches(one.stamp_ns) for one in self._waiting)

    def _work(self) -> None:
        while (item := self._take()) is not None:
            self._try(item)
            with self._wake:
                self._busy = False
                self._wake.notify_all()

    def _try(self, item: '_Ready') -> None:
        """Hand a message over; whatever it makes of the tracker, the next one is taken."""
        try:
            self._hand_over(*item)
        except Exception as error:
            with self._wake:
                self.counts.malformed += 1
                self._report.note(Trouble.MALFORMED, f'{type(error).__name__}: {error}')

    def _take(self) -> '_Ready | None':
        """Wait for a message whose pair is known; None closes."""
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._ready())
            if self._closed:
                return None
            self._busy = True
            return self._next_ready()

    def _next_ready(self) -> '_Ready | None':
        """Return the first message whose pair is known, None where there is none."""
        with self._wake:
            received = next((one for one in self._waiting
                             if self._stamps.reaches(one.stamp_ns)), None)
            if received is None:
                return None
            self._waiting.remove(received)
            return received, self._stamps.nearest(received.stamp_ns), self._pixels

    def _hand_over(self, received: ReceivedBoxes, pair: PairFacts | None, pixels: FeedPixels
                   ) -> None:
        if pair is None:
            with self._wake:
                self.counts.unmatched += 1
                self._report.note(Trouble.UNMATCHED)
            return
        found, boxes = on_rgb(received.boxes, received.labels, received.scores, pixels.onto(pair))
        with self._wake:
            foreign = self._report.of_another_size(boxes)
        outcome = None if foreign else self._deliver(Detections(pair.stamp_ns, found))
        with self._wake:
            self.counts.boxes += boxes
            self.counts.applied += outcome is Outcome.APPLIED
            self.counts.refused += outcome is not Outcome.APPLIED
            self._report.note_boxes(boxes, outcome)
