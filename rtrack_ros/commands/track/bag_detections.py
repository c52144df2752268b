"""Detections on a topic of a bag, handed over when they once came: late and out of order."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rtrack_ros.commands import CommandError

if TYPE_CHECKING:
    from rtrack_ros.intake.receiving import ReceivedPair
    from rtrack_ros.pipeline import TrackingPipeline
    from rtrack_ros.scheduling.detection_feed import DetectionFeed
    from rtrack_ros.tracking.track import Track

_STORED: Final = ('.mcap', '.db3')


def is_bag(path: Path) -> bool:
    """Whether a path is a recording, and no text file."""
    return path.is_dir() or path.suffix in _STORED


@dataclass
class BagDetections:
    """The messages of a detector in a recording.

    Attributes:
        messages: Messages and when each was recorded, nanoseconds.
        offset_ns: What the clock of the images that it looked at is ahead of the RGB stamps.
    """

    messages: Iterator[tuple[Any, int]]
    offset_ns: int = 0

    def __post_init__(self) -> None:
        self._waiting: tuple[Any, int] | None = None
        self._feed: DetectionFeed | None = None

    def offer(self, pipeline: 'TrackingPipeline', received: 'ReceivedPair') -> None:
        """Hand over what had come by the time of a pair, before the pair is tracked."""
        self._feed = pipeline.detecting.feed
        for message in self._until(received.received_ns):
            self._give(self._feed, message)

    def hand_over(self, pipeline: 'TrackingPipeline', received: 'ReceivedPair'
                  ) -> 'list[Track] | None':
        """Do nothing: the pipeline took what was offered."""
        return None

    @property
    def summary(self) -> str:
        """What became of the messages and boxes, in a line."""
        if self._feed is None:
            return 'no detections'
        counts, wrong = self._feed.counts, self._feed.complaint
        lost = [f'{number} {what}' for what, number in (
            ('are about no image', counts.unmatched), ('cannot be read', counts.malformed),
            ('were refused', counts.refused), ('were pushed out', counts.overtaken)) if number]
        text = f'{counts.arrays} messages of detections, {counts.boxes.kept} boxes used'
        return ', '.join([text, *lost]) + (f'; at the end: {wrong}' if wrong else '')

    def _until(self, time_ns: int) -> Iterator[Any]:
        def came(item: tuple[Any, int]) -> bool:
            if item[1] <= time_ns:
                return True
            self._waiting = item
            return False

        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            if not came(waiting):
                return
            yield waiting[0]
        for message, _ in takewhile(came, self.messages):
            yield message

    def _give(self, feed: 'DetectionFeed', message: Any) -> None:
        from rtrack_ros.scheduling.detection_message import received_boxes

        try:
            feed.offer(received_boxes(message, self.offset_ns))
        except ValueError as error:
            feed.refuse(str(error))


def bag_detections(path: Path, topic: str | None, offset_ns: int) -> BagDetections:
    """Return the detections of a recording.

    Args:
        path: Recording.
        topic: Of the detections; None takes the only one.
        offset_ns: See :class:`BagDetections`.

    Raises:
        CommandError: there is no such topic.
        DataError: the recording cannot be read, or it is not clear which topic is meant.
    """
    from rtrack_ros.data.recording import (
        DETECTIONS_TOPIC,
        TRACKS_TYPE,
        find_detections,
        read_messages,
    )

    chosen = find_detections(path, topic)
    if chosen is None:
        raise CommandError(f'{path} holds no {TRACKS_TYPE}; name the topic of a detector, as in '
                           f'{path}:{DETECTIONS_TOPIC}')
    return BagDetections(read_messages(path, chosen), offset_ns)
