"""The tracker's state: all tracks, and the frames they were seen on.

Everything here is called with the tracker's lock held.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum

from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.history.ring import MIN_SPAN_S, History
from rtrack_ros.tracking.motion.filter_step import update
from rtrack_ros.tracking.output import as_published
from rtrack_ros.tracking.track import Track
from rtrack_ros.tracking.tracklet import Tracklet, box_statuses

Key = tuple[str, int]
"""Id and epoch of a query."""


class Outcome(Enum):
    """What became of an answer.

    Attributes:
        APPLIED: It corrected its frame and everything since.
        LATE: It is about a frame older than the history.
        STALE_EPOCH: Its query was replaced or removed.
        DUPLICATE: A second answer to one query about one frame.
        UNKNOWN_FRAME: It is about a stamp that no pair had.
    """

    APPLIED = 'applied'
    LATE = 'late'
    STALE_EPOCH = 'stale_epoch'
    DUPLICATE = 'duplicate'
    UNKNOWN_FRAME = 'unknown_frame'


@dataclass
class TrackerCounts:
    """How the run went so far.

    Attributes:
        frames: Pairs stepped; a pair that repeats the last stamp is not counted.
        resets: Backward stamps and calls of ``reset``.
        births: Tracks begun.
        removals: Tracks ended.
        recovered: Lost tracks found again under their id.
        outcomes: What became of whole answers.
        partial: Times that boxes of an answer still being written were applied.
    """

    frames: int = 0
    resets: int = 0
    births: int = 0
    removals: int = 0
    recovered: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    partial: int = 0


class TrackBook:
    """All tracks, the ring of past frames, and which queries are active.

    Attributes:
        config: Settings of the tracker.
        counts: How the run went so far.
        history: The ring of past frames.
        tracklets: Tracks by id.
        active: The active queries.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self.config = config
        self.counts = TrackerCounts()
        self.history = History(*_span_s(config))
        self.tracklets: dict[int, Tracklet] = {}
        self.active: frozenset[Key] = frozenset()
        self._next_id = 1

    def reconfigure(self, config: TrackerConfig) -> None:
        """Take over settings; tracks and frames stay."""
        self.config = config
        self.history.resize(*_span_s(config))

    def keep_only(self, queries: Sequence[Query]) -> None:
        """Take over the active queries and end the tracks of all others."""
        self.active = frozenset((query.id, query.epoch) for query in queries)
        self.remove({tracklet.id for tracklet in self.tracklets.values()
                     if tracklet.key not in self.active})

    def begin_frame(self, stamp_ns: int) -> Frame | None:
        """Return the newest frame; a stamp before it forgets everything and gives None."""
        newest = self.history.newest
        if newest is not None and stamp_ns < newest.stamp_ns:
            self.forget_all()
        return self.history.newest

    def followed(self, frame: Frame) -> list[int]:
        """Return the tracks on a frame that flow still follows: not too long without it."""
        limit = self.config.lost_after_s
        return [track_id for track_id in frame.states
                if frame.coasting_s.get(track_id, 0.0) <= limit]

    def advance(self, frame: Frame) -> None:
        """Add the newest frame, move all tracks to it and judge them there."""
        before = self.history.newest
        self.history.append(frame)
        self.counts.frames += 1
        if before is not None:
            update(before, frame, list(before.states), self.config)
        self.update_states(frame)

    def update_states(self, frame: Frame, only: Collection[int] | None = None) -> None:
        """Decide the states of tracks on a frame; ``only`` these, None for all."""
        ids = [track_id for track_id in frame.states if only is None or track_id in only]
        statuses = box_statuses(frame, ids, frame.stack(ids))
        self.remove({track_id for track_id, status in zip(ids, statuses, strict=True)
                     if not self.tracklets[track_id].update_state(status, self.config)})

    def published(self) -> list[Track]:
        """Return all tracks as of the newest frame."""
        frame = self.history.newest
        return [] if frame is None else as_published(frame, self.tracklets, self.config)

    def refusal(self, answer: Answer) -> Outcome | None:
        """Return why an answer cannot be applied, None where it can."""
        if (answer.query_id, answer.epoch) not in self.active:
            return Outcome.STALE_EPOCH
        frame = self.history.at(answer.stamp_ns)
        if frame is None:
            oldest = self.history.oldest_ns
            older = oldest is not None and answer.stamp_ns < oldest
            return Outcome.LATE if older else Outcome.UNKNOWN_FRAME
        if (answer.query_id, answer.epoch) in frame.answered:
            return Outcome.DUPLICATE
        return None

    def of_query(self, key: Key) -> list[Tracklet]:
        """Return the tracks of one query."""
        return [tracklet for tracklet in self.tracklets.values() if tracklet.key == key]

    def add(self, key: Key, label: str, existence: float, stamp_ns: int) -> Tracklet:
        """Begin a track under the next id and return it.

        Args:
            key: Its query.
            label: The model's word for it.
            existence: Probability that it is there and matches the sentence.
            stamp_ns: Stamp of the frame on which an answer contains it.
        """
        tracklet = Tracklet(self._next_id, *key, label, existence, stamp_ns, stamp_ns)
        self._next_id += 1
        self.tracklets[tracklet.id] = tracklet
        self.counts.births += 1
        return tracklet

    def rejudge(self, key: Key, frames: Sequence[Frame]) -> None:
        """Judge a query's tracks again on ``frames``, as if its answer had come at once."""
        own = self.of_query(key)
        for tracklet in own:
            tracklet.rejudge(frames[0].stamp_ns)
            tracklet.settle(self.history.oldest_ns or 0, self.config.existence_decay_s)
        for frame in frames:
            self.update_states(frame, {tracklet.id for tracklet in own})

    def remove(self, track_ids: set[int]) -> None:
        """End tracks, on every frame."""
        if track_ids:
            self.history.forget(track_ids)
            for track_id in track_ids:
                del self.tracklets[track_id]
            self.counts.removals += len(track_ids)

    def forget_all(self) -> None:
        """Forget all frames and tracks; ids go on counting."""
        self.counts.removals += len(self.tracklets)
        self.counts.resets += 1
        self.tracklets.clear()
        self.history.clear()


def _span_s(config: TrackerConfig) -> tuple[float, float]:
    """Return how long frames are kept at least and at most, seconds."""
    return min(MIN_SPAN_S, config.history_length_s), config.history_length_s
