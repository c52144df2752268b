"""The filter against closed forms."""

import numpy as np
import pytest

from rtrack_ros.tracking.motion import kalman

BOX = np.array([[100.0, 100.0, 160.0, 200.0]])
SIGMA = np.full((1, 4), 3.0)
SURE = np.full((1, 4), 1e-6)


def moving(speed: tuple[float, float]) -> kalman.States:
    states = kalman.new_states(BOX, SIGMA)
    velocity = np.array([[*speed, 0.0, 0.0]])
    return kalman.measure_velocity(states, velocity, SURE)


def test_a_state_holds_its_box() -> None:
    np.testing.assert_allclose(kalman.boxes_of(kalman.new_states(BOX, SIGMA)), BOX)


@pytest.mark.parametrize('steps', [1, 5, 60])
def test_the_distance_does_not_depend_on_the_frame_rate(steps: int) -> None:
    states = moving((90.0, -30.0))
    for _ in range(steps):
        states = kalman.predict(states, 1.0 / steps, 1.0, np.ones(1))
    np.testing.assert_allclose(kalman.boxes_of(states), BOX + [90, -30, 90, -30], atol=1e-6)


def test_uncertainty_does_not_depend_on_the_frame_rate() -> None:
    def after(steps: int) -> float:
        states = moving((0.0, 0.0))
        for _ in range(steps):
            states = kalman.predict(states, 1.0 / steps, 1.0, np.ones(1))
        return float(kalman.position_sigma(states)[0])
    assert after(5) == pytest.approx(after(50), rel=1e-6)


def test_uncertainty_grows_while_nothing_is_measured() -> None:
    states = moving((60.0, 0.0))
    sigma = [float(kalman.position_sigma(states)[0])]
    for _ in range(30):
        states = kalman.predict(states, 1 / 30, 1.0, np.full(1, np.exp(-1 / 15)))
        sigma.append(float(kalman.position_sigma(states)[0]))
    assert sigma == sorted(sigma) and sigma[-1] > 5 * sigma[0]
    # Coasting with a time constant of half a second covers half a second's way, not more.
    assert 130 + 20 < float(states[0, 0, 0]) < 130 + 31


def test_state_and_answer_are_weighted_by_their_variances() -> None:
    states = kalman.new_states(BOX, SIGMA)
    moved = kalman.measure_position(states, BOX + 2.0, np.full((1, 4), 9.0))
    np.testing.assert_allclose(moved[0, 0, :2] - states[0, 0, :2], 1.0)
    np.testing.assert_allclose(moved[0, 2, :2], 4.5)


def test_an_answer_far_off_is_believed() -> None:
    states = kalman.new_states(BOX, SIGMA)
    moved = kalman.measure_position(states, BOX + 100.0, np.full((1, 4), 9.0))
    assert moved[0, 0, 0] - states[0, 0, 0] > 99


def test_the_camera_moves_places_and_keeps_uncertainty_in_proportion() -> None:
    turn, zoom = 0.3, 1.2
    camera = np.array([[zoom * np.cos(turn), -zoom * np.sin(turn), 5.0],
                       [zoom * np.sin(turn), zoom * np.cos(turn), -7.0]])
    states = moving((50.0, 20.0))
    seen = kalman.move_camera(states, camera)
    np.testing.assert_allclose(seen[0, 0, :2], camera[:, :2] @ states[0, 0, :2] + camera[:, 2])
    np.testing.assert_allclose(seen[0, 1, :2], camera[:, :2] @ states[0, 1, :2])
    np.testing.assert_allclose(seen[0, 0, 2:], states[0, 0, 2:] * zoom)
    np.testing.assert_allclose(seen[0, 2:, 0], states[0, 2:, 0] * zoom ** 2)


def test_a_box_never_turns_inside_out() -> None:
    states = kalman.measure_velocity(kalman.new_states(BOX, SIGMA),
                                     np.array([[0.0, 0.0, -500.0, -500.0]]), SURE)
    box = kalman.boxes_of(kalman.predict(states, 1.0, 1.0, np.ones(1)))[0]
    assert box[2] > box[0] and box[3] > box[1]


def test_a_box_is_the_surer_on_its_object_the_better_its_place_is_known() -> None:
    sure = [float(kalman.located(kalman.new_states(BOX, np.full((1, 4), sigma)))[0])
            for sigma in (0.0, 3.0, 10.0, 40.0, 1e6)]
    assert sure == sorted(sure, reverse=True)
    assert sure[0] == pytest.approx(1.0) and sure[-1] < 0.01
    wide = np.array([[100.0, 100.0, 300.0, 400.0]])
    assert kalman.located(kalman.new_states(wide, np.full((1, 4), 10.0)))[0] > sure[2]


def test_the_probability_to_be_on_the_object_is_that_of_centres_within_a_third() -> None:
    sigma = 0.2 * (BOX[0, 2:] - BOX[0, :2])
    noise = np.concatenate([sigma, sigma])[None]
    misses = np.random.default_rng(1).normal(0.0, 0.2, (20_000, 2))
    share = float((np.hypot(misses[:, 0], misses[:, 1]) < 1 / 3).mean())
    assert kalman.located(kalman.new_states(BOX, noise))[0] == pytest.approx(share, abs=0.015)
