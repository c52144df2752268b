"""Right or wrong: what a model said against what is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from rtrack_ros.boxes import iou
from rtrack_ros.engines.families import FAMILIES
from rtrack_ros.language.answers import Box
from rtrack_ros.language.coordinates import BBOX_PROTOCOLS
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.language.self_test.asking import Said
from rtrack_ros.language.self_test.pictures import Question

_LEAST_OVERLAP, _MOST_WRONG = 0.5, 1


@dataclass(frozen=True)
class Thresholds:
    """From where a model passes.

    Attributes:
        least_overlap: IoU from which a box is right.
        most_wrong: Answers that may be wrong.
    """

    least_overlap: float
    most_wrong: int


def thresholds_of(family: str) -> Thresholds:
    """Return the thresholds of a family; those of any other model for '' and unknown names."""
    for known in FAMILIES:
        if known.name == family:
            return Thresholds(known.least_overlap, known.most_wrong)
    return Thresholds(_LEAST_OVERLAP, _MOST_WRONG)


@dataclass(frozen=True)
class Judge:
    """Judges all answers of one model.

    Attributes:
        questions: What was asked.
        model_size: (width, height) in pixels of the images that the model saw.
        thresholds: From where it passes.
    """

    questions: Sequence[Question]
    model_size: tuple[int, int]
    thresholds: Thresholds

    def passes(self, said: Sequence[Said], protocol: str) -> bool:
        """Whether enough answers are right, read in a coordinate protocol."""
        return len(said) - len(self.overlaps(said, protocol)) <= self.thresholds.most_wrong

    def overlaps(self, said: Sequence[Said], protocol: str) -> list[float]:
        """Return the least IoU of each right answer; 1 where rightly nothing was boxed."""
        found = (self._overlap(question, text, protocol)
                 for question, text in zip(self.questions, said, strict=True))
        return [overlap for overlap in found if overlap >= self.thresholds.least_overlap]

    def boxes(self, question: Question, said: Said, protocol: str) -> list[Box] | None:
        """Return the boxes of an answer in pixels of the picture, None where it is none."""
        if not said.complete:
            return None
        size = question.pair.width, question.pair.height
        try:
            found = parse_answer(said.text, protocol, size, self.model_size)
        except AnswerError:
            return None
        return [item.box for item in found]

    def unreadable(self, said: Sequence[Said]) -> list[Said]:
        """Return the answers that are none in any protocol."""
        return [text for question, text in zip(self.questions, said, strict=True)
                if all(self.boxes(question, text, protocol) is None
                       for protocol in BBOX_PROTOCOLS)]

    def first_wrong(self, said: Sequence[Said], protocol: str) -> tuple[Question, Said]:
        """Return a question that was answered wrongly, and the answer."""
        return next((question, text)
                    for question, text in zip(self.questions, said, strict=True)
                    if self._overlap(question, text, protocol) < self.thresholds.least_overlap)

    def _overlap(self, question: Question, said: Said, protocol: str) -> float:
        boxes = self.boxes(question, said, protocol)
        if boxes is None or len(boxes) != len(question.boxes):
            return 0.0
        return float(iou(question.boxes, boxes).max(axis=1).min()) if boxes else 1.0
