"""The experiment on near-tied groups: right gradients, and the effect it is there to show."""

from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros import boxes
from rtrack_ros.benchmarks.learning.cas import read_curves, summarise
from rtrack_ros.benchmarks.learning.near_ties import (
    BoxPolicy,
    NearTieSettings,
    overlap,
    run_near_ties,
)
from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling


def test_overlap_is_iou() -> None:
    rng = np.random.default_rng(0)
    said, truth = rng.uniform(0.1, 0.6, (2, 50, 4))
    corners = [np.concatenate([b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2], axis=1)
               for b in (said, truth)]
    assert overlap(said, truth) == pytest.approx(np.diag(boxes.iou(*corners)))


@pytest.mark.parametrize('name', ['weights', 'log_sigma'])
def test_the_gradient_is_that_of_the_log_likelihood(name: str) -> None:
    rng = np.random.default_rng(1)
    policy = BoxPolicy(0.1, 0.02, rng)
    features, said = rng.random((3, 5)), rng.random((3, 2, 4))
    worth = rng.standard_normal((3, 2))

    def value() -> float:
        return float((worth * policy.log_likelihood(features, said)).sum())

    parameter = getattr(policy, name)
    expected = np.zeros_like(parameter)
    for index in np.ndindex(parameter.shape):
        kept = parameter[index]
        parameter[index] = kept + 1e-6
        above = value()
        parameter[index] = kept - 1e-6
        expected[index] = (above - value()) / 2e-6
        parameter[index] = kept
    before = parameter.copy()
    policy.ascend(features, said, worth, 1e-3)
    unit = 0.1 ** 2 if name == 'weights' else 1.0  # weights learn in units of the first sigma
    assert (getattr(policy, name) - before) / 1e-3 == pytest.approx(expected * unit, rel=1e-4,
                                                                    abs=1e-6)


def _summary(reading: str, settings: NearTieSettings) -> dict[str, float]:
    return summarise([run_near_ties(AdvantageScaling(reading), seed, settings)
                      for seed in range(3)])


def test_clipping_the_scale_tames_the_gradient_and_keeps_the_reward() -> None:
    settings = replace(NearTieSettings(), steps=600, learning_rate=3.0)
    plain, scale = _summary('none', settings), _summary('scale', settings)
    assert scale['near_ties'] > 0.9
    assert plain['gradient_largest'] > 3 * scale['gradient_largest']
    assert scale['reward_final'] >= plain['reward_final']


def test_clipping_the_advantage_leaves_the_gradient_of_near_ties_large() -> None:
    # A rate at which nothing diverges yet: beyond it the outcome hangs on the rounding.
    settings = replace(NearTieSettings(), steps=300, learning_rate=1.0)
    plain, advantage, scale = (_summary(reading, settings)
                               for reading in ('none', 'advantage', 'scale'))
    assert advantage['gradient_largest'] > 0.8 * plain['gradient_largest']
    assert advantage['gradient_largest'] > 2 * scale['gradient_largest']


def test_curves_are_read_from_the_log_of_a_stage(tmp_path) -> None:
    log = tmp_path / 'log.jsonl'
    log.write_text('{"stage": "a", "step": 1, "grad_norm": 2.0, "reward": 0.5}\n'
                   '{"stage": "a", "step": 2, "grad_norm": 1.0}\n')
    curves = read_curves(log)
    assert curves['gradient_norm'] == [2.0, 1.0] and curves['reward'] == [0.5]
    summary = summarise([curves])
    assert summary['gradient_largest'] == 2.0 and summary['near_ties'] is None
