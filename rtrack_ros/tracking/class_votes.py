"""Class votes: what a detector called one object so far, and what that says about a sentence.

An object keeps its class, so a vote belongs to no instant: it counts on every frame. A detector
repeats its errors, so no more than two votes for a sentence count, and three against. With the
probability e (``class_error``) that a word names another kind of thing, one vote has the
likelihood ratio, meant over not meant,

    e / (1 - e)      where the word names another kind than the sentence;
    (1 - e) / e      where it names the same kind and the sentence says no more than that;
    1                where the sentence says more, or one of the two is not known.

In the last case but one the word alone is enough: every such object is meant. This is our own.
"""

from dataclasses import dataclass, field
from typing import Final

from rtrack_ros.language.class_words import Agreement, Kind
from rtrack_ros.tracking.config import TrackerConfig

_MOST_FOR, _MOST_AGAINST = 2.0, 3.0
# What was said before counts so much less with each whole vote: a track may change its object.
_KEPT: Final = 0.85
_FORGOTTEN: Final = 0.01


@dataclass
class ClassVotes:
    """What one object was called.

    Attributes:
        weights: By word, the sum of its votes.
    """

    weights: dict[str, float] = field(default_factory=dict)

    def add(self, word: str, weight: float) -> None:
        """Take a vote; ``weight`` in [0, 1] is what it says that is new."""
        kept = _KEPT ** weight
        self.weights = {known: votes * kept for known, votes in self.weights.items()
                        if votes * kept >= _FORGOTTEN}
        self.weights[word] = self.weights.get(word, 0.0) + weight

    @property
    def word(self) -> str:
        """The word with most votes, '' without any."""
        return max(self.weights, key=lambda word: self.weights[word], default='')

    def join(self, other: 'ClassVotes') -> None:
        """Take the votes about another track of the same object."""
        for word, votes in other.weights.items():
            self.weights[word] = self.weights.get(word, 0.0) + votes

    def whole(self, kind: Kind) -> float:
        """Return the votes for the kind of a sentence, less those for another kind."""
        said = {Agreement.SAME: 0.0, Agreement.OTHER: 0.0}
        for word, votes in self.weights.items():
            agreement = kind.agreement(word)
            if agreement in said:
                said[agreement] += votes
        return said[Agreement.SAME] - said[Agreement.OTHER]

    def leaning(self, kind: Kind, config: TrackerConfig) -> float:
        """Return the likelihood ratio, meant over not meant, of what the object was called."""
        votes = min(max(self.whole(kind), -_MOST_AGAINST), _MOST_FOR)
        if votes > 0 and not kind.every:
            return 1.0
        return ((1 - config.class_error) / config.class_error) ** votes
