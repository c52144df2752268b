"""Existence: the probability that a track's object is there and matches the sentence.

An answer changes the odds of existence by Bayes' rule. Two numbers of the model say how much: its
detection and its false alarm probability. An answer *without* the object is evidence as well.
Existence decays while there are no answers.

A new track's existence depends on the time since the last answer. Objects come into view, or begin
to match, once in a while, but every answer may err. A new box right after an answer without it is
more likely an error than a new object.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rtrack_ros.tracking.config import TrackerConfig

_MAX_EXISTENCE = 0.99
# Error of a height, as a share of it, above which a box is more likely empty than not.
_BLURRED, _BLURRED_SPREAD = 0.064, 0.08
_MIN_RATIO = 0.2


@dataclass(frozen=True, order=True)
class Evidence:
    """What one answer says about one track.

    Attributes:
        stamp_ns: Stamp of the frame of the answer.
        ratio: Likelihood of the answer if the object is there over that if it is not.
        least: Least existence after the answer, in [0, 1].
    """

    stamp_ns: int
    ratio: float
    least: float = 0.0

    def update(self, existence: float) -> float:
        """Return the existence after this evidence."""
        return min(max(_weighed(existence, self.ratio), self.least), _MAX_EXISTENCE)


def initial_existence(since_s: float, config: TrackerConfig, edges: float = 1.0) -> float:
    """Return the existence of an object that an answer contains and no track followed.

    New objects come at random, on average one in ``birth_interval_s``. The odds are the
    probability that one came and was detected over that of a false alarm. The existence is at
    most ``max_initial_existence``, and less where the network saw nothing in the box.

    Args:
        since_s: Seconds since the last frame that an answer was about; infinite for the first.
        config: Tracker settings.
        edges: Likelihood ratio of ``objectness_ratio``.
    """
    arrived = -math.expm1(-since_s / config.birth_interval_s)
    odds = arrived * config.accuracy.confirming_ratio
    return _weighed(min(config.max_initial_existence, odds / (1 + odds)), edges)


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


def _weighed(existence: float, ratio: float) -> float:
    """Return an existence after evidence of a likelihood ratio, by Bayes' rule."""
    return existence * ratio / (1 - existence + existence * ratio)


def decay(since_ns: int, stamp_ns: int, existence_decay_s: float) -> float:
    """Return the share of an existence that is left after the time between two stamps."""
    return math.exp(-max(0.0, (stamp_ns - since_ns) * 1e-9) / existence_decay_s)
