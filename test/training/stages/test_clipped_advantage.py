"""Clipped Advantage Scaling: bounds, published table, and what each reading does to near-ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rtrack_ros.training.stages.clipped_advantage import (
    READINGS,
    AdvantageScaling,
    group_deviation,
)

reward_groups = arrays(np.float64, (3, 8), elements=st.floats(-2, 2, width=32))


def centre(rewards):
    return rewards - rewards.mean(axis=1, keepdims=True)


def one_better(by: float, group: int = 8):
    return centre(np.eye(1, group) * by)


@pytest.mark.parametrize('by, plain, clipped', [
    (1, 2.474, 2.475), (0.1, 2.468, 1.75), (0.01, 2.407, 0.175), (0.003, 2.262, 0.0525),
    (0.001, 1.929, 0.0175), (0.0001, 0.646, 0.00175)])
def test_one_answer_better_by_a_little(by: float, plain: float, clipped: float) -> None:
    assert AdvantageScaling('none')(one_better(by))[0, 0] == pytest.approx(plain, abs=1e-3)
    scaled = AdvantageScaling('scale', 0.05, None)(one_better(by))[0, 0]
    assert scaled == pytest.approx(clipped, abs=1e-3)


def test_clipping_the_advantage_leaves_near_ties_as_loud_as_real_differences() -> None:
    scaling = AdvantageScaling('advantage', clip=1.0)
    assert scaling(one_better(1.0))[0, 0] == scaling(one_better(0.01))[0, 0] == 1.0


@pytest.mark.parametrize('right, good, bad', [(1, 2.475, -0.354), (2, 1.62, -0.54),
                                              (4, 0.935, -0.935)])
def test_some_of_eight_right(right: int, good: float, bad: float) -> None:
    rewards = centre(np.array([[1.0] * right + [0.0] * (8 - right)]))
    scaled = AdvantageScaling('scale', 0.05, None)(rewards)[0]
    assert (scaled[0], scaled[-1]) == (pytest.approx(good, abs=2e-3), pytest.approx(bad, abs=2e-3))


@given(reward_groups)
def test_no_advantage_passes_the_bound(rewards) -> None:
    limit = (8 - 1) / 8 ** 0.5 + 1e-6
    for reading in READINGS:
        scaled = AdvantageScaling(reading)(centre(rewards))
        assert np.abs(scaled).max() <= (limit if reading == 'none' else min(limit, 2.0))
        assert np.isfinite(scaled).all()


@given(reward_groups, st.floats(0.01, 1.0))
def test_small_differences_make_small_advantages(rewards, s_min: float) -> None:
    centred = centre(rewards)
    scaled = AdvantageScaling('scale', s_min, None)(centred)
    assert (np.abs(scaled) <= np.abs(centred) / s_min + 1e-9).all()
    assert scaled.sum(axis=1) == pytest.approx(np.zeros(3), abs=1e-6)


@given(reward_groups)
def test_order_within_a_group_is_kept(rewards) -> None:
    centred = centre(rewards)
    for reading in READINGS:
        scaled = AdvantageScaling(reading)(centred)
        assert (np.diff(np.take_along_axis(scaled, centred.argsort(axis=1), 1)) >= -1e-12).all()


def test_groups_that_differ_enough_keep_the_advantage_of_grpo() -> None:
    rewards = centre(np.random.default_rng(0).random((20, 8)))
    assert (group_deviation(rewards) > 0.05).all()
    plain, scaled = (AdvantageScaling(name, clip=9.0)(rewards) for name in ('none', 'scale'))
    assert scaled == pytest.approx(plain, rel=5e-3)


@pytest.mark.parametrize('arguments, said', [
    ({'reading': 'both'}, 'none, advantage, scale'), ({'s_min': 0.0}, 'above 0'),
    ({'reading': 'advantage', 'clip': None}, 'set clip')])
def test_settings_that_make_no_sense_are_refused(arguments, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AdvantageScaling(**arguments)
