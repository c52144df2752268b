"""Correction: what an observation changes about the past, without holding up the present.

Its boxes are matched to the tracks as they were on its frame; a box that fits a track corrects it
there. All boxes are followed from that frame to now by optical flow on the stored frames. A new
object was not followed before. A track that slid off its object was followed elsewhere, often
without a sign of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray, as_boxes, clip, cover, iou, share_inside
from rtrack_ros.frames import Region
from rtrack_ros.language.answers import Grounding
from rtrack_ros.tracking.appearance.histogram import Appearance, appearances_of
from rtrack_ros.tracking.appearance.siamese import cut
from rtrack_ros.tracking.association import (
    Boxes,
    Candidates,
    Matched,
    match_all,
    match_clear,
    match_so_far,
)
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.delay.observation import Observation
from rtrack_ros.tracking.delay.propagation import PropagatedBox, Propagator
from rtrack_ros.tracking.delay.virtual_trajectory import (
    VirtualTrajectory,
    explains,
    since_answer,
    virtual_trajectory,
)
from rtrack_ros.tracking.history.frame import Frame, GivenBox
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.filter_step import answer_sigma
from rtrack_ros.tracking.tracklet import Tracklet, box_statuses

# Standard deviations beyond which an answer says that the track was not on its object.
_NEWS = 3.0
_MOSTLY = 0.7
# Above this overlap two boxes of one answer are the same object.
_SAME_BOX_IOU = 0.8
_HIDDEN = 0.5
# A box shows another object as well if that covers this share of the smaller of the two.
_COVERED = 0.2
# For so long one object may hide another completely.
_HIDDEN_S = 1.0
# A box has left the image when less than this share of it lies inside.
_LEFT_SHARE = 0.25
_EDGE_PX = 2.0
# Box sizes per second: a speed known better than this guides the search for the box.
_KNOWN_SPEED = 0.5


@dataclass
class Change:
    """One box of an answer and what it means.

    Attributes:
        given: The box on its frame.
        label: The word for it.
        score: The confidence in it.
        place: Which box of the answer it is, from 0.
        appearance: Appearance inside the box.
        track_id: The track it corrects, None for a birth.
        start: Kalman state (5, 4) of a birth on the frame of the answer.
        propagated: Follows the box to now.
        trajectory: The object's virtual trajectory where the track was elsewhere or coasted; None
            where it was followed to the box.
        alone: No other object covers it: what it shows is the object.
        restart: The track was elsewhere, and no earlier answer says how the object moved: it goes
            on from ``start`` like a new track, under its id.
        elsewhere: The track was not where the box is.
    """

    given: GivenBox
    label: str
    score: float
    place: int
    appearance: Appearance | None
    track_id: int | None
    start: NDArray[np.float64]
    propagated: PropagatedBox
    trajectory: VirtualTrajectory | None = None
    alone: bool = True
    restart: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, eq=False)
class AnsweredFrame:
    """What was known on the frame that an answer is about.

    Attributes:
        frame: The frame.
        past: The frames before it that are still known.
        tracklets: The tracks that existed there.
        states: Their states there, (N, 5, 4).
        applied_boxes: Tracks of the boxes that were applied while the answer was written, by
            their place in the answer.
    """

    frame: Frame
    past: Sequence[Frame]
    tracklets: Sequence[Tracklet]
    states: kalman.States
    applied_boxes: Mapping[int, int] = field(default_factory=dict)


@dataclass
class Correction:
    """Everything an answer changes.

    Attributes:
        frame: The frame of the answer.
        changes: Births and corrections.
        unseen: (track id, how surely it should have been seen) of tracks without a box.
        swapped: Tracks that were seen, in one of several boxes.
        duplicates: (older, younger) tracks that turned out to follow one object.
        reached_ns: Stamp up to which followed boxes have been carried.
    """

    frame: Frame
    changes: list[Change]
    unseen: list[tuple[int, float]]
    duplicates: list[tuple[int, int]]
    reached_ns: int
    swapped: list[int] = field(default_factory=list)

    def follow(self, frames: Sequence[Frame], propagator: Propagator, config: TrackerConfig,
               give_way: Callable[[], object]) -> None:
        """Carry the boxes from the first of ``frames``, where they are, to the last."""
        propagator.propagate(frames, [change.propagated for change in self.changes], config,
                             give_way)
        self.reached_ns = frames[-1].stamp_ns


def correct_past(seen: Observation, known: AnsweredFrame, config: TrackerConfig) -> Correction:
    """Match an observation to the tracks as they were: births, corrections, what it leaves out.

    Of an answer that is still being written only those boxes are taken whose track no later box
    can change. The others wait for its end, and so do omissions. The boxes are on the frame of the
    observation; ``Correction.follow`` carries them to now.

    Args:
        seen: About ``known.frame``.
        known: What was known on that frame.
        config: Tracker settings.
    """
    frame, region = known.frame, seen.region or known.frame.region
    fresh = [(place, grounding) for place, grounding in enumerate(_distinct(seen.groundings))
             if place not in known.applied_boxes]
    array = as_boxes([grounding.box for _, grounding in fresh])
    boxes = Boxes(array, appearances_of(frame.views, array),
                  [grounding.label for _, grounding in fresh])
    awaited = _awaited(kalman.boxes_of(known.states), frame)
    sharing = _sharing(awaited, config)
    match = _match(seen, known, _candidates(seen, known, awaited, sharing, config), boxes, config)
    starts = kalman.new_states(array, answer_sigma(array, frame.size, seen.accuracy))
    changes = []
    for index, row in sorted(match.track_of.items()):
        (place, grounding), box = fresh[index], array[index]
        given = box if row is None else _beyond_edges(
            box, kalman.boxes_of(known.states[row][None])[0], region)
        change = Change(_given(given, frame, seen), grounding.label, grounding.score, place,
                        boxes.appearances[index], None, starts[index],
                        PropagatedBox(box.copy(), np.full(2, np.nan), None, cut(frame.views, box)))
        if row is not None:
            _correct_track(change, row, known)
        change.alone = _alone(index, row, array, awaited)
        changes.append(change)
    correction = Correction(frame, changes, [], [], frame.stamp_ns)
    if not seen.partial:
        correction.swapped = [known.tracklets[row].id for row in sorted(match.swapped)]
        _note_omissions(correction, seen, match, known, region, sharing)
    return correction


def _alone(index: int, row: int | None, boxes: BoxArray, tracks: BoxArray) -> bool:
    """Whether a box shows one object only: no other box and no other track covers it."""
    others = np.concatenate([np.delete(boxes, index, axis=0),
                             tracks if row is None else np.delete(tracks, row, axis=0)])
    return not len(others) or bool(cover(boxes[[index]], others).max() < _COVERED)


def _given(box: NDArray[np.float64], frame: Frame, seen: Observation) -> GivenBox:
    return GivenBox(box, answer_sigma(box[None], frame.size, seen.accuracy)[0])


def _match(seen: Observation, known: AnsweredFrame, candidates: Candidates, boxes: Boxes,
           config: TrackerConfig) -> Matched:
    """Return the row of the track of every box that is certain by now, None for a birth."""
    free = [row for row, tracklet in enumerate(known.tracklets)
            if tracklet.id not in known.applied_boxes.values()]
    if seen.key is None:
        return match_clear(candidates, boxes, config)
    choose = match_so_far if seen.partial else match_all
    return Matched({box: None if row is None else free[row]
                    for box, row in choose(candidates.only(free), boxes, config).items()})


def _note_omissions(correction: Correction, seen: Observation, match: Matched,
                    known: AnsweredFrame, region: Region,
                    sharing: Sequence[tuple[int, int]]) -> None:
    """Write which tracks a whole answer leaves out, and which follow another track's object."""
    rows = {row for row in match.track_of.values() if row is not None} | match.swapped
    listed = {known.tracklets[row].id for row in rows}
    listed |= set(known.applied_boxes.values())
    correction.unseen = [
        (tracklet.id, 0.0 if _went_dark(known, box) else
         _visibility(tracklet.id, box, known.frame, region)
         * (_HIDDEN if row in match.covered else 1.0))
        for row, (tracklet, box) in enumerate(zip(
            known.tracklets, kalman.boxes_of(known.states), strict=True))
        if tracklet.id not in listed]
    correction.duplicates = _duplicates(known.tracklets, sharing, listed, seen)


