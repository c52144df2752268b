"""Competence: how far a model's word about one target can be believed, measured before it is.

A model may never have seen the like of a target. So it is examined first: it is shown the very
picture in which the target was shown, in a window that is off to one side, and must find it there.
Later every answer is held against the tracker's own eye, where that sees the target sharply. The
share of right ones, with an examination worth several answers, is the trust in the model.

Two rules follow. A model that is not trusted moves no track and ends none. What the eye has seen
sharply at every look is not moved by a word, even of a trusted model. Where the eye lost the
target in between, it may have come back onto something else: then an answer that puts the target
elsewhere is believed if it is the third in a row. Amounts are our choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtrack_ros.boxes import iou
from rtrack_ros.language.answers import Box

TRUSTED: Final = 0.5
"""Trust from which a model is believed."""
FOUND_IOU: Final = 0.5
"""Least overlap with the true box with which an examination is passed."""
_SAME_IOU: Final = 0.3
_INSIST: Final = 3
_EXAM_RIGHT, _EXAM_WRONG = 3.0, 6.0
_MOST_WEIGHT: Final = 20.0
_SHIFTS: Final = ((0.5, -0.4), (-0.5, 0.4))


@dataclass(frozen=True)
class Hearing:
    """What is to be made of one answer about a target.

    Attributes:
        box: Whether its box counts.
        trust: What its silence weighs, in [0, 1].
    """

    box: bool
    trust: float


@dataclass
class Competence:
    """What is known of a model at one target.

    Attributes:
        right: Right answers, by weight; those before the first are what an untested model has.
        wrong: Wrong answers, by weight.
        against: Answers in a row that put the target elsewhere than the eye sees it.
        examined: Whether it was examined.
        unbroken: Whether the eye saw the target at every look since it last agreed with an
            answer, or since the target was shown.
    """

    right: float = 2.0
    wrong: float = 1.0
    against: int = 0
    examined: bool = False
    unbroken: bool = True

    @property
    def trust(self) -> float:
        """Probability in [0, 1] that the next answer is right."""
        return self.right / (self.right + self.wrong)

    def take_exam(self, passed: Sequence[bool]) -> None:
        """Take the results of an examination."""
        self.examined = True
        for good in passed:
            self._count(_EXAM_RIGHT * good, _EXAM_WRONG * (not good))

    def hear(self, found: Box | None, seen: Box | None) -> Hearing:
        """Hold an answer against what the eye sees, and return what is to be made of it.

        Args:
            found: The box of the answer, None for "not there"; RGB pixels.
            seen: Where the eye sees the target sharply, None where it does not.
        """
        agrees = found is not None and seen is not None and overlap(found, seen) >= _SAME_IOU
        if seen is not None:
            self._count(float(agrees), float(not agrees))
        self.unbroken = agrees or (self.unbroken and seen is not None)
        moved = found is not None and seen is not None and not agrees
        self.against = self.against + 1 if moved else 0
        trusted = self.trust >= TRUSTED
        counts = trusted and (not moved or (self.against >= _INSIST and not self.unbroken))
        return Hearing(counts, self.trust if trusted and not moved else 0.0)

    def _count(self, right: float, wrong: float) -> None:
        self.right, self.wrong = self.right + right, self.wrong + wrong
        excess = max(1.0, (self.right + self.wrong) / _MOST_WEIGHT)
        self.right, self.wrong = self.right / excess, self.wrong / excess


def exam_places(box: Box) -> list[Box]:
    """Return where the target is said to be expected in an examination: beside its true box.

    A model that only points at the middle of its window fails.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    return [(box[0] + x * width, box[1] + y * height, box[2] + x * width, box[3] + y * height)
            for x, y in _SHIFTS]


def overlap(first: Box, second: Box) -> float:
    """Return the IoU of two boxes."""
    return float(iou([first], [second])[0, 0])
