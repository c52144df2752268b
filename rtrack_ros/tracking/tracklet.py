"""The life of one track: belief that rises with confirming answers and falls with contrary ones.

How evidence is weighed is in ``tracking.existence``. Answers are kept as long as others about
earlier frames may come, so that their order of arrival does not matter.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from rtrack_ros.boxes import share_inside
from rtrack_ros.tracking.appearance.histogram import Appearance
from rtrack_ros.tracking.appearance.siamese import Patch
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.existence import Evidence, faded
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.track import TrackState

_LEAST_INSIDE = 0.25
_MEMORY_SHARE = 0.3


@dataclass(frozen=True)
class Place:
    """How the box of a track stands on one frame.

    Attributes:
        stamp_ns: Stamp of the frame.
        located: Probability that the box is on its object if the object is there, in [0, 1].
        coasting_s: Seconds without flow.
        inside: Share of the box that lies in the image, in [0, 1].
    """

    stamp_ns: int
    located: float
    coasting_s: float
    inside: float


def places_on(frame: Frame, ids: Sequence[int], states: kalman.States) -> list[Place]:
    """Return how the boxes of the tracks ``ids`` stand on a frame, from their states there."""
    located, inside = kalman.located(states), share_inside(kalman.boxes_of(states), frame.region)
    return [Place(frame.stamp_ns, sure, frame.coasting_s.get(track_id, 0.0), share)
            for track_id, sure, share in zip(ids, located.tolist(), inside.tolist(), strict=True)]


@dataclass
class Tracklet:
    """What is remembered about one track besides its motion.

    Attributes:
        id: Positive, never reused.
        query_id: The query it belongs to.
        epoch: The query's epoch.
        label: The model's word for it.
        belief: Probability at ``belief_ns``, from what was settled by then.
        belief_ns: Stamp of that belief.
        confirmed_ns: Stamp of the newest frame on which an answer confirmed it.
        evidence: What answers said since ``belief_ns``, by stamp.
        hits: Confirming answers so far.
        state: Where it is in its life.
        lost_ns: Stamp at which it was lost, None otherwise.
        look: Remembered appearance.
        template: How it looked in the newest answer, None where that showed nothing.
        looked_ns: Stamp of the newest frame on which the network looked for it.
        apart: Tracks that one answer listed beside this one: they are other objects.
    """

    id: int
    query_id: str
    epoch: int
    label: str
    belief: float
    belief_ns: int
    confirmed_ns: int
    evidence: list[Evidence] = field(default_factory=list)
    hits: int = 1
    state: TrackState = TrackState.TENTATIVE
    lost_ns: int | None = None
    look: Appearance | None = None
    template: Patch | None = None
    looked_ns: int = 0
    apart: set[int] = field(default_factory=set)

    def belief_at(self, stamp_ns: int, existence_decay_s: float) -> float:
        """Return the belief at a stamp, from what answers said about frames up to it."""
        belief, since_ns = self.belief, self.belief_ns
        for item in self.evidence:
            if item.stamp_ns > stamp_ns:
                break
            belief = item.update(belief * faded(since_ns, item.stamp_ns, existence_decay_s))
            since_ns = item.stamp_ns
        return belief * faded(since_ns, stamp_ns, existence_decay_s)

    def settle(self, stamp_ns: int, existence_decay_s: float) -> None:
        """Take evidence up to a stamp for final: no answer about an earlier frame is accepted."""
        if self.evidence and self.evidence[0].stamp_ns <= stamp_ns:
            self.belief = self.belief_at(stamp_ns, existence_decay_s)
            self.belief_ns = max(stamp_ns, self.belief_ns)
            self.evidence = [item for item in self.evidence if item.stamp_ns > stamp_ns]

    def confirm(self, stamp_ns: int, label: str, look: Appearance | None,
                config: TrackerConfig) -> None:
        """Take an answer about the frame at ``stamp_ns`` that contains this object."""
        # Even a track that was nearly given up is worth what a newborn is.
        ratio = config.detection_probability / config.false_alarm_probability
        insort(self.evidence, Evidence(stamp_ns, ratio, config.max_initial_existence))
        self.confirmed_ns = max(self.confirmed_ns, stamp_ns)
        self.label = label
        self.hits += 1
        if look is not None:
            self.look = self.look.blended(look, _MEMORY_SHARE) if self.look else look

    def contradict(self, stamp_ns: int, visible: float, config: TrackerConfig) -> None:
        """Take an answer that does not contain this object.

        Args:
            stamp_ns: Stamp of the frame of the answer.
            visible: How surely it should have been seen there, in [0, 1].
            config: Tracker settings.
        """
        ratio = (1 - config.detection_probability) / (1 - config.false_alarm_probability)
        insort(self.evidence, Evidence(stamp_ns, ratio ** visible))

    def relive(self, stamp_ns: int) -> None:
        """Forget what was judged about frames from a stamp on, to judge them again."""
        if self.lost_ns is not None and self.lost_ns >= stamp_ns:
            self.lost_ns = None

    @property
    def known(self) -> bool:
        """Whether more than one answer contained it."""
        return self.hits > 1

    def held(self, place: Place, config: TrackerConfig) -> bool:
        """Return whether its box, standing like this, is worth something."""
        belief = self.belief_at(place.stamp_ns, config.existence_decay_s)
        return (place.coasting_s <= config.lost_after_s and place.inside >= _LEAST_INSIDE
                and belief * place.located >= config.min_score)

    def judge(self, place: Place, config: TrackerConfig) -> bool:
        """Decide the state at the stamp of a place; returns False if the track is to be removed.

        Args:
            place: How its box stands on the frame.
            config: Tracker settings.
        """
        confirmed = self.hits >= config.hits_to_confirm
        stamp_ns = place.stamp_ns
        if self.held(place, config):
            self.lost_ns = None
            self.state = TrackState.CONFIRMED if confirmed else TrackState.TENTATIVE
            return True
        belief = self.belief_at(stamp_ns, config.existence_decay_s)
        # Who is not meant any more may be meant again soon, and is then to be the same.
        if not confirmed or (belief < config.min_existence and not self.known):
            return False
        if self.known or self.state is not TrackState.TENTATIVE:
            self.state = TrackState.LOST
        self.lost_ns = stamp_ns if self.lost_ns is None else self.lost_ns
        return stamp_ns - self.lost_ns <= config.max_lost_s * 1e9
