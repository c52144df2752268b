"""The pipeline: all of tracking behind a few methods.

``build_pipeline`` puts it together; then set a query, push pairs, read stats, close.

With a grounding worker it serves a live camera: ``push`` returns within milliseconds and answers
arrive later, several at once where the engine gains from that. ``synchronous`` serves files: the
model is asked inside ``push`` every ``ask_interval_s`` of stamp time, and the result depends on
nothing but the input. In both cases the same ``Scheduler`` chooses the questions.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Protocol

from rtrack_ros.boxes import clip
from rtrack_ros.detections import Detections
from rtrack_ros.detectors.base import Detector
from rtrack_ros.engines.base import Engine, token_counter
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Grounding, Verdict
from rtrack_ros.language.describer import Describer
from rtrack_ros.language.locator import Locator
from rtrack_ros.language.queries import Query, QueryBook
from rtrack_ros.language.refine import make_grounder
from rtrack_ros.language.splitting import verifier_for
from rtrack_ros.limits import Limits, estimated_tokens
from rtrack_ros.pipeline_config import PipelineConfig as PipelineConfig
from rtrack_ros.pipeline_stats import PipelineStats, snapshot
from rtrack_ros.scheduling.asking_in_turn import AskingInTurn
from rtrack_ros.scheduling.competence import TRUSTED
from rtrack_ros.scheduling.detecting import Detecting, Sources
from rtrack_ros.scheduling.object_judge import ObjectJudge, VerifiesObjects
from rtrack_ros.scheduling.putting import GroundsQueries
from rtrack_ros.scheduling.scheduler import Schedule, Scheduler
from rtrack_ros.scheduling.target_grounder import LocatesTargets, TargetGrounder
from rtrack_ros.scheduling.worker import BusyError, EngineJob, GroundingWorker
from rtrack_ros.scheduling.worker_counts import WorkerCounts
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.effort import EffortControl
from rtrack_ros.tracking.track import Track, published, surest
from rtrack_ros.tracking.track_book import Outcome
from rtrack_ros.tracking.tracker import Tracker

_MIN_BOX_PX = 4.0
_YES = 0.5


class RequestError(ValueError):
    """What was asked for cannot be done; the message says why, and what to do."""


class DescribesObjects(Protocol):
    """Describes an object in words; ``language.describer.Describer`` is one."""

    def describe(self, pair: FramePair, box: Box, deadline_s: float | None = None) -> str:
        """Return a description of what is in a box of a pair."""


def build_pipeline(engine: Engine, config: PipelineConfig | None = None, live: bool = True,
                   ask_interval_s: float = 0.0, publish_first: bool = False,
                   detector: Detector | None = None) -> 'TrackingPipeline':
    """Return a pipeline around an engine: grounding, and locating and describing where it can.

    Args:
        engine: Answers questions; the caller closes it, after the pipeline.
        config: Settings; None takes the defaults.
        live: Whether the model is asked in a thread of its own, as for a camera; otherwise inside
            ``push``, as for files, so that the result depends on nothing but the input.
        ask_interval_s: Least stamp time between two questions of one query when not live.
        publish_first: Whether a pair's tracks are those before the answer about it, when not live:
            a live node publishes before it has the answer.
        detector: Says where objects are; None for none. It looks in a thread of its own when
            live, and inside ``push`` at intervals of stamp time otherwise.

    Raises:
        EngineError: the model was not trained to ground.
        ValueError: ``crops``, ``refine`` or ``split_sentences`` of the settings are none of
            ``engines.base.USES``.
    """
    config, model = config or PipelineConfig(), engine.capabilities()
    refine = config.refine or ('never' if live else 'auto')
    tracker = config.tracker if model.accuracy is None else replace(
        config.tracker, accuracy=model.accuracy)
    return TrackingPipeline(
        make_grounder(engine, config.max_boxes, refine, config.split_sentences), tracker,
        synchronous=not live,
        ask_interval_s=ask_interval_s, publish_first=publish_first,
        schedule=config.schedule.for_model(model, config.crops),
        locator=Locator(engine) if 'locate' in model.tasks else None,
        describer=Describer(engine) if 'describe' in model.tasks else None,
        verifier=verifier_for(engine, config.split_sentences),
        concurrency=model.concurrency, longest_back_off_s=model.longest_back_off_s,
        limits=config.limits, count_tokens=token_counter(engine),
        tracker=Tracker(tracker, effort=EffortControl()) if live else None,
        believed=config.believed,
        sources=Sources(detector, config.detector, config.feed))


class TrackingPipeline:
    """Queries, tracker and model together.

    Args:
        grounder: Answers questions; None tracks what ``tracker.apply`` is given by hand.
        config: Tracker settings.
        synchronous: Ask inside ``push`` instead of in a thread.
        ask_interval_s: Least stamp time between two questions of one query when synchronous;
            0 asks about every pair.
        schedule: What is asked in which order; None takes the defaults. Without a deadline there,
            a live question is given up once the tracker has forgotten its frame for certain,
            after ``history_length_s``.
        locator: Finds targets that are shown in a box; None where the model cannot.
        describer: Puts tracks into words; None where the model cannot.
        tracker: A tracker of other parts, in place of one with ``config``.
        concurrency: Most questions in flight when live. With more than 1 grounder, locator and
            describer are used by several threads at once.
        longest_back_off_s: Longest time for which a failing engine is left alone when live.
        verifier: Says yes or no about objects; None where the model cannot. It is asked while a
            detector says where objects are.
        publish_first: Whether ``push`` returns the tracks before the answer about its pair when
            synchronous.
        limits: How much may be asked for; None takes the defaults.
        count_tokens: Returns how many tokens a text has for the model.
        believed: Whether what the model leaves out, or denies, may end a track.
        sources: Detectors; None for none but one outside, which speaks to ``detecting.feed``.
    """

    def __init__(self, grounder: GroundsQueries | None, config: TrackerConfig | None = None,
                 synchronous: bool = False, ask_interval_s: float = 0.0,
                 schedule: Schedule | None = None, locator: LocatesTargets | None = None,
                 describer: DescribesObjects | None = None, tracker: Tracker | None = None,
                 concurrency: int = 1, longest_back_off_s: float = 5.0,
                 verifier: VerifiesObjects | None = None, publish_first: bool = False,
                 limits: Limits | None = None,
                 count_tokens: Callable[[str], int] = estimated_tokens,
                 believed: bool = True,
                 sources: Sources | None = None) -> None:
        self.queries = QueryBook(limits, count_tokens)
        self.tracker = tracker or Tracker(config)
        self._target_grounder = None if grounder is None else TargetGrounder(
            grounder, locator, self.tracker.tracks)
        self._describer = describer
        self._newest: FramePair | None = None
        # Guards the newest pair and what is known of answers; taken by the threads of frames and
        # of answers. Never held while tracking or asking. Queries have a lock of their own.
        self._lock = threading.Lock()
        self._pairs = 0
        self._answered_ns: int | None = None
        self._latency_ms: float | None = None
        self._synchronous, self._publish_first = synchronous, publish_first
        self._believed = believed
        self._scheduler = Scheduler(self._with_deadline(schedule or Schedule()),
                                    self.tracker.config)
        judge = None if verifier is None else ObjectJudge(verifier)
        # One of the two asks; neither where there is no model.
        self._worker: GroundingWorker | None = None
        self._in_turn: AskingInTurn | None = None
        if synchronous and self._target_grounder is not None:
            self._in_turn = AskingInTurn(self._target_grounder, self._scheduler, ask_interval_s,
                                         self._apply, judge, self._apply_verdict)
        elif self._target_grounder is not None:
            self._worker = GroundingWorker(
                self._target_grounder, self._apply, self._scheduler, concurrency,
                longest_back_off_s, judge, self._apply_verdict, self.tracker.withdraw)
        asking = self._worker or self._in_turn
        self._counts = WorkerCounts() if asking is None else asking.counts
        self.detecting = Detecting(self.detect, sources or Sources(), synchronous)

    def set_query(self, text: str, query_id: str = 'default') -> Query | None:
        """Add or replace a query, from any thread; an empty text removes it.

        Raises:
            QueryError: the text cannot become a query; nothing changes.
        """
        return self.queries.set(text, query_id)

    def reconfigure(self, config: TrackerConfig, schedule: Schedule,
                    limits: Limits | None = None) -> None:
        """Take over settings without forgetting anything; the model's accuracy stays.

        Args:
            config: Settings of the tracker.
            schedule: What is asked in which order, made ``for_model`` already.
            limits: How much may be asked for; None leaves that as it is.
        """
        self.queries.limits = limits or self.queries.limits
        self.tracker.reconfigure(replace(config, accuracy=self.tracker.config.accuracy))
        self._scheduler.tracker = self.tracker.config
        self._scheduler.schedule = self._with_deadline(schedule)

    def active_queries(self) -> tuple[Query, ...]:
        """Return the active queries, from any thread."""
        return self.queries.active()

    def push(self, pair: FramePair) -> list[Track]:
        """Track one pair and return all tracks; the queries active now are bound to it."""
        queries = self.active_queries()
        tracks = self.tracker.step(pair, queries)
        if self.detecting.see(pair):
            tracks = self.tracker.tracks()
        with self._lock:
            self._pairs += 1
            self._newest = pair
        if self._target_grounder is not None:
            self._target_grounder.keep_only(queries)
        if self._worker is not None:
            self._worker.offer(pair, queries, tracks)
        elif self._in_turn is not None and self._in_turn.ask(
                pair, queries, tracks) and not self._publish_first:
            tracks = self.tracker.tracks()
        return _one_for_each_target(tracks, queries)

    def tracks(self) -> list[Track]:
        """Return all tracks as of the newest pair, from any thread."""
        return _one_for_each_target(self.tracker.tracks(), self.active_queries())

    def detect(self, detections: Detections) -> Outcome:
        """Take what a detector saw, from any thread: objects are followed as it says.

        A detector is never required. It may be late, come in any order, and stop.

        Args:
            detections: Boxes in RGB pixels, about the pair of their stamp.
        """
        return self.tracker.detect(detections)

    def initialize(self, box: Box, name: str = 'target', query_id: str = 'default',
                   stamp_ns: int | None = None) -> Track:
        """Follow one target from a box (R1-Track, arXiv 2506.21980), from the thread of ``push``.

        The target replaces a query of the same id. The model looks for it again by its appearance
        on the newest pair.

        Args:
            box: x1, y1, x2, y2 in RGB pixels.
            name: What its track is called.
            query_id: Its id among the queries.
            stamp_ns: Of the pair that shows the box; None for the newest.

        Raises:
            RequestError: the model cannot locate, no pair came yet, the box is none or lies
                outside the image, or the pair is not remembered; nothing changes.
            QueryError: the name cannot be one; nothing changes.
        """
        targets, pair = self._target_grounder, self._newest
        if targets is None or not targets.can_locate:
            raise RequestError('the model was not trained to locate a target; take one whose '
                               "rtrack.json lists the task 'locate'")
        if pair is None:
            raise RequestError('no image came yet; send the box when there are images')
        stamp_ns = pair.stamp_ns if stamp_ns is None else stamp_ns
        box = _checked(box, pair)
        if not self.tracker.remembers(stamp_ns):
            raise RequestError(f'no image with the stamp {stamp_ns} ns is remembered; send the '
                               'stamp of a recent RGB image, or zero for the newest')
        query = self.queries.set_target(name, query_id)
        self.tracker.activate(self.queries.active())
        self.tracker.apply(Answer(stamp_ns, query.id, query.epoch, (Grounding(box, query.text),)))
        found = surest(self.tracker.tracks(), query.id)
        if found is None:
            self.queries.remove(query.id)
            raise RequestError('the target left the image since that stamp; send a newer box')
        targets.show(query, pair, found.box)
        return found

    def describe(self, track_id: int) -> 'Future[str]':
        """Return the future description of a track (OmniPT, arXiv 2511.17053).

        The model is asked about the track's box on the newest pair, between two of its questions.

        Raises:
            RequestError: the model cannot describe, no published track has the id, or too many
                descriptions wait.
        """
        tracks = {track.id: track for track in published(self.tracker.tracks())}
        if self._describer is None:
            raise RequestError('the model was not trained to describe; take one whose rtrack.json '
                               "lists the task 'describe'")
        if track_id not in tracks or self._newest is None:
            raise RequestError(f'no track has the id {track_id} now; there are '
                               f'{", ".join(map(str, tracks)) or "none"}')
        limits = self.queries.limits
        ask = partial(self._describer.describe, self._newest, tracks[track_id].box,
                      limits.description_s)
        if self._worker is not None:
            try:
                return self._worker.submit(ask, limits.descriptions)
            except BusyError as error:
                raise RequestError(f'{error}; ask again later (limits.descriptions)') from error
        job = EngineJob(ask, Future())
        job.run()
        return job.future

    def stats(self) -> PipelineStats:
        """Return a snapshot, from any thread."""
        worker, tracker, efforts = self._counts, self.tracker.counts, self.tracker.efforts
        with self._lock:
            age_ms = None if self._answered_ns is None or self._newest is None else (
                self._newest.stamp_ns - self._answered_ns) * 1e-6
            latency_ms, pairs = self._latency_ms, self._pairs
        return snapshot(
            worker, tracker, efforts, pairs=pairs, tracks_alive=len(self.tracker.tracks()),
            answer_age_ms=age_ms, answer_latency_ms=latency_ms, distrusted=self._distrusted(),
            detector_complaint=self.detecting.complaint, detector_facts=self.detecting.facts)

    def _distrusted(self) -> tuple[str, ...]:
        """Return the targets about which the model is not believed."""
        grounder = self._target_grounder
        if grounder is None:
            return ()
        return tuple(query.id for query in self.active_queries() if query.by_template
                     and (trust := grounder.trust(query)) is not None and trust < TRUSTED)

    def reset(self) -> None:
        """Forget frames and tracks; queries stay, ids go on counting."""
        asking = self._worker or self._in_turn
        if asking is not None:
            asking.withdraw()
        self.detecting.reset()
        self.tracker.reset()
        with self._lock:
            self._answered_ns = None

    def close(self) -> bool:
        """Stop all threads; returns whether they ended in time. It cannot be used then."""
        ended = self.detecting.close()
        return (self._worker is None or self._worker.close()) and ended

    def _apply(self, answer: Answer) -> None:
        outcome = self.tracker.apply(answer if self._believed else replace(answer, trust=0.0))
        if answer.partial:
            return
        with self._lock:
            self._latency_ms = answer.latency_ms
            if outcome is Outcome.APPLIED:
                self._answered_ns = max(answer.stamp_ns, self._answered_ns or 0)

    def _apply_verdict(self, verdict: Verdict) -> None:
        if not self._believed and verdict.probability < _YES:
            return
        outcome = self.tracker.judge(verdict)
        if outcome is Outcome.APPLIED:
            with self._lock:
                self._answered_ns = max(verdict.stamp_ns, self._answered_ns or 0)

    def _with_deadline(self, schedule: Schedule) -> Schedule:
        """Return a schedule with a deadline where one is needed: live, and none is given."""
        if self._synchronous or schedule.deadline_s:
            return schedule
        return replace(schedule, deadline_s=self.tracker.config.history_length_s)


def _one_for_each_target(tracks: list[Track], queries: Sequence[Query]) -> list[Track]:
    """Return the tracks; a target means only the surest one, for it is in one place."""
    kept = {query.id: surest(tracks, query.id) for query in queries if query.by_template}
    return [track.without([query_id for query_id, one in kept.items() if one is not track])
            for track in tracks] if kept else tracks


def _checked(box: Box, pair: FramePair) -> Box:
    """Return a box cut to the image of a pair.

    Raises:
        RequestError: too little is left of it.
    """
    x1, y1, x2, y2 = clip([box], pair.width, pair.height)[0].tolist()
    if not min(x2 - x1, y2 - y1) >= _MIN_BOX_PX:
        raise RequestError(f'the box {box} covers less than {_MIN_BOX_PX:g} pixels of an image '
                           f'of {pair.width}x{pair.height}; send x1 < x2 and y1 < y2 in pixels of '
                           'the RGB image')
    return x1, y1, x2, y2
