"""Streaming evaluation: a robot at time t has what was published by t, not what is true of t.

The world is replayed in virtual time by one thread. Pairs arrive at their stamps. A method turns a
pair or an answer into an array, which becomes available once the method's own work is done. As in
the node, pairs are worked on by one core, one after another, and answers beside them by the thread
that waits for the engine. The engine is busy for as long as the latency profile says and takes the
newest pair when it is free and its answer is worked off. Every instant of the truth is
then scored against the newest array available at it (Li et al., Towards Streaming Perception,
ECCV 2020), so that late boxes are wrong boxes where things move.
"""

import math
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

import cv2
import numpy as np

from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.detections import Detections
from rtrack_ros.evaluation.sequences import EvaluationSequence
from rtrack_ros.evaluation.streaming.latency import LatencyProfile, busy_s, verify_s
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Verdict
from rtrack_ros.language.queries import Query

Array = tuple[tuple[int, Box], ...]
"""What is published at once: identity and box, x1, y1, x2, y2 in RGB pixels."""

Asked = tuple[tuple[int, Box], ...]
"""Objects that a method wants judged: identity and box on the pair, RGB pixels."""

Result = TypeVar('Result')


class Pairs(Protocol):
    """Frame pairs by index, in the order of their stamps; a list of them is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> FramePair: ...


class Method(Protocol):
    """A way to turn pairs and late answers into published arrays; one query, one run."""

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Take a pair on arrival; returns the array to publish, None for nothing new."""

    def on_answer(self, answer: Answer) -> Array | None:
        """Take an answer on arrival; returns the array to publish, None for nothing new."""

    @property
    def wants_partial(self) -> bool:
        """Whether it also wants partial answers, while the engine writes them."""


@runtime_checkable
class DetectingMethod(Protocol):
    """A method that uses a detector."""

    def on_detections(self, detections: Detections) -> None:
        """Take what the detector saw on one pair, when it is there."""


@runtime_checkable
class JudgingMethod(Protocol):
    """A method that may ask the engine about single objects."""

    def choose(self, pair: FramePair, query: Query) -> Asked:
        """Return the objects to ask about now; none asks where what is meant is."""

    def on_verdict(self, verdict: Verdict) -> None:
        """Take a yes or no, when it is there."""


@runtime_checkable
class Judges(Protocol):
    """Answers that include verdicts: the same for the same object, whoever asks."""

    def judge(self, index: int, query: Query, box: Box) -> float:
        """Return the probability of a yes about a box on the pair of this index."""


@dataclass(frozen=True)
class Inference:
    """What came of a question.

    Attributes:
        answer: The answer; without groundings where the model's text was none.
        understood: Whether it may be given to a method.
    """

    answer: Answer
    understood: bool = True


class Answers(Protocol):
    """The language side of a run: the same answer for the same frame, whoever asks."""

    def about(self, index: int, query: Query) -> Inference:
        """Return the answer about the pair of this index."""


@dataclass(frozen=True, eq=False)
class Stream:
    """A recording with one sentence.

    Attributes:
        name: Names the (video, expression) pair.
        query: The sentence.
        pairs: Frame pairs in the order of their stamps.
        stamps_ns: Their stamps, at which they arrive.
        instants_ns: Stamps at which truth is known.
        truth: What the sentence means at each instant, numbered from 1.
    """

    name: str
    query: Query
    pairs: Pairs
    stamps_ns: Sequence[int]
    instants_ns: Sequence[int]
    truth: MotFrames

    @property
    def interval_s(self) -> float:
        """Median time between two pairs in seconds, 0 for a single one."""
        return float(np.median(np.diff(self.stamps_ns))) * 1e-9 if len(self.pairs) > 1 else 0.0


@dataclass(frozen=True)
class Publication:
    """An array and the virtual time from which it can be had."""

    available_ns: int
    boxes: Array


class ProcessorTime:
    """Charges a method with the processor time that its calls take on this machine.

    Processor time of the thread, unlike wall time, does not grow when other programs want the
    machine too. :func:`replay` holds OpenCV to this one thread.
    """

    def __call__(self, work: Callable[[], Result]) -> tuple[Result, float]:
        """Return the result of ``work`` and its cost in seconds."""
        started = time.thread_time()
        result = work()
        return result, time.thread_time() - started


