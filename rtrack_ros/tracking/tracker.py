"""The tracker: every pair moves all tracks at once; an answer, however late, corrects the past.

``step`` belongs to the camera's thread and never waits for a model. ``apply`` belongs to the
model's thread; it computes flow and association on its own time and holds the lock only to read
the past and to write the result. Times are header stamps throughout.
"""

import math
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from rtrack_ros.boxes import as_boxes
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.appearance.histogram import appearance_of
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.delay.correction import (
    AnsweredFrame,
    Change,
    Correction,
    correct_past,
)
from rtrack_ros.tracking.delay.propagation import Propagator
from rtrack_ros.tracking.delay.replay import replay
from rtrack_ros.tracking.existence import initial_existence, objectness_ratio
from rtrack_ros.tracking.history.frame import Frame, Motion
from rtrack_ros.tracking.history.ring import MIN_SPAN_S, History
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.field import MotionSource, OpticalFlow
from rtrack_ros.tracking.motion.filter_step import correct, update
from rtrack_ros.tracking.motion.frame_to_frame import measure_newest
from rtrack_ros.tracking.output import as_published
from rtrack_ros.tracking.redetection import Redetector
from rtrack_ros.tracking.track import Track, TrackState
from rtrack_ros.tracking.tracklet import Tracklet, box_statuses

# A track without flow for so long takes no motion on that does not look like it.
_DOUBT_AFTER_S = 0.06
_CATCH_UPS = 4
_LONGEST_WAIT_S = 0.05


def _span_s(config: TrackerConfig) -> tuple[float, float]:
    """Return how long frames are kept at least and at most, seconds."""
    return min(MIN_SPAN_S, config.history_length_s), config.history_length_s


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
        frames: Pairs stepped; a pair with the stamp of the pair before is none.
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


