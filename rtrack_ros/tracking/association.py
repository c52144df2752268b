"""Association: which box of an answer belongs to which track, on the frame of the answer.

Two stages, as in ByteTrack (Zhang et al., 2022) but gated by geometry instead of by detection
score: overlap first, then centre distance in box sizes plus the track's own uncertainty, which
catches small, fast and lost targets. Each stage is one linear assignment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from rtrack_ros.boxes import BoxArray, area, giou, iou
from rtrack_ros.language.class_words import differ
from rtrack_ros.tracking.appearance.histogram import Appearance
from rtrack_ros.tracking.config import TrackerConfig

_FORBIDDEN = 1e6
_LARGEST_AREA_RATIO = 4.0
_SURE_IOU, _TOUCHING_IOU = 0.5, 0.1
# A suspect track is on another object: its own may be this many times farther off.
_SUSPECT_REACH = 3.0
# A box of another kind is that of an unlisted object only if it overlaps it this much.
_SAME_PLACE_IOU = 0.6
_UNLISTED_COST = 0.2
# A match is clear if every other one costs this much more.
_CLEAR = 0.15


@dataclass(frozen=True)
class Candidates:
    """The tracks as they were on the frame of the answer.

    A track is *unlisted* if no answer to the sentence ever listed it. It may be what the sentence
    means, and then keeps its id. It may as well stand beside that. So it must lie where the box
    is.

    Attributes:
        boxes: (N, 4) in RGB pixels.
        sigma: (N,) standard deviation of the centres in pixels.
        lost: (N,) whether each track was lost or not yet supported there; its box must not look
            different.
        appearances: Remembered appearances.
        suspect: (N,) whether each lies on another track although one answer listed both: one of
            the two follows the other's object.
        unlisted: (N,) whether each is unlisted; None for none of them.
        labels: A word for each; empty where words do not count.
    """

    boxes: BoxArray
    sigma: NDArray[np.float64]
    lost: NDArray[np.bool_]
    appearances: Sequence[Appearance | None]
    suspect: NDArray[np.bool_]
    unlisted: NDArray[np.bool_] | None = None
    labels: Sequence[str] = ()

    def only(self, rows: Sequence[int]) -> 'Candidates':
        """Return the tracks of these rows."""
        index = np.array(rows, dtype=np.intp)
        return Candidates(self.boxes[index], self.sigma[index], self.lost[index],
                          [self.appearances[row] for row in rows], self.suspect[index],
                          None if self.unlisted is None else self.unlisted[index],
                          [self.labels[row] for row in rows] if self.labels else ())

    def apart(self, labels: Sequence[str]) -> NDArray[np.bool_]:
        """Return which tracks are unlisted and of another kind than the boxes, (N, M)."""
        if self.unlisted is None or not self.labels or not labels:
            return np.zeros((len(self.boxes), len(labels)), dtype=bool)
        other = np.array([[differ(mine, word) for word in labels] for mine in self.labels])
        return np.asarray(self.unlisted[:, None] & other)


@dataclass(frozen=True)
class Boxes:
    """Boxes that somebody gives.

    Attributes:
        boxes: (M, 4) in RGB pixels.
        appearances: Appearance inside each.
        labels: A word for each.
    """

    boxes: BoxArray
    appearances: Sequence[Appearance | None]
    labels: Sequence[str]

    def __len__(self) -> int:
        return len(self.boxes)

    def one(self, index: int) -> 'Boxes':
        """Return one of them alone."""
        return Boxes(self.boxes[[index]], [self.appearances[index]], [self.labels[index]])


@dataclass(frozen=True)
class _Compared:
    """Every track beside every box, each (N, M).

    Attributes:
        overlap: IoU.
        likeness: Similarity of appearance in [0, 1], 0.5 where unknown.
        known: Whether it is known.
    """

    overlap: NDArray[np.float64]
    likeness: NDArray[np.float64]
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, tracks: Candidates, boxes: Boxes) -> '_Compared':
        """Compare tracks with boxes."""
        return cls(iou(tracks.boxes, boxes.boxes),
                   *_likeness(tracks.appearances, boxes.appearances))


@dataclass(frozen=True)
class Matched:
    """Which track each box has.

    Attributes:
        track_of: Track of every box whose match is certain, None for the box of a new object.
        swapped: Tracks that have a box, but it is not clear which: they are there.
        covered: Tracks near such a box for which none is left: they may be hidden. Of several for
            one box it is the one in front that is there.
    """

    track_of: dict[int, int | None]
    swapped: frozenset[int] = frozenset()
    covered: frozenset[int] = frozenset()


def match_clear(tracks: Candidates, boxes: Boxes, config: TrackerConfig) -> Matched:
    """Return the track of every box whose match is clear.

    Boxes that come often need not all be used. Where two tracks cross, one box is as good for the
    one as for the other, and a wrong one swaps their ids. Such boxes move no track. A lost track
    is no rival: nobody knows where its object is, and the box would have no track at all.
    """
    compared = _Compared.of(tracks, boxes)
    pairs, cost = _pairs(tracks, boxes, compared, config), _clear_cost(compared)
    cost[tracks.apart(boxes.labels) & (compared.overlap < _SAME_PLACE_IOU)] = _FORBIDDEN
    track_of = {box: track for track, box in pairs}
    box_of = {track: box for track, box in pairs}
    doubtful = {track for track, box in pairs if any(
        _as_good(cost, track, box, other, box_of.get(other))
        for other in range(len(tracks.boxes)) if other != track and not tracks.lost[other])}
    unclear = {box for box, track in track_of.items() if track in doubtful}
    matched = {box: track_of.get(box) for box in range(len(boxes)) if box not in unclear}
    near = {track for track in range(len(tracks.boxes)) if track not in box_of
            and any(cost[track, box] < _FORBIDDEN for box in unclear)}
    seen = {_front(tracks, [track_of[box], *(row for row in near if cost[row, box] < _FORBIDDEN)])
            for box in unclear}
    return Matched(matched, frozenset(seen), frozenset((doubtful | near) - seen))


def _front(tracks: Candidates, rows: Sequence[int]) -> int:
    """Return which of these tracks is in front: its box reaches lowest, it stands nearest."""
    return max(rows, key=lambda row: float(tracks.boxes[row, 3]))


def _clear_cost(compared: _Compared) -> NDArray[np.float64]:
    """Return the cost (N, M) by which a match is clear or not; forbidden where they do not touch.

    Beside place, how it looks counts half.
    """
    return np.where(compared.overlap > _TOUCHING_IOU,
                    (1 - compared.overlap + 1 - compared.likeness) / 2, _FORBIDDEN)


def _as_good(cost: NDArray[np.float64], track: int, box: int, other: int,
             other_box: int | None) -> bool:
    """Whether a box would do as well for another track, which would then have the first's box."""
    if cost[other, box] >= _FORBIDDEN:
        return False
    if other_box is None:
        return bool(cost[other, box] - cost[track, box] < _CLEAR)
    swapped = cost[other, box] + min(cost[track, other_box], 1.0)
    return bool(swapped - cost[track, box] - cost[other, other_box] < _CLEAR)


