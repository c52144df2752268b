"""The tracker's state: all objects, and the frames they were seen on.

Everything here is called with the tracker's lock held.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from rtrack_ros.language.class_words import Agreement, Kind, kind_of
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.belief import Certainty, Key
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.history.ring import MIN_SPAN_S, History
from rtrack_ros.tracking.memory import Departed, Memory
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.filter_step import update
from rtrack_ros.tracking.output import as_published
from rtrack_ros.tracking.track import Track
from rtrack_ros.tracking.tracklet import Tracklet, box_statuses

DETECTOR_SILENT_S: Final = 1.0
"""A detector that said nothing for longer than this does not vouch for objects."""
_MOST_WORDS: Final = 1000


class Outcome(Enum):
    """What became of an answer, a verdict or a set of detections.

    Attributes:
        APPLIED: It corrected its frame and everything since.
        LATE: It is about a frame older than the history.
        STALE_EPOCH: Its query was replaced or removed.
        DUPLICATE: A second answer to one query about one frame.
        UNKNOWN_FRAME: It is about a stamp that no pair had.
        UNKNOWN_TRACK: It is about a track that has ended.
    """

    APPLIED = 'applied'
    LATE = 'late'
    STALE_EPOCH = 'stale_epoch'
    DUPLICATE = 'duplicate'
    UNKNOWN_FRAME = 'unknown_frame'
    UNKNOWN_TRACK = 'unknown_track'


@dataclass
class TrackerCounts:
    """How the run went so far.

    Attributes:
        frames: Pairs stepped; a pair that repeats the last stamp is not counted.
        resets: Backward stamps and calls of ``reset``.
        births: Tracks begun.
        removals: Tracks ended.
        recovered: Objects that a sentence had lost and found again under their id.
        returned: Objects that were gone and got their id back.
        merged: Tracks that turned out to follow the object of an older track.
        outcomes: What became of whole answers.
        partial: Times that boxes of an answer still being written were applied.
        detections: What became of sets of detections.
        verdicts: What became of verdicts.
    """

    frames: int = 0
    resets: int = 0
    births: int = 0
    removals: int = 0
    recovered: int = 0
    returned: int = 0
    merged: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    partial: int = 0
    detections: Counter[Outcome] = field(default_factory=Counter)
    verdicts: Counter[Outcome] = field(default_factory=Counter)


class TrackBook:
    """All tracks, the ring of past frames, and which queries are active.

    Attributes:
        config: Settings of the tracker.
        counts: How the run went so far.
        history: The ring of past frames.
        tracklets: Tracks by id.
        active: The active queries.
        shown: Those of them that mean one target, shown in a box.
        kinds: By sentence, the kind of thing that it means, where that is known.
        detected_ns: Stamp of the newest frame that a detector spoke about, None if none did.
        spoken: Words that a detector ever said.
        memory: Objects that are gone.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self.config = config
        self.counts = TrackerCounts()
        self.history = History(*_span_s(config))
        self.tracklets: dict[int, Tracklet] = {}
        self.active: frozenset[Key] = frozenset()
        self.shown: frozenset[Key] = frozenset()
        self.kinds: dict[Key, Kind] = {}
        self.detected_ns: int | None = None
        self.spoken: set[str] = set()
        self.memory = Memory()
        self._next_id = 1

    def reconfigure(self, config: TrackerConfig) -> None:
        """Take over settings; tracks and frames stay."""
        self.config = config
        self.history.resize(*_span_s(config))

    def keep_only(self, queries: Sequence[Query]) -> None:
        """Take over the active queries. Objects stay, and with them their ids."""
        active = frozenset((query.id, query.epoch) for query in queries)
        self.shown = frozenset((query.id, query.epoch) for query in queries if query.by_template)
        if active != self.active:
            self.active = active
            kinds = {(query.id, query.epoch): kind_of(query.text) for query in queries
                     if not query.by_template}
            self.kinds = {key: kind for key, kind in kinds.items() if kind is not None}
            for tracklet in self.tracklets.values():
                tracklet.keep_only(active)
                self.weigh_names(tracklet)

    def weigh_names(self, tracklet: Tracklet) -> None:
        """Weigh what a detector calls an object for every sentence."""
        tracklet.leanings = {}
        for key, kind in self.kinds.items() if tracklet.votes.weights else ():
            leaning, votes = (tracklet.votes.leaning(kind, self.config),
                              tracklet.votes.whole(kind))
            if leaning != 1.0:
                tracklet.leanings[key] = leaning
            if kind.every and votes >= 1.0:
                tracklet.named(key, votes, tracklet.detected_ns)

    def hear(self, words: Iterable[str]) -> None:
        """Take note of words that a detector says; of one that invents words, of some."""
        self.spoken.update(word for word in words if len(self.spoken) < _MOST_WORDS)

    def watched(self, key: Key | None, stamp_ns: int) -> bool:
        """Whether a detector that knows the kind of thing that a sentence means looks for it.

        It knows the kinds whose words it ever said.
        """
        kind = None if key is None else self.kinds.get(key)
        return (kind is not None and self.detected_ns is not None
                and abs(stamp_ns - self.detected_ns) <= DETECTOR_SILENT_S * 1e9
                and any(kind.agreement(word) is Agreement.SAME for word in self.spoken))

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

    def targets(self) -> list[Tracklet]:
        """Return the tracks that were shown in a box."""
        return [tracklet for tracklet in self.tracklets.values()
                if self.shown & tracklet.standings.keys()] if self.shown else []

    def advance(self, frame: Frame) -> None:
        """Add the newest frame, move all tracks to it and judge them there."""
        before = self.history.newest
        self.history.append(frame)
        self.counts.frames += 1
        if before is not None:
            update(before, frame, list(before.states), self.config)
        for track_id in frame.sightings.keys() & frame.states.keys():
            for key in self.shown & self.tracklets[track_id].standings.keys():
                self.tracklets[track_id].sighted(key, frame.stamp_ns)
        self.update_states(frame)

    def update_states(self, frame: Frame, only: Collection[int] | None = None) -> None:
        """Decide the states of tracks on a frame; ``only`` these, None for all."""
        ids = [track_id for track_id in frame.states if only is None or track_id in only]
        statuses, least = box_statuses(frame, ids, frame.stack(ids)), self._least_unmeant(frame)
        self.remove({track_id for track_id, status in zip(ids, statuses, strict=True)
                     if not self.tracklets[track_id].update_state(status, least, self.config)})

    def _least_unmeant(self, frame: Frame) -> float:
        """Return the existence below which an object that no sentence means is forgotten."""
        if (self.detected_ns is not None
                and frame.stamp_ns - self.detected_ns <= DETECTOR_SILENT_S * 1e9):
            return self.config.min_score
        return self.config.unmeant_existence

    def published(self) -> list[Track]:
        """Return all tracks as of the newest frame."""
        frame = self.history.newest
        return [] if frame is None else as_published(
            frame, self.tracklets, self.active, self.config)

    def refusal(self, stamp_ns: int, key: Key | None) -> Outcome | None:
        """Return why what is said about a frame cannot be applied, None where it can.

        Args:
            stamp_ns: Stamp of the frame.
            key: The sentence; None for a detector.
        """
        if key is not None and key not in self.active:
            return Outcome.STALE_EPOCH
        frame = self.history.at(stamp_ns)
        if frame is None:
            oldest = self.history.oldest_ns
            older = oldest is not None and stamp_ns < oldest
            return Outcome.LATE if older else Outcome.UNKNOWN_FRAME
        return Outcome.DUPLICATE if key in frame.answered or key in frame.withdrawn else None

    def withdraw(self, frame: Frame, key: Key) -> int:
        """End the tracks that rest on nothing but an unfinished answer; returns how many.

        Args:
            frame: What the answer was about.
            key: Its sentence.
        """
        listed = set(frame.applied_boxes.pop(key, {}).values())
        begun = {track_id for track_id in listed & self.tracklets.keys()
                 if self.tracklets[track_id].rests_on(key, frame.stamp_ns)}
        self.remove(begun)
        return len(begun)

    def on(self, frame: Frame) -> list[Tracklet]:
        """Return the tracks that exist on a frame."""
        return [tracklet for tracklet in self.tracklets.values() if tracklet.id in frame.states]

    def add(self, label: str, certainty: Certainty, stamp_ns: int,
            known_id: int | None = None) -> Tracklet:
        """Begin a track and return it.

        Args:
            label: The model's or the detector's word for it.
            certainty: What is believed of it.
            stamp_ns: Stamp of the frame on which it was first seen.
            known_id: The id of an object that is taken for it; None gives the next id.
        """
        if known_id is None:
            known_id, self._next_id = self._next_id, self._next_id + 1
        else:
            self.counts.returned += 1
        tracklet = Tracklet(known_id, label, certainty, stamp_ns)
        self.tracklets[tracklet.id] = tracklet
        self.counts.births += 1
        return tracklet

    def rejudge(self, frames: Sequence[Frame]) -> None:
        """Judge all tracks again on ``frames``, as if all was said of the first at once."""
        for tracklet in self.tracklets.values():
            tracklet.rejudge(frames[0].stamp_ns)
            tracklet.settle(self.history.oldest_ns or 0, self.config)
        for frame in frames:
            self.update_states(frame)

    def merge(self, kept: int, dropped: int) -> None:
        """End a track that follows the object of another one, which takes over its sentences."""
        other = self.tracklets[dropped]
        self.tracklets[kept].absorb(other)
        self.weigh_names(self.tracklets[kept])
        self.remove({dropped})
        self.counts.merged += 1

    def remove(self, track_ids: set[int]) -> None:
        """End tracks, on every frame. An object that was sure is remembered by its looks."""
        if track_ids:
            self._remember(track_ids)
            self.history.forget(track_ids)
            for track_id in track_ids:
                del self.tracklets[track_id]
            for tracklet in self.tracklets.values():
                for track_id in track_ids & tracklet.distinct_from.keys():
                    del tracklet.distinct_from[track_id]
            self.counts.removals += len(track_ids)

    def _remember(self, track_ids: Collection[int]) -> None:
        frame = self.history.newest
        if frame is None or not self.config.memory_s:
            return
        for track_id in track_ids:
            tracklet, state = self.tracklets[track_id], frame.states.get(track_id)
            if state is not None and tracklet.appearance and tracklet.was_sure:
                self.memory.keep(Departed(track_id, tracklet.label, tracklet.appearance,
                                          kalman.boxes_of(state[None])[0], frame.stamp_ns))

    def forget_all(self) -> None:
        """Forget all frames and tracks; ids go on counting."""
        self.counts.removals += len(self.tracklets)
        self.counts.resets += 1
        self.tracklets.clear()
        self.history.clear()
        self.memory.forget_all()
        self.detected_ns = None
        self.spoken.clear()


def _span_s(config: TrackerConfig) -> tuple[float, float]:
    """Return how long frames are kept at least and at most, seconds."""
    return min(MIN_SPAN_S, config.history_length_s), config.history_length_s
