"""The threads that ask the model about the newest pair, and survive every error."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import OnAnswer
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.agenda import Agenda, Offer, QuestionInFlight
from rtrack_ros.scheduling.guests import GuestTime
from rtrack_ros.scheduling.object_judge import ObjectJudge
from rtrack_ros.scheduling.partial_answers import PartialAnswers
from rtrack_ros.scheduling.putting import Asked, GroundsQueries, OnVerdict
from rtrack_ros.scheduling.scheduler import Scheduler
from rtrack_ros.scheduling.worker_counts import WorkerCounts
from rtrack_ros.tracking.track import Track

Result = TypeVar('Result')


class BusyError(RuntimeError):
    """So much work waits for the engine that more is refused."""


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
    """Asks the model about the newest pair.

    Args:
        grounder: Answers questions; its exceptions are counted, never fatal. With a concurrency
            above 1 it is used by several threads at once.
        on_answer: Called in a thread of the worker with every answer, and in a thread of its own
            with the newest partial answer to a query while one is written.
        scheduler: Says what is asked in which order; None takes one by default. The worker alone
            uses it.
        concurrency: Most questions in flight, each in a thread of its own. With more than 1, a
            question whose sentence was replaced or let go is taken back.
        longest_back_off_s: Longest time for which a failing engine is left alone.
        judge: Verifies objects; None where the model cannot, and the scheduler asks for none.
        on_verdict: Called in a thread of the worker with every verdict.
        on_failure: Called in a thread of the worker with the query and the stamp of a question
            that has no answer, or whose answer was refused: its partial ones are void.
    """

    def __init__(self, grounder: GroundsQueries, on_answer: OnAnswer,
                 scheduler: Scheduler | None = None, concurrency: int = 1,
                 longest_back_off_s: float = 5.0, judge: ObjectJudge | None = None,
                 on_verdict: OnVerdict = lambda verdict: None,
                 on_failure: Callable[[Query, int], object] = lambda query, stamp_ns: None
                 ) -> None:
        self.counts = WorkerCounts()
        self._asked = Asked(grounder, on_answer, judge, on_verdict)
        self._on_failure = on_failure
        self._scheduler = scheduler or Scheduler()
        self._agenda = Agenda(self._scheduler, concurrency)
        self._longest_back_off_s = longest_back_off_s
        self._free_at = self._wished_at = 0.0
        self._jobs: deque[EngineJob] = deque()
        self._guests, self._job_last = GuestTime(), False
        # Guards the agenda with its scheduler, the counts, the jobs, the guests, the back-off and
        # the flag;
        # notified when there is something to do.
        self._wake = threading.Condition()
        self._closed = False
        self._partial_answers = PartialAnswers(on_answer)
        self._threads = [threading.Thread(target=self._work, name=_name(number), daemon=True)
                         for number in range(1, concurrency + 1)]
        for thread in self._threads:
            thread.start()

    def offer(self, pair: FramePair, queries: Sequence[Query],
              tracks: Sequence[Track] = ()) -> None:
        """Offer the newest pair with its active queries and all its tracks; returns at once."""
        with self._wake:
            self.counts.superseded += self._agenda.offer(
                Offer(pair, tuple(queries), tuple(tracks)))
            self.counts.offered += bool(queries)
            given_up = self._agenda.supersede(queries)
            self._wake.notify_all()
        _take_back(given_up)

    def submit(self, work: Callable[[], Result], most_waiting: int = 4) -> 'Future[Result]':
        """Queue work with the engine, done in a thread of the worker in turn with questions.

        The future is cancelled if the worker closes before that. Whoever does not want it any more
        cancels it.

        Args:
            work: Is called.
            most_waiting: With so many waiting, more is refused.

        Raises:
            BusyError: it is refused.
        """
        future: Future[Result] = Future()
        with self._wake:
            self._jobs = deque(job for job in self._jobs if not job.future.cancelled())
            if self._closed:
                future.cancel()
            elif len(self._jobs) >= most_waiting:
                raise BusyError(f'{len(self._jobs)} wait for the model, which is the most')
            else:
                self._jobs.append(EngineJob(work, future))
                self._wake.notify_all()
        return future

    def withdraw(self) -> None:
        """Take back a pair that was not asked about, and forget what was asked, for a reset."""
        with self._wake:
            self._agenda.withdraw()
            given_up = self._agenda.supersede()
        _take_back(given_up)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop after what is in work; returns whether all threads ended in time."""
        ends = time.monotonic() + timeout_s
        with self._wake:
            self._closed = True
            for job in self._jobs:
                job.future.cancel()
            given_up = self._agenda.supersede()
            self._wake.notify_all()
        _take_back(given_up)
        for thread in self._threads:
            thread.join(max(ends - time.monotonic(), 0.0))
        return self._partial_answers.close(timeout_s) and not any(
            thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (item := self._take()) is not None:
            if isinstance(item, EngineJob):
                started = time.monotonic()
                item.run()
                self._guest_took(time.monotonic() - started)
            else:
                self._ask(item)

    def _take(self) -> QuestionInFlight | EngineJob | None:
        """Wait for a job, or a question after the back-off of a failing engine; None closes."""
        with self._wake:
            while not self._closed:
                now = time.monotonic()
                left = max(self._free_at, self._wished_at) - now
                guests_left = self._guests.wait_s(now) if self._agenda.has_settled else 0.0
                item = (self._agenda.next_about_begun()
                        or self._next(asks=left <= 0, guests=guests_left <= 0))
                if isinstance(item, QuestionInFlight):
                    self.counts.put(item.question, item.shared)
                if item is not None:
                    return item
                self._wake.wait(min((wait for wait in (left, guests_left) if wait > 0),
                                    default=None))
            return None

    def _next(self, asks: bool, guests: bool) -> QuestionInFlight | EngineJob | None:
        """Return what comes next: guests and settled sentences in turn.

        Args:
            asks: Whether questions may be put now.
            guests: Whether guests may come now.
        """
        settled_first = self._guests.came_last
        for is_guest in (False, True) if settled_first else (True, False):
            if is_guest:
                item = self._next_guest(asks) if guests else None
            else:
                item = self._agenda.next_about_newest(guests=False) if asks else None
            if item is not None:
                self._guests.comes(is_guest)
                return item
        return None

    def _next_guest(self, asks: bool) -> QuestionInFlight | EngineJob | None:
        """Return a description or a question of a guest, in turn where there are both."""
        question = None
        if asks and (self._job_last or not self._jobs):
            question = self._agenda.next_about_newest(guests=True)
        self._job_last = question is None and bool(self._jobs)
        return question or (self._jobs.popleft() if self._jobs else None)

    def _guest_took(self, seconds: float) -> None:
        with self._wake:
            self.counts.took(seconds, guest=True)
            self._guests.took(time.monotonic(), seconds, self._scheduler.schedule.guest_share)

    def _ask(self, item: QuestionInFlight) -> None:
        """Put one question and pass its answer on."""
        failure, started = None, time.perf_counter()
        # Whatever the engine or the tracker raises, the next pair is asked about.
        try:
            self._asked.put(item.question, item.pair, self._scheduler.schedule.deadline_s,
                            self._partial_answers.put, item.cancellation,
                            lambda: self._is_awaited(item))
        except Exception as error:
            failure = error
            self._void_partial(item)
        self._end(item, failure, time.perf_counter() - started)

    def _void_partial(self, item: QuestionInFlight) -> None:
        """Take back what was passed on of an answer that failed before its end."""
        query = item.question.query
        self._partial_answers.discard(query.id)
        with suppress(Exception):
            self._on_failure(query, item.pair.stamp_ns)

    def _is_awaited(self, item: QuestionInFlight) -> bool:
        """Count an answer that somebody waits for; returns whether somebody does.

        It is whole: what was passed on of it while it was written counts no more.
        """
        self._partial_answers.discard(item.question.query.id)
        with self._wake:
            if not item.superseded:
                self.counts.succeeded()
                self._free_at = 0.0
            return not item.superseded

    def _end(self, item: QuestionInFlight, failure: Exception | None, seconds: float) -> None:
        """Take note of what became of a question; a failing engine is left alone by all."""
        with self._wake:
            self._agenda.ended(item, well=failure is None)
            self.counts.took(seconds, item.guest)
            if item.guest:
                self._guests.took(time.monotonic(), seconds,
                                  self._scheduler.schedule.guest_share)
            if item.superseded:
                self.counts.cancelled += 1
            elif failure is not None:
                self.counts.failed(failure)
                now = time.monotonic()
                self._free_at = now + min(self.counts.back_off_s, self._longest_back_off_s)
                # An answer to another question ends the back-off, and not what the engine wished.
                self._wished_at = max(self._wished_at, now + self.counts.wished_pause_s(failure))
            else:
                self._scheduler.took(item.question, seconds)
            self._wake.notify_all()


def _name(number: int) -> str:
    return 'grounding' if number == 1 else f'grounding {number}'


def _take_back(items: Sequence[QuestionInFlight]) -> None:
    """Cancel what is in flight; to be called without a lock."""
    for item in items:
        if item.cancellation is not None:
            item.cancellation.cancel()
