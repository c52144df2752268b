"""Every method of the benchmark on scripted answers, where what it must publish is known."""

import numpy as np
import pytest

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.streaming.baselines import (
    Blocking,
    KalmanOnly,
    Ours,
    PerfectMotion,
    StaticBoxes,
)
from rtrack_ros.evaluation.streaming.protocol import Array, Method, Stream
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig

QUERY = Query('default', 'the people', 1)
IMAGE = np.random.default_rng(1).integers(0, 255, (240, 320, 3)).astype(np.uint8)


def pair(seconds: float) -> FramePair:
    return FramePair(round(seconds * 1e9), IMAGE, None)


def answer(seconds: float, *boxes: Box) -> Answer:
    return Answer(round(seconds * 1e9), QUERY.id, QUERY.epoch,
                  tuple(Grounding(box, 'person') for box in boxes))


def moving(seconds: float) -> Box:
    """Return a box that moves right by 40 pixels per second, its width."""
    return 40.0 + 40 * seconds, 60.0, 80.0 + 40 * seconds, 140.0


def ids(array: Array | None) -> list[int]:
    return [identity for identity, _ in array or ()]


def test_static_boxes_are_the_first_that_come_and_never_move() -> None:
    method = StaticBoxes()
    assert method.on_frame(pair(0), QUERY) is None
    assert method.on_answer(answer(0)) is None
    assert method.on_answer(answer(1, moving(1))) == ((1, moving(1)),)
    assert method.on_answer(answer(2, moving(2))) is None


def test_blocking_publishes_answers_and_keeps_identities_that_overlap() -> None:
    method, far = Blocking(), (200.0, 60.0, 240.0, 140.0)
    assert method.on_frame(pair(0), QUERY) is None
    assert ids(method.on_answer(answer(0.0, moving(0), far))) == [1, 2]
    assert ids(method.on_answer(answer(0.3, far, moving(0.3)))) == [2, 1]
    assert method.on_answer(answer(0.5)) == ()
    assert ids(method.on_answer(answer(0.6, moving(0.6)))) == [1]
    # A jump without overlap, and a place left more than five seconds ago, are somebody else.
    assert ids(method.on_answer(answer(2.0, moving(2)))) == [3]
    assert ids(method.on_answer(answer(6.0, far))) == [4]


def test_perfect_motion_shows_the_truth_of_those_whom_an_answer_named() -> None:
    far = (200.0, 60.0, 240.0, 140.0)
    stamps = [pair(step / 10).stamp_ns for step in range(10)]
    truth = {step + 1: [MotRow(step + 1, 4, moving(step / 10)), MotRow(step + 1, 9, far)]
             for step in range(10)}
    method = PerfectMotion(Stream('s', QUERY, [], stamps, stamps, truth))
    assert method.on_frame(pair(0), QUERY) == ()
    assert method.on_answer(answer(0, moving(0.1), (0.0, 0.0, 9.0, 9.0))) is None
    assert method.on_frame(pair(0.5), QUERY) == ((4, moving(0.6)),)  # when the next pair comes
    assert method.on_frame(pair(0.55), QUERY) == ()
    method.on_answer(answer(0.5, far))
    assert ids(method.on_frame(pair(0.8), QUERY)) == [4, 9]


def test_the_kalman_filter_makes_up_for_the_age_of_answers() -> None:
    method = KalmanOnly()
    for step in range(12):
        method.on_answer(answer(0.25 * step, moving(0.25 * step)))
    shown = method.on_frame(pair(3.25), QUERY)
    assert shown is not None and ids(shown) == [1]
    assert shown[0][1] == pytest.approx(moving(3.25), abs=4.0)


def test_the_kalman_filter_leads_its_boxes_when_told_to() -> None:
    first, ahead = KalmanOnly(), KalmanOnly(TrackerConfig(prediction_horizon_s=0.5))
    for step in range(12):
        for method in (first, ahead):
            method.on_answer(answer(0.25 * step, moving(0.25 * step)))
    assert ahead.on_frame(pair(2.75), QUERY)[0][1] == pytest.approx(
        first.on_frame(pair(3.25), QUERY)[0][1], abs=1e-6)


def test_the_kalman_filter_ends_what_two_answers_leave_out() -> None:
    method = KalmanOnly()
    method.on_answer(answer(0.0, moving(0)))
    method.on_answer(answer(0.2))
    assert ids(method.on_frame(pair(0.25), QUERY)) == [1]
    method.on_answer(answer(0.4))
    assert method.on_frame(pair(0.45), QUERY) == ()


def test_ours_publishes_a_late_answer_with_the_next_pair() -> None:
    method = Ours()
    assert method.on_frame(pair(0.0), QUERY) == ()
    assert method.on_frame(pair(0.1), QUERY) == ()
    assert method.on_answer(answer(0.0, (100.0, 60.0, 160.0, 140.0))) is None
    shown = method.on_frame(pair(0.2), QUERY)
    assert shown is not None and ids(shown) == [1]
    assert shown[0][1] == pytest.approx((100, 60, 160, 140), abs=4.0)


def test_bytetrack_associates_answers_and_predicts_them_to_the_pair() -> None:
    pytest.importorskip('trackers', reason='the baseline needs the bytetrack extra')
    from rtrack_ros.evaluation.streaming.bytetrack import ByteTrack

    method = ByteTrack()
    assert method.on_frame(pair(0.0), QUERY) == ()
    for step in range(10):
        assert method.on_answer(answer(0.2 * step, moving(0.2 * step))) is None
        assert ids(method.on_frame(pair(0.2 * step + 0.1), QUERY)) == ([1] if step else [])
    shown = method.on_frame(pair(2.1), QUERY)
    assert shown is not None and shown[0][1] == pytest.approx(moving(2.1), abs=6.0)
    method.on_answer(answer(2.2))
    assert method.on_frame(pair(2.3), QUERY) == ()
    method.on_answer(answer(2.4, moving(2.4)))
    assert ids(method.on_frame(pair(2.5), QUERY)) == [1]


@pytest.mark.parametrize('make', [StaticBoxes, Blocking, KalmanOnly, Ours])
def test_nobody_is_published_before_the_first_answer(make: type[Method]) -> None:
    assert not make().on_frame(pair(0.0), QUERY)
