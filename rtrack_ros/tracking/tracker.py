"""The tracker: ``step`` moves all tracks to a new pair, ``apply`` corrects the past by an answer.

A track is an object, whoever named it. ``step`` belongs to the camera's thread and never waits for
a model. ``apply`` (answers), ``detect`` (a detector) and ``judge`` (yes or no about one track)
belong to other threads; they compute flow and association on their own time and hold the lock only
to read the past and to write the result. Times are header stamps throughout.
"""

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from rtrack_ros.detections import Detections
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Verdict
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.appearance.histogram import appearance_of
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.delay.bridging import bridge, bridge_late
from rtrack_ros.tracking.delay.correction import AnsweredFrame, Correction, correct_past
from rtrack_ros.tracking.delay.observation import Observation, of_answer, of_detections
from rtrack_ros.tracking.delay.propagation import Propagator
from rtrack_ros.tracking.delay.writing import unwatched_s, write
from rtrack_ros.tracking.effort import Effort, EffortControl
from rtrack_ros.tracking.history.frame import Frame, Motion
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.field import MotionSource, OpticalFlow
from rtrack_ros.tracking.motion.frame_to_frame import measure_newest
from rtrack_ros.tracking.redetection import Redetector
from rtrack_ros.tracking.target_sight import TargetSight
from rtrack_ros.tracking.track import Track
from rtrack_ros.tracking.track_book import Outcome, TrackBook, TrackerCounts

# After so long without flow a track refuses a motion to a place that looks different.
_DOUBT_AFTER_S = 0.06
_CATCH_UPS = 4
_LONGEST_WAIT_S = 0.05


