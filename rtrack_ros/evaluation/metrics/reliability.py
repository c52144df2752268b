"""Do scores mean what they say? Of boxes published with score 0.8, four in five should be right.

A box is right when it overlaps a true one by at least half and no other box of its frame overlaps
that one better. The expected calibration error is the mean distance between score and share of
right boxes over bins of equal width, weighted by their boxes (Naeini et al., AAAI 2015; Guo et
al., ICML 2017).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from rtrack_ros.boxes import as_boxes, iou
from rtrack_ros.evaluation.sequences import EvaluationSequence
from rtrack_ros.language.answers import Box

RIGHT_IOU = 0.5
"""Least overlap with the truth of a box that is right."""


@dataclass(frozen=True)
class ScoreBin:
    """Boxes of similar score.

    Attributes:
        score: Their mean score.
        right: Share of them that is right.
        boxes: How many they are.
    """

    score: float
    right: float
    boxes: int


@dataclass(frozen=True)
class Reliability:
    """A reliability curve.

    Attributes:
        bins: Bins that hold boxes, by rising score; ``right`` over ``score`` is the curve.
        error: Expected calibration error in [0, 1]; 0 without boxes.
    """

    bins: tuple[ScoreBin, ...]
    error: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {'error': round(self.error, 4), 'bins': [asdict(item) for item in self.bins]}


def measure_reliability(scores: ArrayLike, right: ArrayLike, bins: int = 10) -> Reliability:
    """Return the reliability curve of (score, was right) pairs.

    Args:
        scores: (N,) in [0, 1].
        right: (N,) whether each box was right.
        bins: Number of bins of equal width over [0, 1].

    Raises:
        ValueError: the lengths differ, a score lies outside [0, 1], or there is no bin.
    """
    score, correct = np.asarray(scores, np.float64).ravel(), np.asarray(right, bool).ravel()
    if len(score) != len(correct):
        raise ValueError(f'{len(score)} scores but {len(correct)} judgements; give one each')
    if bins < 1:
        raise ValueError(f'at least one bin is needed; got {bins}')
    if not ((score >= 0) & (score <= 1)).all():
        raise ValueError('scores must lie between 0 and 1')
    place = np.minimum((score * bins).astype(int), bins - 1)
    filled = tuple(
        ScoreBin(float(score[place == index].mean()), float(correct[place == index].mean()),
                 int((place == index).sum()))
        for index in np.unique(place))
    error = sum(item.boxes * abs(item.score - item.right) for item in filled)
    return Reliability(filled, error / max(len(score), 1))


def right_boxes(boxes: Sequence[Box], truth: Sequence[Box]) -> list[bool]:
    """Return which ``boxes`` of a frame are right, each true box counted for one of them.

    Both in pixels of the original RGB image, x1, y1, x2, y2.
    """
    overlap = iou(as_boxes(boxes), as_boxes(truth))
    rows, columns = linear_sum_assignment(overlap * (overlap >= RIGHT_IOU), maximize=True)
    matched = {int(row) for row, column in zip(rows, columns, strict=True)
               if overlap[row, column] >= RIGHT_IOU}
    return [index in matched for index in range(len(boxes))]


def judged_scores(sequences: Iterable[EvaluationSequence]) -> tuple[list[float], list[bool]]:
    """Return the score of every reported box, and whether it was right."""
    scores: list[float] = []
    right: list[bool] = []
    for sequence in sequences:
        for frame in sequence.tracks:
            rows = sequence.track_rows(frame)
            scores += [row.score for row in rows]
            right += right_boxes([row.box for row in rows],
                                 [row.box for row in sequence.truth_rows(frame)])
    return scores, right
