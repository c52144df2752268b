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

_MOST_BELIEF = 0.99
# Error of a height, as a share of it, above which a box holds nothing more likely than not.
_BLURRED, _BLURRED_SPREAD = 0.064, 0.08
_LEAST_RATIO = 0.2


@dataclass(frozen=True, order=True)
class Evidence:
    """What one answer says about one track.

    Attributes:
        stamp_ns: Stamp of the frame of the answer.
        ratio: Likelihood of the answer if the object is there over that if it is not.
        least: Belief that the answer alone is worth, in [0, 1].
    """

    stamp_ns: int
    ratio: float
    least: float = 0.0

    def update(self, belief: float) -> float:
        """Return the belief after this evidence."""
        return min(max(_weighed(belief, self.ratio), self.least), _MOST_BELIEF)


def initial_existence(since_s: float, config: TrackerConfig, edges: float = 1.0) -> float:
    """Return the belief in an object that nobody followed and an answer contains.

    Newcomers come at random, on average one in ``birth_interval_s``, and are contained with the
    model's recall; the odds are this over the false rate. The belief is at most
    ``max_initial_existence``, and less where the box was seen to hold nothing.

    Args:
        since_s: Seconds since the last frame that an answer was about; infinite for the first.
        config: Tracker settings.
        edges: Likelihood ratio of ``edge_ratio``.
    """
    newcomer = -math.expm1(-since_s / config.birth_interval_s)
    odds = newcomer * config.detection_probability / config.false_alarm_probability
    return _weighed(min(config.max_initial_existence, odds / (1 + odds)), edges)


def edge_ratio(heights: Sequence[float]) -> float:
    """Return the likelihood of what the network saw of a box if it holds an object over if not.

    Where a box holds nothing the network finds no edges to hold on to, and knows it: how far off
    it says that it may be is larger than on nearly all objects.

    Args:
        heights: Standard deviations of heights seen, as shares of the height of the answer's box.
    """
    if not heights:
        return 1.0
    blurred = math.log(max(sum(heights) / len(heights), 1e-6) / _BLURRED) / _BLURRED_SPREAD
    return _LEAST_RATIO + (1 - _LEAST_RATIO) / (1 + math.exp(min(blurred, 50.0)))


def _weighed(belief: float, ratio: float) -> float:
    """Return a belief after evidence of a likelihood ratio, by Bayes' rule."""
    return belief * ratio / (1 - belief + belief * ratio)


def faded(since_ns: int, stamp_ns: int, existence_decay_s: float) -> float:
    """Return the share of a belief that is left after the time between two stamps."""
    return math.exp(-max(0.0, (stamp_ns - since_ns) * 1e-9) / existence_decay_s)
