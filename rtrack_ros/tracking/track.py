"""What the tracker publishes about one object."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class TrackState(Enum):
    """Whether a track is not yet confirmed, confirmed, or lost."""

    TENTATIVE = 'tentative'
    CONFIRMED = 'confirmed'
    LOST = 'lost'


@dataclass(frozen=True)
class Track:
    """One followed object at one instant.

    Attributes:
        id: Positive, never reused in a run.
        box: x1, y1, x2, y2 in pixels of the original RGB image.
        velocity: vx, vy of the centre in pixels per second.
        score: Probability in [0, 1] that the object is there and matches, and that the box
            overlaps it by half.
        state: State of the track; only CONFIRMED ones are published on ``~/tracks``.
        confirmed_ns: Stamp of the last frame on which an answer confirmed it.
        query_id: The query it belongs to.
        label: The model's word for it.
    """

    id: int
    box: tuple[float, float, float, float]
    velocity: tuple[float, float]
    score: float
    state: TrackState
    confirmed_ns: int
    query_id: str
    label: str


def surest(tracks: Iterable[Track], query_id: str) -> Track | None:
    """Return the track of a query that is most probably right, a confirmed one if there is one."""
    mine = [track for track in tracks if track.query_id == query_id]
    return max(mine, key=lambda track: (track.state is TrackState.CONFIRMED, track.score),
               default=None)
