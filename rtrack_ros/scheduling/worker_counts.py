"""How asking the model went so far, and how long a failing engine is left alone."""

from dataclasses import dataclass

from rtrack_ros.engines.base import DeadlineError, EngineError
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.scheduling.scheduler import Question

_FIRST_BACK_OFF_S = 0.1
_LONGEST_BACK_OFF_S = 5.0
_LONGEST_WISH_S = 10.0
"""An engine may ask for so long a pause and no longer: a wrong one must not end the tracking."""


@dataclass
class WorkerCounts:
    """How asking went so far.

    Attributes:
        offered: Pairs offered with at least one query.
        superseded: Offered pairs that a newer one replaced before the model was free.
        asked: Questions put to the model.
        crops: Of these, questions about a part of the image.
        verifying: Of these, questions about objects one by one.
        shared: Of these, questions about a pair that was asked about just before.
        answered: Questions it answered.
        answers_invalid: Answers that broke the answer format.
        engine_errors: Questions on which the engine failed, missed deadlines included.
        deadlines_missed: Questions given up because their deadline passed.
        cancelled: Questions taken back because nobody waited for their answer any more.
        consecutive_failures: Failures since the last answer; they lengthen the back-off. A missed
            deadline does not count: the engine works, and the next pair is asked about at once.
        unanswered: Failures since the last answer, missed deadlines among them.
        last_error: Text of the last failure, empty before one.
        settled_turns: Questions about settled sentences that ended, however.
        settled_s: How long the model worked on them, seconds.
        guest_turns: Turns of guests, see ``scheduling.guests``: their questions, and descriptions.
        guest_s: How long the model worked on those, seconds.
    """

    offered: int = 0
    superseded: int = 0
    asked: int = 0
    crops: int = 0
    verifying: int = 0
    shared: int = 0
    answered: int = 0
    answers_invalid: int = 0
    engine_errors: int = 0
    deadlines_missed: int = 0
    cancelled: int = 0
    consecutive_failures: int = 0
    unanswered: int = 0
    last_error: str = ''
    settled_turns: int = 0
    settled_s: float = 0.0
    guest_turns: int = 0
    guest_s: float = 0.0

    @property
    def back_off_s(self) -> float:
        """Seconds to leave a failing engine alone; doubles with every failure."""
        if self.consecutive_failures < 2:
            return 0.0
        doubled = _FIRST_BACK_OFF_S * 2.0 ** min(self.consecutive_failures - 2, 16)
        return float(min(doubled, _LONGEST_BACK_OFF_S))

    @staticmethod
    def wished_pause_s(error: Exception) -> float:
        """Return the seconds for which the engine that failed wants to be left alone."""
        wished = error.ask_again_after_s if isinstance(error, EngineError) else 0.0
        return min(wished, _LONGEST_WISH_S)

    def put(self, question: Question, shared: bool) -> None:
        """Count a question; ``shared`` when the one before was about the same pair."""
        self.asked += 1
        self.crops += question.region is not None
        self.verifying += bool(question.objects)
        self.shared += shared

    def took(self, seconds: float, guest: bool) -> None:
        """Count a turn that the model took."""
        if guest:
            self.guest_turns, self.guest_s = self.guest_turns + 1, self.guest_s + seconds
        else:
            self.settled_turns, self.settled_s = self.settled_turns + 1, self.settled_s + seconds

    def succeeded(self) -> None:
        """Count an answer."""
        self.answered += 1
        self.consecutive_failures = self.unanswered = 0

    def failed(self, error: Exception) -> None:
        """Count a failure by its kind."""
        if isinstance(error, AnswerError):
            self.answers_invalid += 1
        else:
            self.engine_errors += 1
        late = isinstance(error, DeadlineError)
        self.deadlines_missed += late
        self.consecutive_failures += not late
        self.unanswered += 1
        self.last_error = f'{type(error).__name__}: {error}'
