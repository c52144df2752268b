"""What a tracker is told about a model is what its answers were."""

import numpy as np
import pytest

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.evaluation.metrics.answer_accuracy import TooFewAnswersError, measure_accuracy
from rtrack_ros.evaluation.metrics.grounding_f1 import GroundedFrame

MEANT, OTHER = (100.0, 100.0, 140.0, 200.0), (400.0, 100.0, 440.0, 200.0)


def test_misses_false_boxes_and_errors_are_told_apart() -> None:
    """Of 40 objects 10 are missed, of 20 others 4 are boxed; boxes are 4 px too far right."""
    shifted = (104.0, 100.0, 144.0, 200.0)
    frames = [GroundedFrame((MEANT,), (shifted,))] * 26
    frames += [GroundedFrame((MEANT,), (shifted, OTHER), others=(OTHER,))] * 4
    frames += [GroundedFrame((MEANT,), (), others=(OTHER,))] * 10
    frames += [GroundedFrame((), None, others=(OTHER,))] * 6
    accuracy = measure_accuracy(frames)
    assert accuracy.detection_probability == pytest.approx(0.75)
    assert accuracy.false_alarm_probability == pytest.approx(4 / 20)
    assert accuracy.centre_noise == pytest.approx(4 / np.sqrt(4000) / np.sqrt(2), abs=1e-4)
    assert accuracy.size_noise == 0.001, 'no error is the least that can be said'


def test_errors_of_size_are_shares_of_each_side() -> None:
    grown = (96.0, 90.0, 144.0, 210.0)
    accuracy = measure_accuracy([GroundedFrame((MEANT,), (grown,))] * 20)
    assert accuracy.size_noise == pytest.approx(0.2)
    assert accuracy.centre_noise == 0.001


def test_a_perfect_model_is_trusted_as_far_as_allowed() -> None:
    accuracy = measure_accuracy([GroundedFrame((MEANT,), (MEANT,), others=(OTHER,))] * 20)
    assert accuracy == AnswerAccuracy(0.99, 0.01, 0.001, 0.001)


def test_too_few_boxes_measure_nothing() -> None:
    with pytest.raises(TooFewAnswersError, match='only 19 boxes were right'):
        measure_accuracy([GroundedFrame((MEANT,), (MEANT,))] * 19)
