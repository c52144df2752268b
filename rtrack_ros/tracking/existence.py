"""Existence at birth: how probable is the object of a box that no track followed?

It depends on the time since the last answer. Objects come into view, or begin to match, once in a
while, but every answer may err. A new box right after an answer without it is more likely an error
than a new object. ``tracking.belief`` says how existence goes on from there.
"""

import math
from collections.abc import Sequence

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.tracking.config import TrackerConfig

# Error of a height, as a share of it, above which a box is more likely empty than not.
_BLURRED, _BLURRED_SPREAD = 0.064, 0.08
_MIN_RATIO = 0.2
_SURE_SCORE, _UNSURE_SCORE, _LEAST_WEIGHT = 0.7, 0.3, 0.1


def initial_existence(since_s: float, config: TrackerConfig, edges: float = 1.0,
                      accuracy: AnswerAccuracy | None = None) -> float:
    """Return the probability that an object is there that no track followed so far.

    New objects come at random, on average one in ``birth_interval_s``. The odds are the
    probability that one came and was detected over that of a false alarm. The existence is at
    most ``max_initial_existence``, and less where the network saw nothing in the box.

    Args:
        since_s: Seconds since the last frame that the same source spoke about; infinite for the
            first.
        config: Tracker settings.
        edges: Likelihood ratio of ``objectness_ratio``.
        accuracy: Of the source; None takes that of the model's answers.
    """
    arrived = -math.expm1(-since_s / config.birth_interval_s)
    odds = arrived * (accuracy or config.accuracy).confirming_ratio
    existence = min(config.max_initial_existence, odds / (1 + odds))
    return weighed(existence, edges)


def weighed(probability: float, ratio: float) -> float:
    """Return a probability after evidence of a likelihood ratio, by Bayes' rule."""
    return probability * ratio / (1 - probability + probability * ratio)


def confidence_weight(score: float) -> float:
    """Return what a detection weighs by its confidence, in [0, 1].

    Detectors are not calibrated, but all of them are wrong more often where they are less sure: a
    detection of ``_SURE_SCORE`` counts in full, one of ``_UNSURE_SCORE`` hardly at all.
    """
    return min(max((score - _UNSURE_SCORE) / (_SURE_SCORE - _UNSURE_SCORE), _LEAST_WEIGHT), 1.0)


def objectness_ratio(heights: Sequence[float]) -> float:
    """Return the likelihood ratio, object over no object, of what the network saw in a box.

    In an empty box the network finds no edges. The error that it then expects of its own
    measurement is larger than on nearly all objects.

    Args:
        heights: Standard deviations of measured heights, as shares of the height of the answer's
            box.
    """
    if not heights:
        return 1.0
    blurred = math.log(max(sum(heights) / len(heights), 1e-6) / _BLURRED) / _BLURRED_SPREAD
    return _MIN_RATIO + (1 - _MIN_RATIO) / (1 + math.exp(min(blurred, 50.0)))
