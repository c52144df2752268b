"""Which frame and which query the model works on next, in a thread of its own.

The newest pair always wins: a frame nobody asked about yet is worth nothing once a newer one is
there. Among queries the one most in need wins: first one that was never asked, then the one that
waited longest.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query

_FIRST_BACK_OFF_S = 0.1
_LONGEST_BACK_OFF_S = 5.0


class GroundsQueries(Protocol):
    """Whatever answers a query about a pair; ``language.grounder.Grounder`` is one."""

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None) -> Answer:
        """Return the answer, or raise when there is none."""


@dataclass
class WorkerCounts:
    """How asking went so far.

    Attributes:
        offered: Pairs offered with at least one query.
        superseded: Offered pairs that a newer one replaced before the model was free.
        asked: Questions put to the model.
        answered: Questions it answered.
        answers_invalid: Answers that broke the answer format.
        engine_errors: Questions on which the engine failed.
        consecutive_failures: Failures since the last answer; they lengthen the back-off.
        last_error: Text of the last failure, empty before one.
    """

    offered: int = 0
    superseded: int = 0
    asked: int = 0
    answered: int = 0
    answers_invalid: int = 0
    engine_errors: int = 0
    consecutive_failures: int = 0
    last_error: str = ''

    @property
    def back_off_s(self) -> float:
        """Seconds to leave a failing engine alone; doubles with every failure."""
        if self.consecutive_failures < 2:
            return 0.0
        doubled = _FIRST_BACK_OFF_S * 2.0 ** min(self.consecutive_failures - 2, 16)
        return float(min(doubled, _LONGEST_BACK_OFF_S))

    def failed(self, error: Exception) -> None:
        """Count a failure by its kind."""
        if isinstance(error, AnswerError):
            self.answers_invalid += 1
        else:
            self.engine_errors += 1
        self.consecutive_failures += 1
        self.last_error = f'{type(error).__name__}: {error}'


class QueryRota:
    """Remembers when each query was last asked, and names the one most in need."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], int] = {}
        self._turn = 0

    def next(self, queries: Sequence[Query]) -> Query | None:
        """Return the query most in need; None without queries."""
        keys = {(query.id, query.epoch) for query in queries}
        self._asked = {key: turn for key, turn in self._asked.items() if key in keys}
        return min(queries, key=lambda query: self._asked.get((query.id, query.epoch), -1),
                   default=None)

    def asked(self, query: Query) -> None:
        """Note that it is this query's turn now."""
        self._turn += 1
        self._asked[(query.id, query.epoch)] = self._turn


class GroundingWorker:
    """Asks the model about the newest pair, one question at a time.

    Args:
        grounder: Answers questions; its exceptions are counted, never fatal.
        on_answer: Called in the worker's thread with every answer.
        on_error: Called in the worker's thread with every failure.
        deadline_s: Seconds after which an answer is of no use, handed to the grounder.
    """

    def __init__(self, grounder: GroundsQueries, on_answer: Callable[[Answer], object],
                 on_error: Callable[[Exception], object] | None = None,
                 deadline_s: float | None = None) -> None:
        self.counts = WorkerCounts()
        self._grounder = grounder
        self._on_answer = on_answer
        self._on_error = on_error
        self._deadline_s = deadline_s
        self._rota = QueryRota()
        self._offer: tuple[FramePair, tuple[Query, ...]] | None = None
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name='grounding', daemon=True)
        self._thread.start()

    def offer(self, pair: FramePair, queries: Sequence[Query]) -> None:
        """Offer the newest pair with the queries active for it; returns at once."""
        with self._wake:
            self.counts.superseded += self._offer is not None
            self._offer = (pair, tuple(queries)) if queries else None
            self.counts.offered += bool(queries)
            self._wake.notify()

    def withdraw(self) -> None:
        """Take back a pair that has not been asked about, for a reset."""
        with self._wake:
            self._offer = None

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop after the question in work; returns whether the thread ended in time."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            offer = self._take()
            if offer is None:
                return
            pair, queries = offer
            query = self._rota.next(queries)
            if query is not None:
                self._ask(pair, query)

    def _take(self) -> tuple[FramePair, tuple[Query, ...]] | None:
        """Wait for a pair, after the back-off if the engine fails; None when closing."""
        with self._wake:
            free_at = time.monotonic() + self.counts.back_off_s
            while not self._closed:
                left = free_at - time.monotonic()
                if left <= 0 and self._offer is not None:
                    offer, self._offer = self._offer, None
                    return offer
                self._wake.wait(left if left > 0 else None)
            return None

    def _ask(self, pair: FramePair, query: Query) -> None:
        self._rota.asked(query)
        self.counts.asked += 1
        # Whatever the engine or the tracker raises, the next pair deserves its question.
        try:
            answer = self._grounder.ground(pair, query, self._deadline_s)
            self.counts.answered += 1
            self.counts.consecutive_failures = 0
            self._on_answer(answer)
        except Exception as error:
            self.counts.failed(error)
            if self._on_error is not None:
                self._on_error(error)
