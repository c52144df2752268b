"""A walker's width is followed while it oscillates, and left to flow once it is not measured."""

import numpy as np
import pytest

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame, Motion, SiameseMeasurement
from rtrack_ros.tracking.motion import kalman, width_model
from rtrack_ros.tracking.motion.filter_step import update

CONFIG = TrackerConfig()
PERIOD_S = 1 / 30
FRAMES = 60
STILL_MOTION = Motion((0.0, 0.0), 1.0, 0.1)


def true_width(index: int) -> float:
    """Forty pixels, oscillating by a fifth twice a second."""
    return 40 * (1 + 0.2 * np.sin(2 * np.pi * 2 * index * PERIOD_S))


def walk(sigma: float, frames: int = FRAMES, last_seen: int = FRAMES) -> list[Frame]:
    """Return the frames of a person walking on the spot, seen with an error of ``sigma`` px."""
    rng = np.random.default_rng(5)
    walked = [Frame(0, 0.0, None, (640, 480))]
    walked[0].states = {1: kalman.new_states(np.array([[300.0, 100, 340, 260]]),
                                             np.full((1, 4), 2.0))[0]}
    for index in range(1, frames):
        frame = Frame(index, PERIOD_S, None, (640, 480), motions={1: STILL_MOTION})
        width = true_width(index) + rng.normal(0, sigma / 3)
        if index <= last_seen:
            frame.measurements[1] = SiameseMeasurement(
                np.array([320 - width / 2, 100, 320 + width / 2, 260]), np.full(4, sigma), 0.9,
                PERIOD_S)
        update(walked[-1], frame, [1], CONFIG)
        walked.append(frame)
    return walked


def widths_ahead(frames: list[Frame]) -> np.ndarray:
    """Return the width (N,) that each frame predicts for the one after it."""
    states = np.stack([frame.states[1] for frame in frames])
    which = np.array([width_model.oscillating(frame, [1])[0] for frame in frames])
    return states[:, 0, width_model.WIDTH] + width_model.growth_ahead(states, which, PERIOD_S)


def error(widths: np.ndarray) -> float:
    """Return the mean error of predicted widths after the beginning."""
    truth = np.array([true_width(index + 1) for index in range(FRAMES)])
    return float(np.abs(widths - truth)[10:].mean())


def test_a_width_that_the_network_measures_is_followed_and_predicted() -> None:
    last = np.array([true_width(index) for index in range(FRAMES)])
    sure = error(widths_ahead(walk(sigma=1.0)))
    assert sure < 0.5 * error(last), 'better than the truth of one frame ago'
    assert sure < 0.3 * error(widths_ahead(walk(sigma=6.0))), 'an unsure network measures nothing'


def test_a_width_no_longer_measured_is_usual_again_and_follows_flow() -> None:
    frames = walk(sigma=1.0, last_seen=30)
    lasting = [bool(width_model.oscillating(frame, [1])[0]) for frame in frames]
    assert all(lasting[1:36]) and not any(lasting[37:])
    states = np.stack([frame.states[1] for frame in frames])
    assert np.abs(states[37:, 1, width_model.WIDTH]).max() < 2.0
    assert np.abs(states[37:, 0, width_model.WIDTH] - 40).max() < 4, 'as wide as usual'


def test_a_box_does_not_shrink_away_while_its_object_goes_behind_something() -> None:
    frames = walk(sigma=1.0)
    before = frames[-1]
    usual = before.width_states[1].usual
    for covered in range(5, 60, 5):
        frame = Frame(FRAMES + covered, PERIOD_S, None, (640, 480), motions={1: STILL_MOTION})
        edge = max(340 - covered, 302)
        frame.measurements[1] = SiameseMeasurement(
            np.array([300.0, 100, edge, 260]), np.ones(4), 0.9, PERIOD_S)
        update(before, frame, [1], CONFIG)
        before = frame
    assert usual == pytest.approx(40, rel=0.1)
    assert before.states[1][0, width_model.WIDTH] > 0.5 * usual


def test_no_speed_carries_a_width_far_ahead() -> None:
    states = kalman.new_states(np.array([[0.0, 0, 40, 100]]), np.full((1, 4), 2.0))
    states[0, 1, width_model.WIDTH] = 4000.0
    assert width_model.growth_ahead(states, np.array([True]), 0.1) == 10.0
