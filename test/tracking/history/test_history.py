"""The ring of past frames."""

import numpy as np
import pytest

from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.history.ring import History
from rtrack_ros.tracking.history.views import Views

GREY = np.zeros((6, 8), np.uint8)
VIEWS = Views(np.zeros((6, 8, 3), np.uint8), GREY, None, (1.0, 1.0), np.zeros((6, 8, 2), np.uint8))


def fill(history: History, seconds: float, fps: int = 10) -> None:
    begin = 0 if history.newest is None else history.newest.stamp_ns
    for index in range(1, round(seconds * fps) + 1):
        history.append(Frame(begin + index * 10 ** 9 // fps, 1 / fps, VIEWS, (8, 6)))


def reach_s(history: History) -> float:
    assert history.newest is not None and history.oldest_ns is not None
    return (history.newest.stamp_ns - history.oldest_ns) * 1e-9


@pytest.mark.parametrize(('delay_s', 'expected_s'), [(0.5, 2.0), (1.5, 3.0), (9.0, 6.0)])
def test_the_ring_covers_twice_the_worst_delay_within_bounds(delay_s, expected_s) -> None:
    history = History(2.0, 6.0)
    history.expect_delay(delay_s)
    history.expect_delay(0.1 * delay_s)
    fill(history, 20.0)
    assert reach_s(history) == pytest.approx(expected_s, abs=0.11)


def test_one_slow_answer_is_forgotten_over_time() -> None:
    history = History(1.0, 30.0)
    history.expect_delay(10.0)
    assert history.span_s == 20.0
    for _ in range(200):
        history.expect_delay(0.1)
    assert history.span_s == 1.0


def test_a_jump_of_the_clock_is_forgotten_as_soon_as_the_slowest_answer() -> None:
    jumped, slow = History(1.0, 6.0), History(1.0, 6.0)
    jumped.expect_delay(3600.0)
    slow.expect_delay(6.0)
    for _ in range(200):
        jumped.expect_delay(0.1)
        slow.expect_delay(0.1)
        assert jumped.span_s == slow.span_s
    assert jumped.span_s == 1.0


def test_frames_before_and_since_a_stamp() -> None:
    history = History(5.0, 5.0)
    fill(history, 1.0)
    frame = list(history)[4]
    assert history.at(frame.stamp_ns) is frame and history.at(frame.stamp_ns + 1) is None
    assert [*history.before(frame.stamp_ns), *history.since(frame.stamp_ns)] == list(history)
    assert history.since(frame.stamp_ns)[0] is frame
