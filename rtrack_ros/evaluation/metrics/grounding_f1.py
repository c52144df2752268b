"""How good single answers of the model are: F1 of boxes at IoU 0.5, pooled over frames."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from rtrack_ros import boxes
from rtrack_ros.language.answers import Box

IOU_THRESHOLD = 0.5


@dataclass(frozen=True)
class GroundedFrame:
    """One frame that the model was asked about.

    Attributes:
        truth: Boxes that the sentence means, pixels of the RGB image.
        answer: Boxes that the model gave; None when it gave no valid answer, which counts as
            nothing found and is reported apart.
        condition: For example 'day' or 'smoke'.
        kind: Kind of the expression, for example 'colour'.
        others: Boxes of the objects in view that the sentence does not mean.
    """

    truth: tuple[Box, ...]
    answer: tuple[Box, ...] | None
    condition: str = ''
    kind: str = ''
    others: tuple[Box, ...] = ()


@dataclass(frozen=True)
class GroundingScore:
    """Pooled counts; add two to pool them.

    Attributes:
        matched: Answered boxes matched one to one with true boxes.
        spurious: Answered boxes without a partner.
        missed: True boxes without a partner.
        frames: Frames asked about.
        invalid: Frames without a valid answer.
    """

    matched: int = 0
    spurious: int = 0
    missed: int = 0
    frames: int = 0
    invalid: int = 0

    def __add__(self, other: 'GroundingScore') -> 'GroundingScore':
        return GroundingScore(self.matched + other.matched, self.spurious + other.spurious,
                              self.missed + other.missed, self.frames + other.frames,
                              self.invalid + other.invalid)

    @property
    def precision(self) -> float:
        """Share of answered boxes that are right, in [0, 1]; 0 without answers."""
        return self.matched / max(self.matched + self.spurious, 1)

    @property
    def recall(self) -> float:
        """Share of true boxes that were found, in [0, 1]; 0 without truth."""
        return self.matched / max(self.matched + self.missed, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]; 0 without truth and answers."""
        return 2 * self.matched / max(2 * self.matched + self.spurious + self.missed, 1)

    def as_dict(self) -> dict[str, float | int]:
        """Return plain values for JSON."""
        return {'f1': round(self.f1, 4), 'precision': round(self.precision, 4),
                'recall': round(self.recall, 4), 'matched': self.matched,
                'spurious': self.spurious, 'missed': self.missed, 'frames': self.frames,
                'invalid': self.invalid}


@dataclass(frozen=True)
class GroundingReport:
    """Scores over all frames, and split."""

    overall: GroundingScore
    by_condition: dict[str, GroundingScore]
    by_kind: dict[str, GroundingScore]


def score_frame(frame: GroundedFrame, threshold: float = IOU_THRESHOLD) -> GroundingScore:
    """Return the counts of one frame; boxes are matched one to one for the largest total IoU."""
    matched = len(match_boxes(frame, threshold)[0])
    return GroundingScore(matched, len(frame.answer or ()) - matched, len(frame.truth) - matched,
                          1, int(frame.answer is None))


def match_boxes(frame: GroundedFrame, threshold: float = IOU_THRESHOLD
                ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which true box belongs to which answered one, two arrays of indices."""
    overlap = boxes.iou(frame.truth, frame.answer or ())
    # A pair below the threshold is worth nothing, so that it cannot displace a valid one.
    value = overlap * (overlap >= threshold)
    rows, columns = linear_sum_assignment(value, maximize=True)
    valid = value[rows, columns] > 0
    return rows[valid], columns[valid]


def score_groundings(frames: Iterable[GroundedFrame]) -> GroundingReport:
    """Return pooled scores over all frames, by condition and by kind of expression."""
    scored = [(frame, score_frame(frame)) for frame in frames]

    def split(key: Callable[[GroundedFrame], str]) -> dict[str, GroundingScore]:
        groups: dict[str, GroundingScore] = {}
        for frame, score in scored:
            groups[key(frame)] = groups.get(key(frame), GroundingScore()) + score
        return groups

    return GroundingReport(sum((score for _, score in scored), GroundingScore()),
                           split(lambda frame: frame.condition), split(lambda frame: frame.kind))
