"""One track besides its motion: its evidence, its state, and how it looks.

``tracking.existence`` says how evidence is weighed. Evidence is kept while answers about earlier
frames may come, so the order in which answers arrive does not matter.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from rtrack_ros.boxes import share_inside
from rtrack_ros.tracking.appearance.histogram import Appearance
from rtrack_ros.tracking.appearance.siamese import Patch
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.existence import Evidence, decay
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.track import TrackState

_MIN_INSIDE = 0.25
_MEMORY_SHARE = 0.3


@dataclass(frozen=True)
class BoxStatus:
    """What is known of the box of a track on one frame.

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


def box_statuses(frame: Frame, ids: Sequence[int], states: kalman.States) -> list[BoxStatus]:
    """Return the status of the boxes of the tracks ``ids`` on a frame, from their states there."""
    located, inside = kalman.located(states), share_inside(kalman.boxes_of(states), frame.region)
    return [BoxStatus(frame.stamp_ns, sure, frame.coasting_s.get(track_id, 0.0), share)
            for track_id, sure, share in zip(ids, located.tolist(), inside.tolist(), strict=True)]


@dataclass
class Tracklet:
    """What is remembered about one track besides its motion.

    Attributes:
        id: Positive, never reused.
        query_id: The query it belongs to.
        epoch: The query's epoch.
        label: The model's word for it.
        existence: Probability at ``existence_ns``, from the evidence settled by then.
        existence_ns: Stamp of that existence.
        confirmed_ns: Stamp of the newest frame on which an answer confirmed it.
        evidence: What answers said since ``existence_ns``, by stamp.
        hits: Confirming answers so far.
        state: Tentative, confirmed or lost.
        lost_ns: Stamp at which it was lost, None otherwise.
        appearance: Remembered appearance.
        template: Patch of the newest answer's box, None where the box lies outside the image.
        redetected_ns: Stamp of the newest frame on which the network looked for it.
        distinct_from: Tracks that one answer listed beside this one: they are other objects.
    """

    id: int
    query_id: str
    epoch: int
    label: str
    existence: float
    existence_ns: int
    confirmed_ns: int
    evidence: list[Evidence] = field(default_factory=list)
    hits: int = 1
    state: TrackState = TrackState.TENTATIVE
    lost_ns: int | None = None
    appearance: Appearance | None = None
    template: Patch | None = None
    redetected_ns: int = 0
    distinct_from: set[int] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, int]:
        """Id and epoch of its query."""
        return self.query_id, self.epoch

    def existence_at(self, stamp_ns: int, existence_decay_s: float) -> float:
        """Return the existence at a stamp, from what answers said about frames up to it."""
        existence, since_ns = self.existence, self.existence_ns
        for item in self.evidence:
            if item.stamp_ns > stamp_ns:
                break
            existence = item.update(existence * decay(since_ns, item.stamp_ns, existence_decay_s))
            since_ns = item.stamp_ns
        return existence * decay(since_ns, stamp_ns, existence_decay_s)

    def settle(self, stamp_ns: int, existence_decay_s: float) -> None:
        """Take evidence up to a stamp for final: no answer about an earlier frame is accepted."""
        if self.evidence and self.evidence[0].stamp_ns <= stamp_ns:
            self.existence = self.existence_at(stamp_ns, existence_decay_s)
            self.existence_ns = max(stamp_ns, self.existence_ns)
            self.evidence = [item for item in self.evidence if item.stamp_ns > stamp_ns]

    def confirm(self, stamp_ns: int, label: str, appearance: Appearance | None,
                config: TrackerConfig) -> None:
        """Take an answer about the frame at ``stamp_ns`` that contains this object."""
        # A confirmed track is at least as probable as a new one, however low it was.
        insort(self.evidence, Evidence(stamp_ns, config.accuracy.confirming_ratio,
                                       config.max_initial_existence))
        self.confirmed_ns = max(self.confirmed_ns, stamp_ns)
        self.label = label
        self.hits += 1
        if appearance is not None:
            self.appearance = (self.appearance.blended(appearance, _MEMORY_SHARE)
                               if self.appearance else appearance)

    def contradict(self, stamp_ns: int, visible: float, config: TrackerConfig) -> None:
        """Take an answer that does not contain this object.

        Args:
            stamp_ns: Stamp of the frame of the answer.
            visible: How surely it should have been seen there, in [0, 1].
            config: Tracker settings.
        """
        insort(self.evidence, Evidence(stamp_ns, config.accuracy.omitting_ratio ** visible))

    def rejudge(self, stamp_ns: int) -> None:
        """Forget what was decided about frames from a stamp on, before it is decided again."""
        if self.lost_ns is not None and self.lost_ns >= stamp_ns:
            self.lost_ns = None

    @property
    def known(self) -> bool:
        """Whether more than one answer contained it."""
        return self.hits > 1

    def is_supported(self, status: BoxStatus, config: TrackerConfig) -> bool:
        """Return whether its box was seen lately, is in the image, and scores enough."""
        existence = self.existence_at(status.stamp_ns, config.existence_decay_s)
        return (status.coasting_s <= config.lost_after_s and status.inside >= _MIN_INSIDE
                and existence * status.located >= config.min_score)

    def update_state(self, status: BoxStatus, config: TrackerConfig) -> bool:
        """Decide the state on a frame; returns False if the track is to be removed.

        Args:
            status: Status of its box on the frame.
            config: Tracker settings.
        """
        confirmed = self.hits >= config.hits_to_confirm
        stamp_ns = status.stamp_ns
        if self.is_supported(status, config):
            self.lost_ns = None
            self.state = TrackState.CONFIRMED if confirmed else TrackState.TENTATIVE
            return True
        existence = self.existence_at(stamp_ns, config.existence_decay_s)
        # An object that no longer matches may match again soon, and keeps its id then.
        if not confirmed or (existence < config.min_existence and not self.known):
            return False
        if self.known or self.state is not TrackState.TENTATIVE:
            self.state = TrackState.LOST
        self.lost_ns = stamp_ns if self.lost_ns is None else self.lost_ns
        return stamp_ns - self.lost_ns <= config.max_lost_s * 1e9