def match_all(tracks: Candidates, boxes: Boxes, config: TrackerConfig) -> dict[int, int | None]:
    """Return the track of every box of an answer, None for the box of a new object."""
    pairs = associate(tracks, boxes, config)
    return dict.fromkeys(range(len(boxes))) | {box: track for track, box in pairs}


def match_so_far(tracks: Candidates, boxes: Boxes, config: TrackerConfig) -> dict[int, int | None]:
    """Return the tracks of those boxes of an unfinished answer that later boxes cannot change.

    A box that lies well on one track and touches no other has that track. A box that reaches no
    other track is a new object: None. All other boxes are left out.
    """
    overlap = iou(tracks.boxes, boxes.boxes)
    sure: dict[int, int | None] = {
        box: track for track, box in associate(tracks, boxes, config)
        if overlap[track, box] >= _SURE_IOU and (overlap[:, box] > _TOUCHING_IOU).sum() == 1}
    others = tracks.only([row for row in range(len(tracks.boxes)) if row not in sure.values()])
    alone = {box: None for box in range(len(boxes)) if box not in sure
             and not associate(others, boxes.one(box), config)}
    return sure | alone


def associate(tracks: Candidates, boxes: Boxes, config: TrackerConfig) -> list[tuple[int, int]]:
    """Return pairs (track index, box index), each index at most once.

    Args:
        tracks: Candidates.
        boxes: Boxes of the answer.
        config: Tracker settings.
    """
    return _pairs(tracks, boxes, _Compared.of(tracks, boxes), config)


