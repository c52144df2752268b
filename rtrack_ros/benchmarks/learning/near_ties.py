"""A policy so small that what near-tied groups do to it can be watched: does CAS cure it?

The policy answers a question, a box seen by its features, with four numbers, each drawn from a
normal distribution: ``y ~ N(W f, sigma^2)``; W and log sigma learn by GSPO on the IoU with boxes
that annotators drew with a jitter. It starts where supervised training leaves a model: nearly
right. From there on learning means getting surer. The rewards of a group then differ by about
``sigma`` while the score function ``(y - W f) / sigma^2`` grows as ``1 / sigma``. With the
group's deviation divided out the gradient grows as ``1 / sigma`` without bound, and what it
follows is the annotators' jitter. With the scale clipped, ``A ~ sigma / s_min``, it stays bounded.

A language model's score function is bounded per token, so that there near-ties show as spikes and
drift, not as divergence; the factor between the two gradients is the same. NumPy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling, group_deviation

NUMBERS = 4
"""Of an answer: centre x, centre y, width, height, in widths of the image."""
NEAR_TIE = 0.05
Array = NDArray[np.float64]


@dataclass(frozen=True)
class NearTieSettings:
    """The experiment.

    Attributes:
        steps: Gradient steps, all from one seed.
        group: Answers to one question (G).
        questions: Questions of one rollout.
        minibatches: Gradient steps on one rollout; from the second on the ratio differs from 1.
        learning_rate: Of plain gradient ascent, so that nothing rescales the gradient unseen.
        epsilon: (low, high) range of the sequence ratio.
        jitter: Standard deviation of the annotators' boxes.
        sigma: Standard deviation of the answers at the start.
        offset: Size of the systematic error that reinforcement has to find.
    """

    steps: int = 2000
    group: int = 8
    questions: int = 32
    minibatches: int = 4
    learning_rate: float = 2e-4
    epsilon: tuple[float, float] = (3e-4, 4e-4)
    jitter: float = 0.003
    sigma: float = 0.008
    offset: float = 0.006


class BoxPolicy:
    """Four normal distributions whose means are linear in the features (the box and a 1).

    The weights learn in units of the first sigma, so that one learning rate suits both.

    Attributes:
        weights: (4, 5).
        log_sigma: (4,).
    """

    def __init__(self, sigma: float, offset: float, rng: np.random.Generator) -> None:
        bias = offset * rng.choice((-1.0, 1.0), (NUMBERS, 1))
        self.weights = np.concatenate([np.eye(NUMBERS), bias], axis=1)
        self._unit = sigma
        self.log_sigma = np.full(NUMBERS, np.log(sigma))

    def means(self, features: Array) -> Array:
        """Return (N, 4) of features (N, 5)."""
        return np.asarray(features @ self.weights.T)

    def log_likelihood(self, features: Array, said: Array) -> Array:
        """Return the mean log-density (N, G) over the four numbers of answers (N, G, 4)."""
        error = (said - self.means(features)[:, None]) / np.exp(self.log_sigma)
        return np.asarray((-0.5 * error ** 2 - self.log_sigma).mean(axis=-1))

    def ascend(self, features: Array, said: Array, advantages: Array, rate: float) -> float:
        """Step along ``sum advantages * grad log_likelihood``; return the norm of that gradient.

        Args:
            features: (N, 5).
            said: (N, G, 4).
            advantages: (N, G), the weight of each answer, all averaging included.
            rate: Learning rate.
        """
        sigma = np.exp(self.log_sigma)
        error = (said - self.means(features)[:, None]) / sigma
        by_weight = np.einsum('ng,ngc,nf->cf', advantages, error * self._unit / sigma, features
                              ) / NUMBERS
        by_sigma = np.einsum('ng,ngc->c', advantages, error ** 2 - 1) / NUMBERS
        self.weights += rate * self._unit * by_weight
        self.log_sigma += rate * by_sigma
        return float(np.hypot(np.linalg.norm(by_weight), np.linalg.norm(by_sigma)))


def draw_boxes(rng: np.random.Generator, count: int) -> Array:
    """Return (count, 4) centre x, centre y, width, height."""
    return np.concatenate([rng.uniform(0.3, 0.7, (count, 2)), rng.uniform(0.2, 0.5, (count, 2))],
                          axis=1)


def overlap(said: Array, truth: Array) -> Array:
    """Return IoU of rows centre x, centre y, width, height; leading axes broadcast."""
    sides = np.clip(said[..., 2:], 0, None)
    reach = (sides + truth[..., 2:]) / 2 - np.abs(said[..., :2] - truth[..., :2])
    shared = np.clip(np.minimum(reach, np.minimum(sides, truth[..., 2:])), 0, None).prod(-1)
    union = sides.prod(-1) + truth[..., 2:].prod(-1) - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def _see(boxes: Array) -> Array:
    return np.concatenate([boxes, np.ones((len(boxes), 1))], axis=1)


def run_near_ties(scaling: AdvantageScaling, seed: int, settings: NearTieSettings
                  ) -> dict[str, list[float]]:
    """Reinforce, and return curves: gradient norm by step; reward and near-ties by rollout.

    The reward is the mean IoU of sampled answers with the true boxes, without jitter, of held-out
    questions that are the same for every seed and scaling.
    """
    rng = np.random.default_rng(seed)
    policy = BoxPolicy(settings.sigma, settings.offset, rng)
    held_out = draw_boxes(np.random.default_rng(1), 128)
    curves: dict[str, list[float]] = {'gradient_norm': [], 'reward': [], 'near_ties': []}
    while len(curves['gradient_norm']) < settings.steps:
        norms, near = _learn_from_rollout(policy, scaling, settings, rng)
        curves['gradient_norm'] += norms
        curves['near_ties'].append(near)
        curves['reward'].append(_score(policy, held_out))
    return curves


def _score(policy: BoxPolicy, boxes: Array) -> float:
    noise = np.random.default_rng(2).standard_normal((len(boxes), 4, NUMBERS))
    said = policy.means(_see(boxes))[:, None] + np.exp(policy.log_sigma) * noise
    return float(overlap(said, boxes[:, None]).mean())


def _learn_from_rollout(policy: BoxPolicy, scaling: AdvantageScaling, settings: NearTieSettings,
                        rng: np.random.Generator) -> tuple[list[float], float]:
    """Take the gradient steps of one rollout; return their norms and the share of near-ties."""
    boxes = draw_boxes(rng, settings.questions)
    features = _see(boxes)
    noise = rng.standard_normal((settings.questions, settings.group, NUMBERS))
    said = policy.means(features)[:, None] + np.exp(policy.log_sigma) * noise
    annotated = boxes + settings.jitter * rng.standard_normal(boxes.shape)
    rewards = overlap(said, annotated[:, None])
    centred = rewards - rewards.mean(axis=1, keepdims=True)
    advantages, old = scaling(centred), policy.log_likelihood(features, said)
    norms = [_step(policy, features[rows], said[rows], advantages[rows], old[rows], settings)
             for rows in np.array_split(rng.permutation(settings.questions),
                                        settings.minibatches)]
    return norms, float((group_deviation(centred) < NEAR_TIE).mean())


def _step(policy: BoxPolicy, features: Array, said: Array, advantages: Array, old: Array,
          settings: NearTieSettings) -> float:
    """Take one clipped GSPO step; return the norm of its gradient.

    ``s = (pi(y) / pi_old(y))^(1/|y|)`` is the sequence ratio; an answer whose clipped term is the
    smaller one has no gradient (arXiv 2507.18071).
    """
    ratio = np.exp(np.clip(policy.log_likelihood(features, said) - old, -20, 20))
    low, high = 1 - settings.epsilon[0], 1 + settings.epsilon[1]
    moves = np.where(advantages > 0, ratio <= high, ratio >= low)
    return policy.ascend(features, said, ratio * advantages * moves / advantages.size,
                         settings.learning_rate)


def compare_scalings(seeds: Sequence[int], settings: NearTieSettings
                     ) -> dict[str, list[dict[str, Any]]]:
    """Return the curves of GRPO's normalisation and of both readings of CAS, one per seed."""
    scalings = {'none': AdvantageScaling('none'), 'advantage': AdvantageScaling('advantage'),
                'scale': AdvantageScaling('scale')}
    return {name: [run_near_ties(scaling, seed, settings) for seed in seeds]
            for name, scaling in scalings.items()}