class Tracker:
    """Follows what the answers name, at the rate of the camera.

    Two threads use it: that of frames (``step`` and all the rest) and that of answers (``apply``).

    Args:
        config: Settings; None takes the defaults.
        motion: Measures motion between frames; None takes optical flow.
        redetector: Finds tracks on new frames; None takes the Siamese network.
        propagator: Carries boxes of late answers to now; None makes one of ``motion``.
        effort: Chooses how much each step does, by the time that steps take; None always does
            everything, so that the result depends on the input alone.
    """

    def __init__(self, config: TrackerConfig | None = None, motion: MotionSource | None = None,
                 redetector: Redetector | None = None, propagator: Propagator | None = None,
                 effort: EffortControl | None = None) -> None:
        self._motion = motion or OpticalFlow()
        self._redetector = redetector or Redetector()
        self._sight = TargetSight()
        self._propagator = propagator or Propagator(self._motion)
        self._effort = effort
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
        self._book = TrackBook(config or TrackerConfig())
        self._prepare(self.config)

    @property
    def config(self) -> TrackerConfig:
        """Settings in force."""
        return self._book.config

    @property
    def counts(self) -> TrackerCounts:
        """How the run went so far."""
        return self._book.counts

    @property
    def efforts(self) -> Mapping[Effort, int]:
        """How many steps did how much; empty where every step does everything."""
        return {} if self._effort is None else dict(self._effort.counts)

    def step(self, pair: FramePair, queries: Sequence[Query]) -> list[Track]:
        """Move all tracks to a new frame pair and return them, whatever sentences mean them.

        A query that is not in ``queries`` means nothing any more; objects keep their ids. A stamp
        before the last one forgets all tracks: the clock jumped, and nothing known about time
        holds.

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
            self._book.keep_only(queries)
            before = self._book.begin_frame(pair.stamp_ns)
            if before is not None and before.stamp_ns == pair.stamp_ns:
                return self._book.published()
            effort = self._begin(pair, before)
            config = effort.applied(self.config)
            ids = [] if before is None else effort.followed(self._book.followed(before), before)
            states = np.zeros((0, 5, 4)) if before is None else before.stack(ids)
            targets = self._book.targets()
            past = self._book.history.since(pair.stamp_ns - int(config.max_flow_gap_s * 1e9))
        late = bridge_late(past, pair, self._motion, config)
        frame = self._measure(pair, before, ids, states, config)
        if before is None:
            self._sight.rest(pair)
        elif effort < Effort.KALMAN_ONLY:
            self._sight.look(pair, before, frame, targets, self._redetector.find, self.config)
        bridged = bridge(past, frame, self._motion, config)
        with self._lock:
            if self._book.history.newest is not before:  # a reset came between
                frame = Frame(frame.stamp_ns, 0.0, frame.views, frame.size)
            elif bridged is not None:
                bridged.write(self.config)
            elif late is not None:
                late[0].write(self.config, late[1])
            self._book.advance(frame)
            tracks = self._book.published()
        if self._effort is not None:
            self._effort.end()
        return tracks

    def _begin(self, pair: FramePair, before: Frame | None) -> Effort:
        """Return how much the step to the frame of a pair may do."""
        if self._effort is None:
            return Effort.FULL
        dt_s = 0.0 if before is None else (pair.stamp_ns - before.stamp_ns) * 1e-9
        # The camera's period, not that of the pairs: a tracker too slow for the camera would
        # otherwise find the time that it takes just right.
        return self._effort.begin(dt_s / (1 + pair.passed_over), self.config, pair.passed_over)

    def apply(self, answer: Answer) -> Outcome:
        """Correct the frame that ``answer`` is about and everything since.

        May be called from another thread than ``step``; at most one answer is worked on at a time.
        An answer still being written may be given repeatedly as it grows, and at last whole. Its
        outcome is counted then.
        """
        with self._answer_lock:
            outcome = self._correct(of_answer(answer, self.config))
            if not answer.partial:
                self.counts.outcomes[outcome] += 1
            elif outcome is Outcome.APPLIED:
                self.counts.partial += 1
            return outcome

    def withdraw(self, query: Query, stamp_ns: int) -> int:
        """Take back an answer that failed before its end, and accept no more of it.

        Boxes that were applied while it was written began tracks. Those that rest on nothing else
        end; returns how many.

        Args:
            query: The sentence.
            stamp_ns: Of the pair that was asked about.
        """
        with self._answer_lock, self._lock:
            frame, key = self._book.history.at(stamp_ns), (query.id, query.epoch)
            if frame is None or key in frame.answered:
                return 0
            frame.withdrawn.add(key)
            return self._book.withdraw(frame, key)

    def detect(self, detections: Detections) -> Outcome:
        """Correct the frame that a detector saw and everything since, as ``apply`` does.

        A detector says what is there, not what is meant: objects that no sentence means are
        followed too, and are not published. It may be late, come in any order, and stop.

        Args:
            detections: Boxes in RGB pixels, about the frame of their stamp.
        """
        with self._answer_lock:
            with self._lock:
                since_s = unwatched_s(self._book, None, detections.stamp_ns)
            outcome = self._correct(of_detections(detections, since_s, self.config))
            self.counts.detections[outcome] += 1
            return outcome

    def judge(self, verdict: Verdict) -> Outcome:
        """Take the model's yes or no about one track; it counts on the frame it is about."""
        with self._lock:
            outcome = self._judge(verdict)
            self.counts.verdicts[outcome] += 1
            return outcome

    def _judge(self, verdict: Verdict) -> Outcome:
        book, key = self._book, (verdict.query_id, verdict.epoch)
        refusal = book.refusal(verdict.stamp_ns, key)
        if refusal is not None and refusal is not Outcome.DUPLICATE:
            return refusal
        frames = book.history.since(verdict.stamp_ns)
        tracklet = book.tracklets.get(verdict.track_id)
        if tracklet is None or verdict.track_id not in frames[0].states:
            return Outcome.UNKNOWN_TRACK
        tracklet.take_verdict(key, verdict.stamp_ns, verdict.probability,
                              book.watched(key, verdict.stamp_ns))
        book.rejudge(frames)
        return Outcome.APPLIED

    def activate(self, queries: Sequence[Query]) -> None:
        """Take over the active queries before the next frame, so that answers to them count."""
        with self._lock:
            self._book.keep_only(queries)

    def remembers(self, stamp_ns: int) -> bool:
        """Return whether an answer about the frame of a stamp can be applied."""
        with self._lock:
            return self._book.history.at(stamp_ns) is not None

    def tracks(self) -> list[Track]:
        """Return all tracks as of the newest frame."""
        with self._lock:
            return self._book.published()

    def reset(self) -> None:
        """Forget all frames and tracks; ids go on counting."""
        with self._lock:
            self._book.forget_all()

    def reconfigure(self, config: TrackerConfig) -> None:
        """Take over settings from the next frame and answer on; tracks and history stay."""
        self._prepare(config)
        with self._lock:
            self._book.reconfigure(config)

    def _prepare(self, config: TrackerConfig) -> None:
        self._redetector.prepare(config)
        self._propagator.prepare(config)

    def _measure(self, pair: FramePair, before: Frame | None, ids: list[int],
                 states: kalman.States, config: TrackerConfig) -> Frame:
        """Return the new frame with its camera motion and the motion of ``ids``; no lock held."""
        frame = measure_newest(pair, before, ids, states, self._motion, config)
        if before is None:
            return frame
        for track_id, state in zip(ids, states, strict=True):
            motion = frame.motions.get(track_id)
            if motion and self._looks_foreign(track_id, motion, state, before, frame.views):
                del frame.motions[track_id]
        self._redetector.redetect(
            frame, [self._book.tracklets.get(track_id) for track_id in ids], states, config)
        return frame

    def _looks_foreign(self, track_id: int, motion: Motion, state: kalman.States, before: Frame,
                       views: Views) -> bool:
        """Whether a box that coasted would now stick to something that looks different."""
        tracklet = self._book.tracklets.get(track_id)
        if before.coasting_s.get(track_id, 0.0) < _DOUBT_AFTER_S or tracklet is None:
            return False
        box = kalman.boxes_of(state[None])[0] + np.tile(motion.shift, 2)
        appearance = appearance_of(views, box)
        known = tracklet.appearance
        like = appearance.similarity(known) if appearance and known else None
        return like is not None and like < self.config.appearance_gate

    def _correct(self, seen: Observation) -> Outcome:
        book = self._book
        with self._lock:
            newest = book.history.newest
            if newest is not None and seen.key is not None and not seen.partial:
                book.history.expect_delay((newest.stamp_ns - seen.stamp_ns) * 1e-9)
            refusal = book.refusal(seen.stamp_ns, seen.key)
            if refusal is not None:
                return refusal
            frames = book.history.since(seen.stamp_ns)
            applied_boxes = frames[0].applied_boxes.setdefault(seen.key, {})
            if not seen.partial:
                frames[0].answered.add(seen.key)
            tracklets = book.on(frames[0])
            states = frames[0].stack([tracklet.id for tracklet in tracklets])
            known = AnsweredFrame(frames[0], book.history.before(seen.stamp_ns), tracklets,
                                  states, dict(applied_boxes))
        correction = correct_past(seen, known, self.config)
        correction.follow(frames, self._propagator, self.config, self._give_way)
        return self._commit(seen, correction)

    def _give_way(self) -> None:
        """Let a frame that is being stepped pass first: both threads share one interpreter."""
        self._no_frame.wait(_LONGEST_WAIT_S)

    def _commit(self, seen: Observation, correction: Correction) -> Outcome:
        """Write a correction into the past, once its motion has caught up with the present."""
        for _ in range(_CATCH_UPS):
            with self._lock:
                frames = self._book.history.since(correction.reached_ns)
                if len(frames) <= 1:
                    return write(self._book, seen, correction)
            correction.follow(frames, self._propagator, self.config, self._give_way)
        with self._lock:
            return write(self._book, seen, correction)