def _candidates(seen: Observation, known: AnsweredFrame, boxes: BoxArray,
                sharing: Sequence[tuple[int, int]], config: TrackerConfig) -> Candidates:
    """Return the tracks as they were on the frame, whatever happened to them since."""
    tracklets, key = known.tracklets, seen.key
    suspect = np.zeros(len(tracklets), dtype=bool)
    for row, column in sharing:
        if tracklets[column].id in tracklets[row].distinct_from:
            suspect[[row, column]] = True
    statuses = box_statuses(known.frame, [tracklet.id for tracklet in tracklets], known.states)
    lost = [not tracklet.is_supported(status, key, config)
            for tracklet, status in zip(tracklets, statuses, strict=True)]
    # A detector shows objects where they are: it is no reason to jump. What it once called a
    # person does not become a truck beside him.
    unlisted = np.array([key is None or key not in tracklet.standings for tracklet in tracklets],
                        dtype=bool)
    return Candidates(boxes, kalman.position_sigma(known.states), np.array(lost, dtype=bool),
                      [tracklet.appearance for tracklet in tracklets], suspect, unlisted,
                      [tracklet.votes.word if key is None else tracklet.label
                       for tracklet in tracklets])


def _sharing(boxes: BoxArray, config: TrackerConfig) -> list[tuple[int, int]]:
    """Return the pairs (row, column) of boxes (N, 4) that seem to lie on one object."""
    rows, columns = np.nonzero(np.triu(iou(boxes, boxes) > config.duplicate_iou, 1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _distinct(groundings: Sequence[Grounding]) -> list[Grounding]:
    """Drop boxes that list an object a second time; the first one is kept."""
    kept: list[Grounding] = []
    for grounding in groundings:
        if not kept or iou([grounding.box], [other.box for other in kept]).max() \
                <= _SAME_BOX_IOU:
            kept.append(grounding)
    return kept


def _correct_track(change: Change, row: int, known: AnsweredFrame) -> None:
    """Make a change correct a track, and let the track's speed guide the box from there."""
    track_id, state, frame = known.tracklets[row].id, known.states[row], known.frame
    change.track_id = track_id
    change.propagated.track_id = track_id
    on_object = explains(state, change.given, _NEWS)
    if not on_object or not _mostly_followed(track_id, since_answer(known.past, frame, track_id)):
        change.trajectory = virtual_trajectory(known.past, frame, track_id, change.given)
    change.elsewhere = not on_object
    change.restart = change.trajectory is None and not on_object
    if change.trajectory:
        change.propagated.speed = change.trajectory.speed.copy()
    elif on_object and kalman.speed_sigma(state[None])[0] < _KNOWN_SPEED * _size(change.given.box):
        change.propagated.speed = state[1, :2].copy()


def _mostly_followed(track_id: int, frames: Sequence[Frame]) -> bool:
    """Whether flow saw the track on most frames after the first of ``frames``."""
    followed = sum(track_id in frame.motions or track_id in frame.sightings
                   for frame in frames[1:])
    return followed >= _MOSTLY * (len(frames) - 1)


def _beyond_edges(box: NDArray[np.float64], track_box: NDArray[np.float64],
                  region: Region) -> NDArray[np.float64]:
    """Return the box, with the track's own edges where the region of the answer cuts it off."""
    edges = box.copy()
    for index, (limit, outward) in enumerate(zip(region, (-1, -1, 1, 1), strict=True)):
        cut = abs(box[index] - limit) <= _EDGE_PX
        if cut and (track_box[index] - limit) * outward > 0:
            edges[index] = track_box[index]
    return edges


def _awaited(boxes: BoxArray, frame: Frame) -> BoxArray:
    """Return boxes (N, 4) as an answer would show them on a frame.

    An object that left the image comes back at the same edge: its whole box waits there.
    """
    seen = clip(boxes, *frame.size)
    limit = np.array(frame.size, dtype=np.float64)
    inward = (np.maximum(-boxes[:, :2], 0.0)
              - np.maximum(boxes[:, 2:] - np.maximum(limit, boxes[:, 2:] - boxes[:, :2]), 0.0))
    gone = share_inside(boxes, frame.region) < _LEFT_SHARE
    return np.where(gone[:, None], clip(boxes + np.tile(inward, 2), *frame.size), seen)


def _size(box: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.prod(np.maximum(box[2:] - box[:2], 1.0))))


def _went_dark(known: AnsweredFrame, box: NDArray[np.float64]) -> bool:
    """Whether no image of the frame can show a box that thermal could show shortly before.

    By night, while the thermal camera pauses, an answer leaves nothing out.
    """
    return not known.frame.views.lit(box) and any(
        frame.views.thermal is not None for frame in known.past)


def _visibility(track_id: int, box: NDArray[np.float64], frame: Frame, region: Region) -> float:
    """Return how surely an answer about ``region`` of a frame should have contained a track."""
    hidden = frame.coasting_s.get(track_id, 0.0) > 0
    return float(share_inside(box, region)[0]) * (_HIDDEN if hidden else 1.0)


def _duplicates(tracklets: Sequence[Tracklet], sharing: Sequence[tuple[int, int]],
                listed: set[int], seen: Observation) -> list[tuple[int, int]]:
    """Return (older, younger) tracks on one object, of which one has a box and the other none.

    The older id stays. When the older one is without a box, the younger is dropped all the same:
    the next answer confirms the older, which lies on the same object. Two of which the sentence
    means only one are two objects.
    """
    pairs = []
    for row, column in sharing:
        first, second = tracklets[row], tracklets[column]
        one_listed = (first.id in listed) != (second.id in listed)
        if one_listed and not _distinct_objects(first, second, seen) and _could_list_both(
                first, second, seen):
            pairs.append((min(first.id, second.id), max(first.id, second.id)))
    return sorted(pairs)


def _distinct_objects(first: Tracklet, second: Tracklet, seen: Observation) -> bool:
    """Whether two tracks on one place are two objects, because both were listed side by side.

    A detector looks often. If it finds one object there, look after look, then one of the tracks
    has lost its own: who hides somebody for longer does not cover the whole of him.
    """
    listed_ns = first.distinct_from.get(second.id)
    return listed_ns is not None and (
        seen.key is not None or seen.stamp_ns - listed_ns <= _HIDDEN_S * 1e9)


def _could_list_both(first: Tracklet, second: Tracklet, seen: Observation) -> bool:
    """Whether the source of an observation would have listed both, were they two objects."""
    return seen.key is None or (seen.key in first.standings and seen.key in second.standings)
