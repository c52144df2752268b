"""The reliability curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.metrics.reliability import (
    judged_scores,
    measure_reliability,
    right_boxes,
)
from rtrack_ros.evaluation.sequences import EvaluationSequence


def test_scores_that_mean_what_they_say_have_no_error() -> None:
    scores = [0.25] * 8 + [0.75] * 4
    curve = measure_reliability(scores, [True] * 2 + [False] * 6 + [True] * 3 + [False])
    assert [(item.score, item.right, item.boxes) for item in curve.bins] == [
        (0.25, 0.25, 8), (0.75, 0.75, 4)]
    assert curve.error == 0.0


def test_the_error_is_weighted_by_boxes() -> None:
    curve = measure_reliability([0.95] * 3 + [0.15], [True, True, False, False])
    assert curve.error == pytest.approx((3 * (0.95 - 2 / 3) + 0.15) / 4)
    assert curve.as_dict()['error'] == pytest.approx(curve.error, abs=1e-4)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50), st.integers(1, 20))
def test_every_box_is_in_one_bin(pairs, bins) -> None:
    curve = measure_reliability([score for score, _ in pairs], [right for _, right in pairs],
                                bins)
    assert sum(item.boxes for item in curve.bins) == len(pairs)
    assert 0.0 <= curve.error <= 1.0
    shares = sum(item.right * item.boxes for item in curve.bins)
    assert shares == pytest.approx(sum(right for _, right in pairs))


@pytest.mark.parametrize(('scores', 'right', 'bins'), [
    ([0.5], [True, False], 10), ([1.5], [True], 10), ([np.nan], [True], 10), ([0.5], [True], 0)])
def test_what_makes_no_sense_is_refused(scores, right, bins) -> None:
    with pytest.raises(ValueError):
        measure_reliability(scores, right, bins)


def test_a_true_box_makes_one_box_right() -> None:
    truth = [(0.0, 0, 10, 10), (100.0, 0, 110, 10)]
    boxes = [(0.0, 0, 10, 11), (0.0, 0, 10, 10), (100.0, 0, 104, 10), (50.0, 0, 60, 10)]
    assert right_boxes(boxes, truth) == [False, True, False, False]
    assert right_boxes([], truth) == []
    assert right_boxes(boxes[:1], []) == [False]


def test_reported_boxes_are_judged_frame_by_frame() -> None:
    def row(frame: int, box: tuple[float, float, float, float], score: float = 1.0) -> MotRow:
        return MotRow(frame, 1, box, score)
    here, there = (0.0, 0.0, 10.0, 10.0), (50.0, 0.0, 60.0, 10.0)
    sequence = EvaluationSequence(
        {1: [row(1, here)], 2: [row(2, here)]},
        {1: [row(1, here, 0.9)], 2: [row(2, there, 0.4)], 3: [row(3, here, 0.2)]}, 3)
    assert judged_scores([sequence]) == ([0.9, 0.4, 0.2], [True, False, False])
