"""Asks the model inside the thread of the pairs, as for files; knows no thread.

The worker (``worker``) does the same for a camera. Here time is stamp time alone: a recording
gives the same result on every machine.
"""

from collections.abc import Sequence

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import OnAnswer
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.freshness import Freshness
from rtrack_ros.scheduling.object_judge import ObjectJudge
from rtrack_ros.scheduling.putting import Asked, GroundsQueries, OnVerdict
from rtrack_ros.scheduling.scheduler import STAMP_JITTER_NS, Scheduler
from rtrack_ros.scheduling.worker_counts import WorkerCounts
from rtrack_ros.tracking.track import Track


class AskingInTurn:
    """Asks every query that is due about a pair, and waits for the answers.

    Args:
        grounder: Answers questions; its exceptions are counted, never fatal.
        scheduler: Says what is asked in which order.
        interval_s: Least stamp time between two questions of one query; 0 asks about every pair.
        on_answer: Called with every answer.
        judge: Verifies objects; None where the model cannot, and the scheduler asks for none.
        on_verdict: Called with every verdict.
    """

    def __init__(self, grounder: GroundsQueries, scheduler: Scheduler, interval_s: float,
                 on_answer: OnAnswer, judge: ObjectJudge | None = None,
                 on_verdict: OnVerdict = lambda verdict: None) -> None:
        self.counts = WorkerCounts()
        self._asked = Asked(grounder, on_answer, judge, on_verdict)
        self._scheduler, self._interval_ns = scheduler, int(interval_s * 1e9)
        self._freshness = Freshness()

    def withdraw(self) -> None:
        """Forget what was asked, for a reset."""
        self._scheduler.forget()
        self._freshness = Freshness()

    def ask(self, pair: FramePair, queries: Sequence[Query], tracks: Sequence[Track]) -> bool:
        """Ask every query that is due; returns whether the tracks may have changed.

        Args:
            pair: The newest pair.
            queries: The active queries.
            tracks: All tracks as of that pair.
        """
        self._freshness.see(pair)
        if self._freshness.is_coming(pair, self._scheduler.schedule.thermal_wait_s):
            return False
        # By night the answer about a pair without thermal was blind: the next need not wait.
        more = self._freshness.shows_more(pair)
        due = [question for question in self._scheduler.questions(pair, queries, tracks)
               if more or self._is_due(question.query, pair.stamp_ns)]
        if due:
            self._freshness.asked(pair)
        for turn, question in enumerate(due):
            self._scheduler.asked(question, pair.stamp_ns)
            self.counts.put(question, shared=turn > 0)
            # A file is read to its end even where the model fails on a frame.
            try:
                self._asked.put(question, pair)
                self.counts.succeeded()
            except Exception as error:
                self.counts.failed(error)
        return bool(due)

    def _is_due(self, query: Query, stamp_ns: int) -> bool:
        waited_ns = self._scheduler.waited_ns(query, stamp_ns)
        return waited_ns is None or waited_ns + STAMP_JITTER_NS >= self._interval_ns
