"""TrackEval in memory: known answers, and properties that a wrong pooling would break."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.metrics.hota import evaluate_sequences, evaluate_tracks
from rtrack_ros.evaluation.sequences import EvaluationSequence, by_frame


def box(x: float) -> tuple[float, float, float, float]:
    return (x, 10.0, x + 20.0, 40.0)


def pair_a() -> EvaluationSequence:
    truth = [MotRow(t, number, box(left + t)) for t in range(1, 6)
             for number, left in ((1, 10), (2, 100))]
    tracks = [MotRow(t, 7 if t < 4 else 8, box(11 + t)) for t in range(1, 6)]
    return EvaluationSequence(by_frame(truth), by_frame(tracks), 5)


def pair_b() -> EvaluationSequence:
    return EvaluationSequence(by_frame(MotRow(t + 1, 1, box(10 + t)) for t in range(5)), {}, 5)


def pair_c() -> EvaluationSequence:
    return EvaluationSequence({}, by_frame(MotRow(t + 1, 1, box(10 + t)) for t in range(5)), 5)


def test_single_sequence_of_the_reference_gives_its_known_scores() -> None:
    sequence = pair_a()
    scores = evaluate_tracks(sequence.truth, sequence.tracks, 5)
    assert (scores.hota, scores.deta, scores.assa) == pytest.approx((48.31, 47.37, 49.26), abs=.01)
    assert (scores.mota, scores.idf1, scores.idsw) == pytest.approx((40, 40, 1))


def test_pooling_of_the_reference_gives_its_known_scores() -> None:
    scores = evaluate_sequences({'a': pair_a(), 'b': pair_b(), 'c': pair_c()})
    found = (scores.hota, scores.deta, scores.assa, scores.detre, scores.detpr, scores.asspr,
             scores.loca, scores.mota, scores.idf1)
    assert found == pytest.approx((34.16, 23.68, 49.26, 31.58, 47.37, 94.74, 90.98, -6.67, 24.0),
                                  abs=0.01)


def test_a_quiet_answer_to_an_absent_expression_leaves_the_pool_unchanged() -> None:
    quiet = EvaluationSequence({}, {}, 5)
    alone = evaluate_sequences({'a': pair_a()})
    assert evaluate_sequences({'a': pair_a(), 'quiet': quiet}) == alone


def test_truth_rows_of_score_zero_do_not_count() -> None:
    sequence = pair_a()
    ignored = [MotRow(t + 1, 9, box(300), score=0.0) for t in range(5)]
    truth = by_frame([row for rows in sequence.truth.values() for row in rows] + ignored)
    assert evaluate_tracks(truth, sequence.tracks, 5) == evaluate_tracks(
        sequence.truth, sequence.tracks, 5)


def test_a_shift_by_one_frame_is_noticed() -> None:
    truth = by_frame(MotRow(t + 1, 1, box(10 + 8 * t)) for t in range(9))
    shifted = by_frame(MotRow(t + 2, 1, box(10 + 8 * t)) for t in range(9))
    assert evaluate_tracks(truth, shifted, 10).hota < 60


def test_frames_outside_the_sequence_are_refused() -> None:
    with pytest.raises(ValueError, match='frame 6'):
        evaluate_tracks({}, by_frame([MotRow(6, 1, box(10))]), 5)


tracks_of_boxes = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 2**40), st.integers(0, 500), st.integers(5, 90)),
    min_size=1, max_size=25, unique_by=lambda row: row[:2])


@settings(max_examples=40, deadline=None)
@given(tracks_of_boxes)
def test_truth_as_prediction_scores_one_hundred(rows: list[tuple[int, int, int, int]]) -> None:
    truth = by_frame(MotRow(frame, number, (x, 10.0, x + size, 10.0 + size))
                     for frame, number, x, size in rows)
    renamed = by_frame(MotRow(row.frame, row.id + 3, row.box)
                       for frame in truth.values() for row in frame)
    scores = evaluate_tracks(truth, renamed, 6)
    assert (scores.hota, scores.idf1, scores.mota) == pytest.approx((100, 100, 100))
    assert scores.idsw == 0
