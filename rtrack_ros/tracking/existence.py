"""How surely there is what a track follows and is meant: evidence weighed by Bayes' rule.

Existence is the probability that the object is there and matches the sentence. An answer changes
its odds by Bayes' rule from two numbers of the model, its recall and its false rate; an answer
*without* the object is evidence as well. Time without answers lets it decay.

How much a newborn is worth depends on how long nobody looked: whoever comes into view or into the
meaning of the sentence does so once in a while, but every answer may err. A new box right after an
answer without it is more likely an error than a newcomer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rtrack_ros.tracking.config import TrackerConfig

_MAX_EXISTENCE = 0.99
# Error of a height, as a share of it, above which a box holds nothing more likely than not.
_BLURRED, _BLURRED_SPREAD = 0.064, 0.08
_MIN_RATIO = 0.2


@dataclass(frozen=True, order=True)
class Evidence:
    """What one answer says about one track.

    Attributes:
        stamp_ns: Stamp of the frame of the answer.
        ratio: Likelihood of the answer if the object is there over that if it is not.
        least: Existence that the answer alone is worth, in [0, 1].
    """

    stamp_ns: int
    ratio: float
    least: float = 0.0

    def update(self, existence: float) -> float:
        """Return the existence after this evidence."""
        return min(max(_weighed(existence, self.ratio), self.least), _MAX_EXISTENCE)


def initial_existence(since_s: float, config: TrackerConfig, edges: float = 1.0) -> float:
    """Return the existence of an object that nobody followed and an answer contains.

    Newcomers come at random, on average one in ``birth_interval_s``, and are contained with the
    model's recall; the odds are this over the false rate. The existence is at most
    ``max_initial_existence``, and less where the box was seen to hold nothing.

    Args:
        since_s: Seconds since the last frame that an answer was about; infinite for the first.
        config: Tracker settings.
        edges: Likelihood ratio of ``objectness_ratio``.
    """
    newcomer = -math.expm1(-since_s / config.birth_interval_s)
    odds = newcomer * config.accuracy.confirming_ratio
    return _weighed(min(config.max_initial_existence, odds / (1 + odds)), edges)


def objectness_ratio(heights: Sequence[float]) -> float:
    """Return the likelihood of what the network saw of a box if it holds an object over if not.

    Where a box holds nothing the network finds no edges to hold on to, and knows it: how far off
    it says that it may be is larger than on nearly all objects.

    Args:
        heights: Standard deviations of heights seen, as shares of the height of the answer's box.
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
