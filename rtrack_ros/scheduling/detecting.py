"""All that says where objects are: a detector outside, one of our own choice, or none."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from rtrack_ros.detections import Detections
from rtrack_ros.detectors.base import Detector
from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.frames import FramePair
from rtrack_ros.scheduling.detection_feed import DetectionFeed, FeedPixels
from rtrack_ros.scheduling.detector_worker import DetectorWorker, LookCounts, Looks
from rtrack_ros.tracking.track_book import Outcome


@dataclass(frozen=True)
class Sources:
    """Who says where objects are.

    Attributes:
        detector: One of our own choice; None for none.
        config: How it looks.
        feed: Which image a detector outside looks at.
    """

    detector: Detector | None = None
    config: DetectorConfig = field(default_factory=DetectorConfig)
    feed: FeedPixels = field(default_factory=FeedPixels)


class Detecting:
    """Shows every pair to the detectors, and hands on what they see.

    Args:
        deliver: Takes detections, from any thread.
        sources: The detectors.
        synchronous: Whether all is done inside ``see``, as for files, and our own one looks at
            intervals of stamp time; otherwise each has a thread of its own.
    """

    def __init__(self, deliver: Callable[[Detections], Outcome], sources: Sources,
                 synchronous: bool) -> None:
        self._now_s, self._in_turn = 0.0, synchronous
        # In a file, time is that of its stamps.
        self.feed = DetectionFeed(
            deliver, sources.feed, threaded=not synchronous,
            **({'monotonic': lambda: self._now_s} if synchronous else {}))
        self._looks = None if sources.detector is None else Looks(
            sources.detector, deliver, sources.config)
        self._worker = None if synchronous or self._looks is None else DetectorWorker(self._looks)

    def see(self, pair: FramePair) -> bool:
        """Show a pair that was tracked; returns whether tracks changed by that."""
        self._now_s = pair.stamp_ns * 1e-9
        self.feed.see(pair)
        fed = self._in_turn and self.feed.drain()
        if self._worker is not None:
            self._worker.offer(pair)
        elif self._looks is not None and self._looks.is_due(pair):
            self._looks.look(pair)
            return True
        return fed

    def reset(self) -> None:
        """Forget pairs: stamps begin anew."""
        self.feed.reset()
        if self._worker is not None:
            self._worker.withdraw()

    def close(self) -> bool:
        """End the threads; returns whether they ended in time."""
        ended = self._worker is None or self._worker.close()
        return self.feed.close() and ended

    @property
    def looked(self) -> LookCounts:
        """How the looks of our own detector went."""
        return LookCounts() if self._looks is None else self._looks.counts

    @property
    def facts(self) -> dict[str, float]:
        """What was counted, by name, for diagnostics."""
        fed, looked = self.feed.counts, self.looked
        boxes = fed.boxes + looked.boxes
        return {'detection_arrays': fed.arrays, 'detections_malformed': fed.malformed,
                'detections_overtaken': fed.overtaken, 'detections_unmatched': fed.unmatched,
                'detector_looks': looked.looks, 'detector_failures': looked.failures,
                'detector_look_ms': math.nan if looked.look_ms is None else looked.look_ms,
                'boxes_clipped': boxes.clipped, 'boxes_dropped': boxes.dropped}

    @property
    def complaint(self) -> str:
        """What is wrong with a detector and what to do, '' while all is well."""
        return self.looked.complaint or self.feed.complaint
