"""The life of one track: belief that rises with confirming answers and falls with contrary ones.

Belief is the probability that the object is there and matches the sentence. An answer changes its
odds by Bayes' rule from two numbers of the model, its recall and its false rate; an answer
*without* the object is evidence as well. Time without answers lets belief fade.
"""

import math
from dataclasses import dataclass

from rtrack_ros.tracking.appearance import Appearance
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import TrackState

_LEAST_INSIDE = 0.25
_MEMORY_SHARE = 0.3
_MOST_BELIEF = 0.99


@dataclass
class Tracklet:
    """What is remembered about one track besides its motion.

    Attributes:
        id: Positive, never reused.
        query_id: The query it belongs to.
        epoch: The query's epoch.
        label: The model's word for it.
        belief: Probability at ``belief_ns``.
        belief_ns: Stamp of the last change of belief.
        confirmed_ns: Stamp of the newest frame on which an answer confirmed it.
        hits: Confirming answers so far.
        state: Where it is in its life.
        lost_ns: Stamp at which it was lost, None otherwise.
        look: Remembered appearance.
    """

    id: int
    query_id: str
    epoch: int
    label: str
    belief: float
    belief_ns: int
    confirmed_ns: int
    hits: int = 1
    state: TrackState = TrackState.TENTATIVE
    lost_ns: int | None = None
    look: Appearance | None = None

    def belief_at(self, stamp_ns: int, fade_s: float) -> float:
        """Return the belief at a later stamp, faded by the time since its last change."""
        age_s = max(0.0, (stamp_ns - self.belief_ns) * 1e-9)
        return self.belief * math.exp(-age_s / fade_s)

    def confirm(self, stamp_ns: int, label: str, look: Appearance | None,
                config: TrackerConfig) -> None:
        """Take an answer about the frame at ``stamp_ns`` that contains this object."""
        # Even a track that was nearly given up is worth what a newborn is.
        self._weigh(stamp_ns, config.answer_recall / config.answer_false_rate, config)
        self.belief = max(self.belief, config.birth_score)
        self.confirmed_ns = max(self.confirmed_ns, stamp_ns)
        self.label = label
        self.hits += 1
        self.lost_ns = None
        if look is not None:
            self.look = self.look.blended(look, _MEMORY_SHARE) if self.look else look

    def contradict(self, stamp_ns: int, visible: float, config: TrackerConfig) -> None:
        """Take an answer that does not contain this object.

        Args:
            stamp_ns: Stamp of the frame of the answer.
            visible: How surely it should have been seen there, in [0, 1].
            config: Tracker settings.
        """
        ratio = (1 - config.answer_recall) / (1 - config.answer_false_rate)
        self._weigh(stamp_ns, ratio ** visible, config)

    def _weigh(self, stamp_ns: int, ratio: float, config: TrackerConfig) -> None:
        when = max(self.belief_ns, stamp_ns)
        belief = self.belief_at(when, config.fade_s)
        odds = ratio * belief / max(1 - belief, 1e-6)
        self.belief, self.belief_ns = min(odds / (1 + odds), _MOST_BELIEF), when

    def judge(self, stamp_ns: int, coasting_s: float, inside: float,
              config: TrackerConfig) -> bool:
        """Decide the state at a stamp; returns False when the track is to be removed.

        Args:
            stamp_ns: Now.
            coasting_s: Seconds without flow.
            inside: Share of the box that lies in the image.
            config: Tracker settings.
        """
        belief = self.belief_at(stamp_ns, config.fade_s)
        gone = (coasting_s > config.lost_after_s or inside < _LEAST_INSIDE
                or belief < config.lost_below)
        if not gone:
            self.lost_ns = None
            confirmed = self.hits >= config.hits_to_confirm
            self.state = TrackState.CONFIRMED if confirmed else TrackState.TENTATIVE
            return True
        if self.state is TrackState.TENTATIVE or belief < config.removed_below:
            return False
        self.state = TrackState.LOST
        self.lost_ns = stamp_ns if self.lost_ns is None else self.lost_ns
        return stamp_ns - self.lost_ns <= config.memory_s * 1e9
