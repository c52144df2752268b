"""What the tracker publishes about one object."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum


class TrackState(Enum):
    """How an object stands to a sentence: not yet confirmed, confirmed, lost, or not meant."""

    TENTATIVE = 'tentative'
    CONFIRMED = 'confirmed'
    LOST = 'lost'
    UNMEANT = 'unmeant'


@dataclass(frozen=True)
class Belief:
    """How surely one sentence means one object.

    Attributes:
        query_id: The sentence's id.
        meant: Probability in [0, 1] that it means the object, if the object is there.
        score: Probability in [0, 1] that the object is there and meant, and that the box overlaps
            it by half.
        state: How the object stands to the sentence; CONFIRMED is published, UNMEANT was never
            listed by an answer or was given up.
        confirmed_ns: Stamp of the last frame on which an answer to it confirmed the object.
        heard_ns: Stamp of the last frame on which anything was said about it.
        prior: Probability in [0, 1] that it means the object by what that is called alone.
    """

    query_id: str
    meant: float
    score: float
    state: TrackState
    confirmed_ns: int
    heard_ns: int = 0
    prior: float = 0.3


@dataclass(frozen=True)
class Track:
    """One followed object at one instant, whatever sentences mean it.

    Attributes:
        id: Positive, never given to another object in a run; it outlives every change of sentence.
        box: x1, y1, x2, y2 in pixels of the original RGB image.
        velocity: vx, vy of the centre in pixels per second.
        existence: Probability in [0, 1] that the object is there, and that the box overlaps it by
            half.
        label: The model's or the detector's word for it.
        beliefs: What is believed of it by sentence, by state and then the surest first; empty
            for an object about which none was asked.
        detected_ns: Stamp of the last frame on which a detector saw it, 0 without one.
        sighted: Whether its own correlation filter sees it sharply on the newest frame; targets
            that were shown in a box have one.
    """

    id: int
    box: tuple[float, float, float, float]
    velocity: tuple[float, float]
    existence: float
    label: str
    beliefs: tuple[Belief, ...] = ()
    detected_ns: int = 0
    sighted: bool = False

    def belief(self, query_id: str) -> Belief | None:
        """Return what is believed about one sentence; None if nothing was said."""
        return next((belief for belief in self.beliefs if belief.query_id == query_id), None)

    @property
    def meanings(self) -> tuple[Belief, ...]:
        """The sentences that it fulfils, the surest first: what is published of it."""
        return tuple(belief for belief in self.beliefs if belief.state is TrackState.CONFIRMED)

    @property
    def state(self) -> TrackState:
        """How it stands to the sentence that means it most."""
        return self.beliefs[0].state if self.beliefs else TrackState.UNMEANT

    @property
    def score(self) -> float:
        """Score of the sentence that means it most, 0 without one."""
        return 0.0 if self.state is TrackState.UNMEANT else self.beliefs[0].score

    @property
    def confirmed_ns(self) -> int:
        """Stamp of the last frame on which an answer confirmed it, 0 without one."""
        return max((belief.confirmed_ns for belief in self.beliefs), default=0)

    def without(self, query_ids: Collection[str]) -> 'Track':
        """Return the track with no belief about these sentences."""
        return replace(self, beliefs=tuple(belief for belief in self.beliefs
                                           if belief.query_id not in query_ids))


_RANKS = {TrackState.CONFIRMED: 0, TrackState.TENTATIVE: 1, TrackState.LOST: 2,
          TrackState.UNMEANT: 3}


def in_order(beliefs: Iterable[Belief]) -> tuple[Belief, ...]:
    """Return beliefs in the order of ``Track.beliefs``."""
    return tuple(sorted(beliefs, key=lambda belief: (_RANKS[belief.state], -belief.score,
                                                     belief.query_id)))


def published(tracks: Iterable[Track]) -> list[Track]:
    """Return the tracks that at least one sentence means: those of ``~/tracks``."""
    return [track for track in tracks if track.state is TrackState.CONFIRMED]


def surest(tracks: Iterable[Track], query_id: str) -> Track | None:
    """Return the track that a sentence means most, a confirmed one if there is one."""
    believed = [(belief, track) for track in tracks if (belief := track.belief(query_id))
                and belief.state is not TrackState.UNMEANT]
    return max(believed, key=lambda item: (item[0].state is TrackState.CONFIRMED, item[0].score),
               default=(None, None))[1]