@dataclass(frozen=True)
class FixedTime:
    """Charges every call that does something with the same time, for reproducible results.

    Attributes:
        seconds: Cost of a call.
    """

    seconds: float

    def __call__(self, work: Callable[[], Result]) -> tuple[Result, float]:
        """Return the result of ``work`` and the fixed cost in seconds."""
        return work(), self.seconds


OwnCost = ProcessorTime | FixedTime


@dataclass
class Replay:
    """The outcome of a run in virtual time.

    Attributes:
        publications: In the order in which work on them began.
        questions: Questions put to the engine.
        delays_s: Engine delay of every question.
        skipped: Pairs that a newer one replaced before the method got to them.
        pair_costs_s: Own work for every pair that was published.
        answer_costs_s: Own work for every answer and every partial one.
    """

    publications: list[Publication] = field(default_factory=list)
    questions: int = 0
    delays_s: list[float] = field(default_factory=list)
    skipped: int = 0
    pair_costs_s: list[float] = field(default_factory=list)
    answer_costs_s: list[float] = field(default_factory=list)

    def newest_at(self, instants_ns: Sequence[int]) -> list[Array]:
        """Return what a reader of the topic has at each instant; instants must not decrease."""
        newest: list[Array] = []
        boxes: Array = ()
        position = 0
        # Answers are worked off beside pairs, so that one may be out before an earlier pair.
        in_order = sorted(self.publications, key=lambda item: item.available_ns)
        for instant in instants_ns:
            while position < len(in_order) and in_order[position].available_ns <= instant:
                boxes = in_order[position].boxes
                position += 1
            newest.append(boxes)
        return newest