class Tracker:
    """Follows what the answers name, at the rate of the camera.

    Two threads use it: that of frames (``step`` and all the rest) and that of answers (``apply``).

    Args:
        config: Settings; None takes the defaults.
        motion: Measures motion between frames; None takes optical flow.
        redetector: Looks for tracks on new frames; None takes the Siamese network.
        propagator: Carries boxes of late answers to now; None makes one of ``motion``.
    """

    def __init__(self, config: TrackerConfig | None = None, motion: MotionSource | None = None,
                 redetector: Redetector | None = None, propagator: Propagator | None = None
                 ) -> None:
        self.config = config or TrackerConfig()
        self.counts = TrackerCounts()
        self._motion = motion or OpticalFlow()
        self._redetector = redetector or Redetector()
        self._propagator = propagator or Propagator(self._motion)
        # Guards the ring, what its frames hold by track, the tracklets and the active queries.
        # Held for a read or a write, never while motion is measured. Not guarded: what only one
        # thread writes and Python reads whole (a tracklet's template, appearance and
        # redetected_ns), and past frames, which `apply` reads from a list of its own.
        self._lock = threading.Lock()
        # One answer at a time, as the propagator's network serves one thread. Taken before _lock.
        self._answer_lock = threading.Lock()
        # No lock: clear while a frame is stepped, so that an answer's long work can wait for it.
        self._no_frame = threading.Event()
        self._no_frame.set()
        self._history = History(*_span_s(self.config))
        self._prepare(self.config)
        self._tracklets: dict[int, Tracklet] = {}
        self._active: frozenset[tuple[str, int]] = frozenset()
        self._next_id = 1

    def step(self, pair: FramePair, queries: Sequence[Query]) -> list[Track]:
        """Move all tracks to a new frame pair and return them, lost and tentative ones included.

        Tracks of queries that are not in ``queries`` end at once. A stamp before the last one
        forgets all tracks, as a clock that jumped voids everything known about time.

        Args:
            pair: The newest frame pair.
            queries: The active queries.
        """
        self._no_frame.clear()
        try:
            return self._step(pair, queries)
        finally:
            self._no_frame.set()

    def _step(self, pair: FramePair, queries: Sequence[Query]) -> list[Track]:
        with self._lock:
            self._keep_only(queries)
            before = self._begin_frame(pair.stamp_ns)
            if before is not None and before.stamp_ns == pair.stamp_ns:
                return self._published()
            ids = [] if before is None else self._followed(before)
            states = np.zeros((0, 5, 4)) if before is None else before.stack(ids)
        frame = self._measure(pair, before, ids, states)
        with self._lock:
            if self._history.newest is not before:
                frame = Frame(frame.stamp_ns, 0.0, frame.views, frame.size)
            self._advance(frame)
            self._update_states(frame)
            return self._published()

    def apply(self, answer: Answer) -> Outcome:
        """Correct the frame that ``answer`` is about and everything since.

        May be called from another thread than ``step``; at most one answer is worked on at a time.
        One that is still being written may be given again and again as it grows, and at last
        whole; what becomes of it is counted then.
        """
        with self._answer_lock:
            outcome = self._correct(answer)
            if not answer.partial:
                self.counts.outcomes[outcome] += 1
            elif outcome is Outcome.APPLIED:
                self.counts.partial += 1
            return outcome

    def activate(self, queries: Sequence[Query]) -> None:
        """Take over the active queries before the next frame, so that answers to them count."""
        with self._lock:
            self._keep_only(queries)

    def remembers(self, stamp_ns: int) -> bool:
        """Return whether an answer about the frame of a stamp can be applied."""
        with self._lock:
            return self._history.at(stamp_ns) is not None

    def tracks(self) -> list[Track]:
        """Return all tracks as of the newest frame."""
        with self._lock:
            return self._published()

    def reset(self) -> None:
        """Forget all frames and tracks; ids go on counting."""
        with self._lock:
            self._forget_all()

    def reconfigure(self, config: TrackerConfig) -> None:
        """Take over settings from the next frame and answer on; tracks and history stay."""
        self._prepare(config)
        with self._lock:
            self.config = config
            self._history.resize(*_span_s(config))

    def _prepare(self, config: TrackerConfig) -> None:
        self._redetector.prepare(config)
        self._propagator.prepare(config)

    def _keep_only(self, queries: Sequence[Query]) -> None:
        self._active = frozenset((query.id, query.epoch) for query in queries)
        self._remove({tracklet.id for tracklet in self._tracklets.values()
                      if (tracklet.query_id, tracklet.epoch) not in self._active})

    def _begin_frame(self, stamp_ns: int) -> Frame | None:
        newest = self._history.newest
        if newest is not None and stamp_ns < newest.stamp_ns:
            self._forget_all()
        return self._history.newest

    def _followed(self, frame: Frame) -> list[int]:
        """Return the tracks whose box is still worth seeding with flow points."""
        limit = self.config.lost_after_s
        return [track_id for track_id in frame.states
                if frame.coasting_s.get(track_id, 0.0) <= limit]

    def _measure(self, pair: FramePair, before: Frame | None, ids: list[int],
                 states: kalman.States) -> Frame:
        """Return the new frame with its camera motion and the motion of ``ids``; no lock held."""
        frame = measure_newest(pair, before, ids, states, self._motion, self.config)
        if before is None:
            return frame
        for track_id, state in zip(ids, states, strict=True):
            motion = frame.motions.get(track_id)
            if motion and self._looks_foreign(track_id, motion, state, before, frame.views):
                del frame.motions[track_id]
        self._redetector.redetect(
            frame, [self._tracklets.get(track_id) for track_id in ids], states, self.config)
        return frame

    def _looks_foreign(self, track_id: int, motion: Motion, state: kalman.States, before: Frame,
                       views: Views) -> bool:
        """Whether a box that coasted would now stick to something that looks different."""
        tracklet = self._tracklets.get(track_id)
        if before.coasting_s.get(track_id, 0.0) < _DOUBT_AFTER_S or tracklet is None:
            return False
        box = kalman.boxes_of(state[None])[0] + np.tile(motion.shift, 2)
        appearance = appearance_of(views, box)
        known = tracklet.appearance
        like = appearance.similarity(known) if appearance and known else None
        return like is not None and like < self.config.appearance_gate

    def _advance(self, frame: Frame) -> None:
        before = self._history.newest
        self._history.append(frame)
        self.counts.frames += 1
        if before is not None:
            update(before, frame, list(before.states), self.config)

    def _update_states(self, frame: Frame, only: Collection[int] | None = None) -> None:
        """Decide where tracks of a frame are in their lives; ``only`` these, None for all."""
        ids = [track_id for track_id in frame.states if only is None or track_id in only]
        statuses = box_statuses(frame, ids, frame.stack(ids))
        self._remove({track_id for track_id, status in zip(ids, statuses, strict=True)
                      if not self._tracklets[track_id].update_state(status, self.config)})

    def _published(self) -> list[Track]:
        frame = self._history.newest
        return [] if frame is None else as_published(frame, self._tracklets, self.config)

    def _correct(self, answer: Answer) -> Outcome:
        with self._lock:
            newest = self._history.newest
            if newest is not None and not answer.partial:
                self._history.expect_delay((newest.stamp_ns - answer.stamp_ns) * 1e-9)
            refusal = self._refusal(answer)
            if refusal is not None:
                return refusal
            frames = self._history.since(answer.stamp_ns)
            key = (answer.query_id, answer.epoch)
            applied_boxes = frames[0].applied_boxes.setdefault(key, {})
            if not answer.partial:
                frames[0].answered.add(key)
            tracklets = [tracklet for tracklet in self._tracklets.values()
                         if (tracklet.query_id, tracklet.epoch) == key
                         and tracklet.id in frames[0].states]
            states = frames[0].stack([tracklet.id for tracklet in tracklets])
            known = AnsweredFrame(frames[0], self._history.before(answer.stamp_ns), tracklets,
                                  states, dict(applied_boxes))
        correction = correct_past(answer, known, self.config)
        correction.follow(frames, self._propagator, self.config, self._give_way)
        return self._commit(answer, correction)

    def _give_way(self) -> None:
        """Let a frame that is being stepped pass first: both threads share one interpreter."""
        self._no_frame.wait(_LONGEST_WAIT_S)

    def _refusal(self, answer: Answer) -> Outcome | None:
        if (answer.query_id, answer.epoch) not in self._active:
            return Outcome.STALE_EPOCH
        frame = self._history.at(answer.stamp_ns)
        if frame is None:
            oldest = self._history.oldest_ns
            older = oldest is not None and answer.stamp_ns < oldest
            return Outcome.LATE if older else Outcome.UNKNOWN_FRAME
        if (answer.query_id, answer.epoch) in frame.answered:
            return Outcome.DUPLICATE
        return None

    def _commit(self, answer: Answer, correction: Correction) -> Outcome:
        """Write a correction into the past, once its motion has caught up with the present."""
        for _ in range(_CATCH_UPS):
            with self._lock:
                frames = self._history.since(correction.reached_ns)
                if len(frames) <= 1:
                    return self._write(answer, correction)
            correction.follow(frames, self._propagator, self.config, self._give_way)
        with self._lock:
            return self._write(answer, correction)

    def _write(self, answer: Answer, correction: Correction) -> Outcome:
        key = (answer.query_id, answer.epoch)
        frames = self._history.since(answer.stamp_ns)
        if key not in self._active:
            return Outcome.STALE_EPOCH
        if not frames or frames[0] is not correction.frame:
            return Outcome.LATE
        begins: dict[int, int] = {}
        for change in correction.changes:
            written = self._write_change(answer, change, frames[0])
            if written is not None:
                track_id, begins[track_id] = written
                frames[0].applied_boxes[key][change.place] = track_id
        if begins:
            replay(self._history.since(min(begins.values())), begins, self.config)
        if not answer.partial:
            self._contradict(answer, correction,
                             self._tracklets.keys() & frames[0].applied_boxes[key].values())
        self._rejudge(answer, frames)
        return Outcome.APPLIED

    def _write_change(self, answer: Answer, change: Change,
                      frame: Frame) -> tuple[int, int] | None:
        """Write one box into its frame, its motion into those around.

        Returns its track and the stamp from which that is to run again.
        """
        if change.track_id is None:
            tracklet = self._born(answer, change)
        elif change.track_id in self._tracklets:
            tracklet = self._tracklets[change.track_id]
            self.counts.recovered += tracklet.state is TrackState.LOST
            tracklet.confirm(answer.stamp_ns, change.label, change.appearance, self.config)
        else:
            return None
        for other, motion in [*(change.trajectory.motions if change.trajectory else ()),
                              *change.propagated.motions]:
            other.measurements.pop(tracklet.id, None)
            if motion is not None:
                other.motions[tracklet.id] = motion
        tracklet.template = change.propagated.template
        for other, measurement in change.propagated.measurements:
            other.measurements[tracklet.id] = measurement
        if change.trajectory:
            frame.corrections[tracklet.id] = change.box
            return tracklet.id, change.trajectory.past[0].stamp_ns
        if change.track_id is None or change.restart:
            frame.states[tracklet.id] = change.start
            frame.width_states.pop(tracklet.id, None)
        else:
            frame.states[tracklet.id] = correct(
                frame.states[tracklet.id][None], as_boxes([change.box]), frame.size,
                self.config)[0]
        frame.corrections[tracklet.id] = change.box
        frame.coasting_s[tracklet.id] = 0.0
        return tracklet.id, frame.stamp_ns

    def _born(self, answer: Answer, change: Change) -> Tracklet:
        since_s = self._unwatched_s(answer)
        height = max(change.box[3] - change.box[1], 1.0)
        seen = objectness_ratio([measurement.sigma[3] / height
                                 for _, measurement in change.propagated.measurements])
        existence = (initial_existence(since_s, self.config, seen)
                     * min(max(change.score, 0.0), 1.0))
        tracklet = Tracklet(self._next_id, answer.query_id, answer.epoch, change.label, existence,
                            answer.stamp_ns, answer.stamp_ns, appearance=change.appearance)
        self._next_id += 1
        self._tracklets[tracklet.id] = tracklet
        self.counts.births += 1
        return tracklet

    def _unwatched_s(self, answer: Answer) -> float:
        """Return the seconds since the frame of the query's answer before, inf if none is kept."""
        key = (answer.query_id, answer.epoch)
        for frame in reversed(self._history.before(answer.stamp_ns)):
            if key in frame.answered:
                return (answer.stamp_ns - frame.stamp_ns) * 1e-9
        return math.inf

    def _contradict(self, answer: Answer, correction: Correction, listed: set[int]) -> None:
        """Weigh the answer against tracks it does not list, and end those told to be others'."""
        for track_id, visible in correction.unseen:
            if track_id in self._tracklets:
                self._tracklets[track_id].contradict(answer.stamp_ns, visible, self.config)
        for track_id in listed:
            self._tracklets[track_id].distinct_from |= listed - {track_id}
        self._remove(set(correction.duplicates) & self._tracklets.keys())

    def _rejudge(self, answer: Answer, frames: Sequence[Frame]) -> None:
        """Judge the answer's tracks again on every frame since, as if it had come at once."""
        key, oldest_ns = (answer.query_id, answer.epoch), self._history.oldest_ns or 0
        own = {tracklet.id for tracklet in self._tracklets.values()
               if (tracklet.query_id, tracklet.epoch) == key}
        for track_id in own:
            self._tracklets[track_id].rejudge(answer.stamp_ns)
            self._tracklets[track_id].settle(oldest_ns, self.config.existence_decay_s)
        for frame in frames:
            self._update_states(frame, own)

    def _remove(self, track_ids: set[int]) -> None:
        if track_ids:
            self._history.forget(track_ids)
            for track_id in track_ids:
                del self._tracklets[track_id]
            self.counts.removals += len(track_ids)

    def _forget_all(self) -> None:
        self.counts.removals += len(self._tracklets)
        self.counts.resets += 1
        self._tracklets.clear()
        self._history.clear()
