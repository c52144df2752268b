"""Puts a question: asks where what is meant is, or about objects one by one.

Both who ask use it, the threads of a camera (``worker``) and the thread of a file
(``asking_in_turn``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rtrack_ros.engines.cancellation import Cancellation, passed_on
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, OnAnswer, Verdict
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.object_judge import ObjectJudge
from rtrack_ros.scheduling.scheduler import Question

OnVerdict = Callable[[Verdict], object]
"""Takes a verdict."""


class GroundsQueries(Protocol):
    """Answers a query about a pair; ``language.grounder.Grounder`` is one.

    Used by several threads at once it takes a ``cancellation``, as that does.
    """

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None) -> Answer:
        """Return the answer, or raise without one; pass on its boxes while it is written."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Who is asked, and who is told.

    Attributes:
        grounder: Says where what is meant is.
        on_answer: Called with every answer.
        judge: Verifies objects; None where the model cannot.
        on_verdict: Called with every verdict.
    """

    grounder: GroundsQueries
    on_answer: OnAnswer
    judge: ObjectJudge | None = None
    on_verdict: OnVerdict = lambda verdict: None

    def put(self, question: Question, pair: FramePair, deadline_s: float | None = None,
            on_partial: OnAnswer | None = None, cancellation: Cancellation | None = None,
            awaited: Callable[[], bool] = lambda: True) -> None:
        """Put a question and hand on what is said, as long as somebody waits for it.

        Args:
            question: What is asked.
            pair: The pair that it is about.
            deadline_s: Seconds after which an answer is of no use; None waits.
            on_partial: Called with an answer while it is written.
            cancellation: Takes the question back.
            awaited: Called with every answer and verdict, before it is handed on: whether it is
                still wanted.

        Raises:
            CancelledError: the question was taken back.
            EngineError: the engine failed; what was said until then has been handed on.
            AnswerError: the text is no answer.
        """
        if question.objects and self.judge is not None:
            for verdict in self.judge.verdicts(pair, question.query, question.objects, deadline_s,
                                               cancellation):
                if not awaited():
                    return
                self.on_verdict(verdict)
            return
        answer = self.grounder.ground(question.view(pair), question.query, deadline_s, on_partial,
                                      **passed_on(cancellation))
        if awaited():
            self.on_answer(answer)