def replay(stream: Stream, method: Method, answers: Answers, profile: LatencyProfile,
           cost: OwnCost, detections: Sequence[tuple[int, Detections]] = ()) -> Replay:
    """Run a method over a stream in virtual time.

    Args:
        stream: What happens.
        method: What is judged; used for this run only.
        answers: What the engine says.
        profile: How long it takes to say it.
        cost: What the method's own work is charged with.
        detections: What a detector saw, each with the time at which it is there; for methods that
            use one.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return _Clockwork(stream, method, answers, profile, cost, detections).run()
    finally:
        cv2.setNumThreads(threads)


def score_replay(stream: Stream, outcome: Replay) -> EvaluationSequence:
    """Return the truth of every instant beside the newest array available at it."""
    tracks = {number: [MotRow(number, identity, box) for identity, box in boxes]
              for number, boxes in enumerate(outcome.newest_at(stream.instants_ns), start=1)
              if boxes}
    return EvaluationSequence(stream.truth, tracks, len(stream.instants_ns), stream.name)


def so_far(answer: Answer, boxes: int) -> Answer:
    """Return what is known of an answer when this many of its boxes are written."""
    return replace(answer, groundings=answer.groundings[:boxes], partial=True)


class _Clockwork:
    """The events of one run: pairs are worked off in turn, answers beside them.

    What an answer costs is known only once it has been worked on, and then its effect is in the
    state already. It therefore takes effect as late as the work on the answer before it took.
    """

    def __init__(self, stream: Stream, method: Method, answers: Answers, profile: LatencyProfile,
                 cost: OwnCost, detections: Sequence[tuple[int, Detections]]) -> None:
        self._stream, self._method, self._answers = stream, method, answers
        self._profile, self._cost = profile, cost
        self._arrivals_ns = stream.stamps_ns
        self._free_ns = 0
        self._next = 0
        self._offered: int | None = None
        self._coming: deque[tuple[int, Inference | tuple[Verdict, ...]]] = deque()
        self._seen = deque(detections if isinstance(method, DetectingMethod) else ())
        self._engine_free_ns = 0
        self._heard_ns = self._answer_work_ns = 0
        self._outcome = Replay()

    def run(self) -> Replay:
        """Work off all events and return what was published."""
        never = math.inf
        while True:
            pair_ns = (max(self._free_ns, self._arrivals_ns[self._next])
                       if self._next < len(self._arrivals_ns) else never)
            answer_ns = (max(self._coming[0][0], self._heard_ns) + self._answer_work_ns
                         if self._coming else never)
            asks = not self._coming and self._offered is not None
            ask_ns = max(self._free_ns, self._engine_free_ns) if asks else never
            if self._seen and self._seen[0][0] <= min(pair_ns, answer_ns, ask_ns):
                self._detect()
                continue
            # At the same time the pair comes first: publishing never waits for an answer.
            if pair_ns <= min(answer_ns, ask_ns) and pair_ns < never:
                self._see(int(pair_ns))
            elif answer_ns < never:
                self._hear(int(answer_ns))
            elif ask_ns < never:
                self._ask(int(ask_ns))
            else:
                return self._outcome

    def _see(self, start_ns: int) -> None:
        """Work on the newest pair that has arrived, then offer it to the engine."""
        newest = bisect_right(self._arrivals_ns, start_ns) - 1
        self._outcome.skipped += newest - self._next
        self._next = newest + 1
        pair, query = self._stream.pairs[newest], self._stream.query
        boxes, seconds = self._cost(lambda: self._method.on_frame(pair, query))
        self._free_ns = start_ns
        if boxes is not None:
            self._free_ns += round(seconds * 1e9)
            self._outcome.pair_costs_s.append(seconds)
            self._outcome.publications.append(Publication(self._free_ns, boxes))
        self._offered = newest

    def _detect(self) -> None:
        """Let the method take a set of detections; it has a thread of its own for them."""
        detections = self._seen.popleft()[1]
        method = self._method
        assert isinstance(method, DetectingMethod)
        method.on_detections(detections)

    def _hear(self, done_ns: int) -> None:
        """Let an answer take effect whose work is done by now."""
        inference = self._coming.popleft()[1]
        self._heard_ns = done_ns
        self._engine_free_ns = max(self._engine_free_ns, done_ns)
        if isinstance(inference, tuple):
            self._weigh(inference)
            return
        if inference.understood:
            boxes, seconds = self._cost(lambda: self._method.on_answer(inference.answer))
            self._answer_work_ns = round(seconds * 1e9)
            self._outcome.answer_costs_s.append(seconds)
            if boxes is not None:
                self._outcome.publications.append(Publication(done_ns, boxes))

    def _ask(self, start_ns: int) -> None:
        """Let the free engine take the newest pair it has not seen."""
        assert self._offered is not None
        if self._ask_judge(start_ns, self._offered):
            return
        inference = self._answers.about(self._offered, self._stream.query)
        delay_s = self._profile.delay_s(inference.answer)
        if self._method.wants_partial and inference.understood:
            self._coming.extend(
                (start_ns + round(seconds * 1e9), Inference(so_far(inference.answer, boxes)))
                for boxes, seconds in enumerate(
                    self._profile.written_s(inference.answer), start=1))
        self._coming.append((start_ns + round(delay_s * 1e9), inference))
        self._engine_free_ns = start_ns + round(busy_s(self._profile, inference.answer) * 1e9)
        self._note_question(delay_s)

    def _ask_judge(self, start_ns: int, index: int) -> bool:
        """Ask about single objects if the method wants that; returns whether it does."""
        method, answers, query = self._method, self._answers, self._stream.query
        if not (isinstance(method, JudgingMethod) and isinstance(answers, Judges)):
            return False
        pair = self._stream.pairs[index]
        asked = method.choose(pair, query)
        if not asked:
            return False
        delay_s = verify_s(self._profile, len(asked))
        self._coming.append((start_ns + round(delay_s * 1e9), tuple(
            Verdict(pair.stamp_ns, query.id, query.epoch, identity,
                    answers.judge(index, query, box)) for identity, box in asked)))
        self._engine_free_ns = start_ns + round(delay_s * 1e9)
        self._note_question(delay_s)
        return True

    def _weigh(self, verdicts: tuple[Verdict, ...]) -> None:
        method = self._method
        assert isinstance(method, JudgingMethod)
        for verdict in verdicts:
            seconds = self._cost(partial(method.on_verdict, verdict))[1]
            self._answer_work_ns = round(seconds * 1e9)

    def _note_question(self, delay_s: float) -> None:
        self._outcome.questions += 1
        self._outcome.delays_s.append(delay_s)
        self._offered = None
