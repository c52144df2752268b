"""F1 of single answers at IoU 0.5."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.evaluation.metrics.grounding_f1 import GroundedFrame, score_frame, score_groundings

Box = tuple[float, float, float, float]


def shifted(x: float) -> Box:
    return (x, 0.0, x + 30.0, 30.0)


def test_a_perfect_and_an_empty_answer() -> None:
    report = score_groundings([
        GroundedFrame((shifted(0), shifted(100)), (shifted(100), shifted(0)), 'day', 'class'),
        GroundedFrame((shifted(0),), (), 'night', 'class'),
        GroundedFrame((), (), 'night', 'nobody')])
    assert report.overall.f1 == pytest.approx(0.8)
    assert report.by_condition['day'].f1 == 1
    assert report.by_condition['night'].f1 == 0
    assert report.by_kind['class'].missed == 1
    assert report.by_kind['nobody'].frames == 1 and report.by_kind['nobody'].spurious == 0


def test_one_box_cannot_match_two_objects() -> None:
    score = score_frame(GroundedFrame((shifted(0), shifted(4)), (shifted(2),)))
    assert (score.matched, score.spurious, score.missed) == (1, 0, 1)


def test_matching_prefers_two_valid_pairs_over_one_better() -> None:
    # The first answer lies best on the first object, but is the only one for the second.
    truth = ((0.0, 0, 30, 30), (8.0, 0, 38, 30))
    answer = ((4.0, 0, 34, 30), (-8.0, 0, 22, 30))
    assert score_frame(GroundedFrame(truth, answer)).matched == 2


def test_an_invalid_answer_counts_as_nothing_found_and_is_reported() -> None:
    score = score_frame(GroundedFrame((shifted(0),), None))
    assert (score.missed, score.invalid, score.f1) == (1, 1, 0)


@pytest.mark.parametrize('shift, matched', [(9.9, 1), (10.1, 0)])
def test_the_threshold_is_half_of_the_union(shift: float, matched: int) -> None:
    assert score_frame(GroundedFrame((shifted(0),), (shifted(shift),))).matched == matched


boxes = st.lists(st.builds(shifted, st.integers(0, 200).map(float)), max_size=6).map(tuple)


@settings(deadline=None, max_examples=50)
@given(boxes, boxes)
def test_counts_add_up_and_the_score_is_symmetric(first: tuple[Box, ...],
                                                  second: tuple[Box, ...]) -> None:
    one, other = (score_frame(GroundedFrame(a, b)) for a, b in ((first, second), (second, first)))
    assert one.matched + one.missed == len(first) and one.matched + one.spurious == len(second)
    assert (one.matched, one.missed, one.f1) == (other.matched, other.spurious, other.f1)
    perfect = score_frame(GroundedFrame(first, first))
    assert perfect.missed == perfect.spurious == 0