def _pairs(tracks: Candidates, boxes: Boxes, compared: _Compared, config: TrackerConfig
           ) -> list[tuple[int, int]]:
    """Return the pairs of ``associate`` from what was compared."""
    if len(tracks.boxes) == 0 or len(boxes) == 0:
        return []
    overlap, likeness, known = compared.overlap, compared.likeness, compared.known
    apart = tracks.apart(boxes.labels)
    weight = config.appearance_weight
    first = (1 - weight) * (1 - overlap) + weight * (1 - likeness)
    unlisted = np.zeros(len(overlap), dtype=bool) if tracks.unlisted is None else tracks.unlisted
    first += _UNLISTED_COST * unlisted[:, None]
    gate = np.where(apart, max(_SAME_PLACE_IOU, config.iou_gate), config.iou_gate)
    pairs = _assign(np.where(overlap >= gate, first, _FORBIDDEN))
    doubted = tracks.lost | tracks.suspect
    barred = doubted[:, None] & known & (likeness < config.appearance_gate)
    barred |= apart | (unlisted & ~doubted)[:, None]
    cost = np.where(barred, _FORBIDDEN, _second_stage(tracks, boxes.boxes, likeness, config))
    for track, box in pairs:
        cost[track, :], cost[:, box] = _FORBIDDEN, _FORBIDDEN
    return pairs + _assign(cost)


def _second_stage(tracks: Candidates, boxes: BoxArray, likeness: NDArray[np.float64],
                  config: TrackerConfig) -> NDArray[np.float64]:
    track_area, box_area = np.maximum(area(tracks.boxes), 1.0), np.maximum(area(boxes), 1.0)
    centres = (tracks.boxes[:, :2] + tracks.boxes[:, 2:]) / 2
    targets = (boxes[:, :2] + boxes[:, 2:]) / 2
    distance = np.linalg.norm(centres[:, None] - targets[None], axis=2)
    reach = np.sqrt(np.maximum(track_area[:, None], box_area[None])) + 2 * tracks.sigma[:, None]
    reach = reach * np.where(tracks.suspect, _SUSPECT_REACH, 1.0)[:, None]
    relative = distance / (config.distance_gate * reach)
    ratio = np.maximum(track_area[:, None] / box_area[None], box_area[None] / track_area[:, None])
    allowed = (relative <= 1) & (ratio <= _LARGEST_AREA_RATIO)
    apart = (1 - giou(tracks.boxes, boxes)) / 2
    weight = min(1.0, 2 * config.appearance_weight)
    cost = (1 - weight) * (relative + apart) / 2 + weight * (1 - likeness)
    return np.where(allowed, cost, _FORBIDDEN)


def _likeness(tracks: Sequence[Appearance | None], boxes: Sequence[Appearance | None],
              ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Similarity (N, M) and whether it is known.

    Unknown counts as 0.5, which neither helps nor hinders.
    """
    table = np.full((len(tracks), len(boxes)), np.nan)
    for row, track in enumerate(tracks):
        for column, box in enumerate(boxes):
            like = track.similarity(box) if track is not None and box is not None else None
            if like is not None:
                table[row, column] = like
    known = np.isfinite(table)
    return np.where(known, table, 0.5), known


def _assign(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    rows, columns = linear_sum_assignment(cost)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)
            if cost[row, column] < _FORBIDDEN]
