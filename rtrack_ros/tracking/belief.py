"""Belief: is the object there, and which sentence means it?

A track is an object. Two kinds of probability belong to it. *Existence* is the probability that
something is there. *Meant* is the probability that a sentence means it, given that it is there;
each sentence has its own. What is published for a sentence is their product.

Evidence is one answer, one verdict or one set of detections. It has two likelihoods, both over
that of "nothing is there": ``meant`` if the object is there and meant, ``other`` if it is there
and not meant. With existence E and meant M the three cases have the prior probabilities E M,
E (1 - M) and 1 - E. Bayes' rule gives

    L  = M meant + (1 - M) other
    E' = E L / (E L + 1 - E)        M' = M meant / L

so an answer that leaves a person out says little against a person whom its sentence does not mean.
What a detector calls the object is evidence too, of a kind that does not belong to one instant:
objects do not change their class. It is a likelihood ratio for each sentence, the *leaning*, by
which the odds of M are multiplied wherever M is used. Sentences are taken for independent given
the object. Evidence is kept by stamp, so the order in which answers arrive does not matter.
Without evidence existence decays to 0, and meant to what is believed of an object about which a
sentence was never asked. This is our reconstruction of an existence filter (IPDA, Musicki et al.,
1994) with one more case.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.existence import weighed

Key = tuple[str, int]
"""Id and epoch of a query."""

# Existence and meant stay below this, so that their product stays below 0.99.
_SUREST = math.sqrt(0.99)
_LEAST = 1e-6
# So many looks weighs what is known of a detector's recall in general.
_OF_ALL = 4.0


@dataclass(frozen=True)
class Evidence:
    """What was said about one object at one instant.

    Attributes:
        stamp_ns: Stamp of the frame that it is about.
        key: The sentence that it is about; None says only whether something is there.
        meant: Likelihood if the object is there and meant, over that if nothing is there.
        other: Likelihood if it is there and not meant, over the same.
        least: Least probability afterwards that it is there and meant, in [0, 1]; without a
            sentence, that it is there.
        there: Whether it is evidence of existence as well; otherwise only of what is meant.
        found: What the look of a detector weighs, in [-1, 1]: negative if it missed the object, 0
            if it is no look.
    """

    stamp_ns: int
    key: Key | None
    meant: float
    other: float = 1.0
    least: float = 0.0
    there: bool = True
    found: float = 0.0


@dataclass
class Certainty:
    """What is believed of one object at one instant.

    Attributes:
        existence: Probability that it is there, in [0, 1].
        meant: By sentence, the probability that it is meant if it is there, in [0, 1], by what
            was said about that sentence.
        leanings: By sentence, the likelihood ratio of what a detector calls it; 1 where absent.
        found, missed: Weights of the looks of a detector that saw it, and of those since the
            first of them that did not.
    """

    existence: float
    meant: dict[Key, float] = field(default_factory=dict)
    leanings: Mapping[Key, float] = field(default_factory=dict)
    found: float = 0.0
    missed: float = 0.0

    def of(self, key: Key) -> float:
        """Return the probability that the object is there and a sentence means it."""
        return self.existence * self.share(key)

    def share(self, key: Key, prior: float = 0.0) -> float:
        """Return the probability that a sentence means the object if it is there.

        Args:
            key: The sentence.
            prior: The same for one about which nothing was said, in [0, 1].
        """
        return weighed(self.meant.get(key, prior), self.leanings.get(key, 1.0))

    def weigh(self, evidence: Evidence, config: TrackerConfig) -> None:
        """Take evidence by Bayes' rule."""
        key = evidence.key
        if key is None:
            self._look(evidence, config)
            return
        meant = self.share(key, config.belief_prior)
        said = self.meant.get(key, config.belief_prior)
        likelihood = meant * evidence.meant + (1 - meant) * evidence.other
        if evidence.there:
            self.existence = _within(weighed(self.existence, likelihood))
        self.meant[key] = _within(weighed(said, evidence.meant / evidence.other))
        if self.of(key) < evidence.least:
            self.existence = max(self.existence, existence_of(evidence.least, config))
            self.meant[key] = _within(weighed(evidence.least / self.existence,
                                              1 / self.leanings.get(key, 1.0)))

    def _look(self, evidence: Evidence, config: TrackerConfig) -> None:
        """Take the look of a detector."""
        ratio = evidence.meant
        if evidence.found > 0:
            self.found += evidence.found
        elif self.found:
            # A miss says no more than that of any object, and never speaks for it.
            own = _omitting_ratio(self.found, self.missed, config) ** -evidence.found
            ratio = max(ratio, min(own, 1.0))
            self.missed -= evidence.found
        self.existence = max(_within(weighed(self.existence, ratio)), evidence.least)

    def age(self, seconds: float, config: TrackerConfig) -> None:
        """Let time pass without evidence."""
        if seconds <= 0:
            return
        self.existence *= math.exp(-seconds / config.existence_decay_s)
        kept = math.exp(-seconds / config.belief_decay_s)
        for key, meant in self.meant.items():
            self.meant[key] = config.belief_prior + (meant - config.belief_prior) * kept


def _omitting_ratio(found: float, missed: float, config: TrackerConfig) -> float:
    """Return the likelihood of a miss if this object is there over that if it is not.

    Some objects are hard to see for a detector, and stay so. The recall of each is learned from
    the looks at it, beginning with that of all. So one that was missed half of the time is
    missed once more, and nothing follows; one that was seen all the time is gone.
    """
    recall = (_OF_ALL * config.detector_recall + found) / (_OF_ALL + found + missed)
    return (1 - recall) / (1 - config.detector_false_alarms)


def existence_of(probability: float, config: TrackerConfig) -> float:
    """Return the existence of an object that one answer lists.

    What the answer may have got wrong is shared out: there is an object that is not meant, or
    there is nothing.

    Args:
        probability: That the object is there and meant, in [0, 1].
        config: Tracker settings; ``wrong_object_share`` says how often an error is an object.
    """
    return probability + config.wrong_object_share * (1 - probability)


def _within(probability: float) -> float:
    return min(max(probability, _LEAST), _SUREST)
