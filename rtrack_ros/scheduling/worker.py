"""The thread that asks the model about the newest pair, and survives every error."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from rtrack_ros.engines.base import DeadlineError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, OnAnswer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.partial_answers import PartialAnswers
from rtrack_ros.scheduling.scheduler import Question, Scheduler
from rtrack_ros.tracking.track import Track

_FIRST_BACK_OFF_S = 0.1
_LONGEST_BACK_OFF_S = 5.0

Result = TypeVar('Result')


class GroundsQueries(Protocol):
    """Answers a query about a pair; ``language.grounder.Grounder`` is one."""

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None) -> Answer:
        """Return the answer, or raise without one; pass on its boxes while it is written."""


@dataclass
class WorkerCounts:
    """How asking went so far.

    Attributes:
        offered: Pairs offered with at least one query.
        superseded: Offered pairs that a newer one replaced before the model was free.
        asked: Questions put to the model.
        crops: Of these, questions about a part of the image.
        shared: Of these, questions about a pair that was asked about just before.
        answered: Questions it answered.
        answers_invalid: Answers that broke the answer format.
        engine_errors: Questions on which the engine failed, missed deadlines included.
        deadlines_missed: Questions given up because their deadline passed.
        consecutive_failures: Failures since the last answer; they lengthen the back-off. A missed
            deadline does not count: the engine works, and the next pair is asked about at once.
        last_error: Text of the last failure, empty before one.
    """

    offered: int = 0
    superseded: int = 0
    asked: int = 0
    crops: int = 0
    shared: int = 0
    answered: int = 0
    answers_invalid: int = 0
    engine_errors: int = 0
    deadlines_missed: int = 0
    consecutive_failures: int = 0
    last_error: str = ''

    @property
    def back_off_s(self) -> float:
        """Seconds to leave a failing engine alone; doubles with every failure."""
        if self.consecutive_failures < 2:
            return 0.0
        doubled = _FIRST_BACK_OFF_S * 2.0 ** min(self.consecutive_failures - 2, 16)
        return float(min(doubled, _LONGEST_BACK_OFF_S))

    def put(self, question: Question, shared: bool) -> None:
        """Count a question; ``shared`` when the one before was about the same pair."""
        self.asked += 1
        self.crops += question.region is not None
        self.shared += shared

    def succeeded(self) -> None:
        """Count an answer."""
        self.answered += 1
        self.consecutive_failures = 0

    def failed(self, error: Exception) -> None:
        """Count a failure by its kind."""
        if isinstance(error, AnswerError):
            self.answers_invalid += 1
        else:
            self.engine_errors += 1
        late = isinstance(error, DeadlineError)
        self.deadlines_missed += late
        self.consecutive_failures += not late
        self.last_error = f'{type(error).__name__}: {error}'


@dataclass(frozen=True, eq=False)
class _Offer:
    """A pair with what was active and known when it arrived."""

    pair: FramePair
    queries: tuple[Query, ...]
    tracks: tuple[Track, ...]


@dataclass(frozen=True, eq=False)
class EngineJob:
    """Work to be done with the engine, and where its result goes."""

    work: Callable[[], Any]
    future: Future[Any]

    def run(self) -> None:
        """Do it; whatever it raises is the result."""
        if self.future.set_running_or_notify_cancel():
            try:
                self.future.set_result(self.work())
            except Exception as error:
                self.future.set_exception(error)


class GroundingWorker:
    """Asks the model about the newest pair, one question at a time.

    Args:
        grounder: Answers questions; its exceptions are counted, never fatal.
        on_answer: Called in the worker's thread with every answer, and in a thread of its own
            with the newest partial answer while one is written.
        scheduler: Says what is asked in which order; None takes one by default. The worker's
            thread alone uses it.
    """

    def __init__(self, grounder: GroundsQueries, on_answer: OnAnswer,
                 scheduler: Scheduler | None = None) -> None:
        self.counts = WorkerCounts()
        self._grounder = grounder
        self._on_answer = on_answer
        self._scheduler = scheduler or Scheduler()
        self._offer: _Offer | None = None
        self._jobs: deque[EngineJob] = deque()
        self._forgets = False
        # Guards the offer, the jobs and the two flags; notified when there is something to do.
        self._wake = threading.Condition()
        self._closed = False
        self._partial_answers = PartialAnswers(on_answer)
        self._thread = threading.Thread(target=self._work, name='grounding', daemon=True)
        self._thread.start()

    def offer(self, pair: FramePair, queries: Sequence[Query],
              tracks: Sequence[Track] = ()) -> None:
        """Offer the newest pair with its active queries and all its tracks; returns at once."""
        with self._wake:
            self.counts.superseded += self._offer is not None
            self._offer = _Offer(pair, tuple(queries), tuple(tracks)) if queries else None
            self.counts.offered += bool(queries)
            self._wake.notify()

    def submit(self, work: Callable[[], Result]) -> 'Future[Result]':
        """Queue work with the engine, done in its thread before the next question.

        The future is cancelled if the worker closes before that.
        """
        future: Future[Result] = Future()
        with self._wake:
            if self._closed:
                future.cancel()
            else:
                self._jobs.append(EngineJob(work, future))
                self._wake.notify()
        return future

    def withdraw(self) -> None:
        """Take back a pair that was not asked about, and forget what was asked, for a reset."""
        with self._wake:
            self._offer, self._forgets = None, True

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop after the question in work; returns whether the thread ended in time."""
        with self._wake:
            self._closed = True
            for job in self._jobs:
                job.future.cancel()
            self._wake.notify()
        self._thread.join(timeout_s)
        return self._partial_answers.close(timeout_s) and not self._thread.is_alive()

    def _work(self) -> None:
        while (offer := self._take()) is not None:
            if isinstance(offer, EngineJob):
                offer.run()
                continue
            if self._forgets:
                self._forgets = False
                self._scheduler.forget()
            ranked = self._scheduler.questions(offer.pair, offer.queries, offer.tracks)
            for turn, question in enumerate(self._scheduler.now(ranked)):
                # After a failure the newest pair matters more than the rest of this one.
                if self._closed or not self._ask(offer.pair, question, turn > 0):
                    break

    def _take(self) -> _Offer | EngineJob | None:
        """Wait for a job, or a pair after the back-off of a failing engine; None closes."""
        with self._wake:
            free_at = time.monotonic() + self.counts.back_off_s
            while not self._closed:
                if self._jobs:
                    return self._jobs.popleft()
                left = free_at - time.monotonic()
                if left <= 0 and self._offer is not None:
                    offer, self._offer = self._offer, None
                    return offer
                self._wake.wait(left if left > 0 else None)
            return None

    def _ask(self, pair: FramePair, question: Question, shared: bool) -> bool:
        """Put one question; returns whether it was answered."""
        self._scheduler.asked(question, pair.stamp_ns)
        self.counts.put(question, shared)
        # Whatever the engine or the tracker raises, the next pair is asked about.
        try:
            answer = self._grounder.ground(question.view(pair), question.query,
                                           self._scheduler.schedule.deadline_s,
                                           self._partial_answers.put)
            self._partial_answers.discard()
            self.counts.succeeded()
            self._on_answer(answer)
        except Exception as error:
            self.counts.failed(error)
            return False
        return True
