"""Writing: puts a correction into the past frames and replays them from there.

Everything here is called with the tracker's lock held.
"""

import math

from rtrack_ros.boxes import iou
from rtrack_ros.tracking.belief import Certainty, Key, existence_of
from rtrack_ros.tracking.delay.correction import Change, Correction
from rtrack_ros.tracking.delay.observation import Observation, detector_accuracy
from rtrack_ros.tracking.delay.replay import replay
from rtrack_ros.tracking.existence import (
    confidence_weight,
    initial_existence,
    objectness_ratio,
    weighed,
)
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.track import TrackState
from rtrack_ros.tracking.track_book import Outcome, TrackBook
from rtrack_ros.tracking.tracklet import Standing, Tracklet

# A detector shows an object often: its template need not be renewed each time.
_TEMPLATE_S = 0.5


def write(book: TrackBook, seen: Observation, correction: Correction) -> Outcome:
    """Write a correction into the past, replay the frames since, and rejudge the tracks.

    Args:
        book: The tracks and the frames.
        seen: The observation.
        correction: What it changes, carried to the newest frame.
    """
    frames = book.history.since(seen.stamp_ns)
    if seen.key is not None and seen.key not in book.active:
        return Outcome.STALE_EPOCH
    if not frames or frames[0] is not correction.frame:
        return Outcome.LATE
    if seen.key is None:
        book.detected_ns = max(seen.stamp_ns, book.detected_ns or 0)
        book.hear(change.label for change in correction.changes)
    begins: dict[int, int] = {}
    for change in correction.changes:
        later = _begun_later(book, frames[0], change, seen)
        if later is not None:
            _take_box(book, later, change, seen)
            frames[0].applied_boxes[seen.key][change.place] = later.id
            continue
        written = _write_change(book, seen, change, frames[0])
        if written is not None:
            track_id, begins[track_id] = written
            frames[0].applied_boxes[seen.key][change.place] = track_id
    if begins:
        replay(book.history.since(min(begins.values())), begins, book.config)
    if not seen.partial:
        listed = book.tracklets.keys() & frames[0].applied_boxes[seen.key].values()
        _weigh_omissions(book, seen, correction, listed)
    book.rejudge(frames)
    return Outcome.APPLIED


def _write_change(book: TrackBook, seen: Observation, change: Change,
                  frame: Frame) -> tuple[int, int] | None:
    """Write one box into its frame, and its motion into the frames around.

    Returns its track and the stamp from which that track is replayed.
    """
    tracklet = _tracklet_of(book, seen, change)
    if tracklet is None:
        return None
    _write_motion(change, seen, tracklet)
    known = frame.corrections.get(tracklet.id)
    if known is None or known.sigma.sum() >= change.given.sigma.sum():
        frame.corrections[tracklet.id] = change.given
    if change.trajectory:
        return tracklet.id, change.trajectory.past[0].stamp_ns
    if change.track_id is None or change.restart:
        frame.states[tracklet.id] = change.start
        frame.width_states.pop(tracklet.id, None)
    else:
        frame.states[tracklet.id] = kalman.measure_position(
            frame.states[tracklet.id][None], change.given.box[None],
            change.given.sigma[None] ** 2)[0]
    frame.coasting_s[tracklet.id] = 0.0
    return tracklet.id, frame.stamp_ns


def _tracklet_of(book: TrackBook, seen: Observation, change: Change) -> Tracklet | None:
    """Return the track of a change, begun or confirmed; None where it ended meanwhile."""
    if change.track_id is None:
        return _born(book, seen, change)
    tracklet = book.tracklets.get(change.track_id)
    if tracklet is not None:
        _take_box(book, tracklet, change, seen)
    return tracklet


def _begun_later(book: TrackBook, frame: Frame, change: Change, seen: Observation
                 ) -> Tracklet | None:
    """Return the track that began after a frame, and that the box of a new object belongs to.

    What is said of a frame may be overtaken by what is said of later ones. An object that those
    began is not begun again: the box, carried to now, lies on its track.
    """
    newest = book.history.newest
    if change.track_id is not None or newest is None or newest is frame:
        return None
    taken = frame.applied_boxes[seen.key].values()
    later = [track_id for track_id in newest.states
             if track_id not in frame.states and track_id not in taken]
    if not later:
        return None
    overlap = iou([change.propagated.box], kalman.boxes_of(newest.stack(later)))[0]
    best = int(overlap.argmax())
    return book.tracklets[later[best]] if overlap[best] > book.config.duplicate_iou else None


def _take_box(book: TrackBook, tracklet: Tracklet, change: Change, seen: Observation) -> None:
    """Take a box as evidence for its track."""
    if seen.key is None:
        tracklet.detected(seen.stamp_ns, seen.accuracy,
                          seen.weight * confidence_weight(change.score), change.label,
                          _arrived(book, seen, change))
        book.weigh_names(tracklet)
    else:
        standing = tracklet.standings.get(seen.key)
        book.counts.recovered += standing is not None and standing.state is TrackState.LOST
        tracklet.confirm(seen.key, seen.stamp_ns, book.config,
                         book.watched(seen.key, seen.stamp_ns))
    if seen.key is not None or not tracklet.standings:
        tracklet.label = change.label


def _write_motion(change: Change, seen: Observation, tracklet: Tracklet) -> None:
    """Replace the measurements of a track by those of its propagated box."""
    for frame, motion in [*(change.trajectory.motions if change.trajectory else ()),
                          *change.propagated.motions]:
        frame.measurements.pop(tracklet.id, None)
        if change.elsewhere:
            frame.sightings.pop(tracklet.id, None)
        if motion is not None:
            frame.motions[tracklet.id] = motion
    if _shows_it_anew(change, seen, tracklet):
        tracklet.remember(change.appearance)
        tracklet.template, tracklet.template_ns = change.propagated.template, seen.stamp_ns
    for frame, measurement in change.propagated.measurements:
        frame.measurements[tracklet.id] = measurement


def _shows_it_anew(change: Change, seen: Observation, tracklet: Tracklet) -> bool:
    """Whether a box says how the object looks: a detector's only if it is alone and not often."""
    if seen.key is not None or tracklet.template is None:
        return True
    return change.alone and seen.stamp_ns - tracklet.template_ns >= _TEMPLATE_S * 1e9


def _born(book: TrackBook, seen: Observation, change: Change) -> Tracklet:
    box = change.given.box
    height = max(float(box[3] - box[1]), 1.0)
    edges = objectness_ratio([measurement.sigma[3] / height
                              for _, measurement in change.propagated.measurements])
    probability = _arrived(book, seen, change, edges)
    known_id = None if not book.config.memory_s else book.memory.recall(
        change.label, change.appearance if change.alone else None, box, seen.stamp_ns,
        book.config)
    if book.watched(seen.key, seen.stamp_ns):
        # A detector that knows such things looked here as well, and saw nothing.
        probability = weighed(probability, detector_accuracy(book.config).omitting_ratio)
    if seen.key is None:
        tracklet = book.add(change.label, Certainty(probability), seen.stamp_ns, known_id)
        tracklet.detected_ns = seen.stamp_ns
        tracklet.votes.add(change.label, confidence_weight(change.score))
        book.weigh_names(tracklet)
    else:
        existence = existence_of(probability, book.config)
        tracklet = book.add(change.label,
                            Certainty(existence, {seen.key: probability / existence}),
                            seen.stamp_ns, known_id)
        tracklet.standings[seen.key] = Standing(1, seen.stamp_ns)
        tracklet.heard_ns[seen.key] = seen.stamp_ns
    tracklet.appearance = change.appearance
    return tracklet


def _arrived(book: TrackBook, seen: Observation, change: Change, edges: float = 1.0) -> float:
    """Return the probability that an object came since the source spoke before, and is here."""
    return initial_existence(unwatched_s(book, seen.key, seen.stamp_ns), book.config, edges,
                             seen.accuracy) * min(max(change.score, 0.0), 1.0)


def unwatched_s(book: TrackBook, key: Key | None, stamp_ns: int) -> float:
    """Return the seconds since the frame that a source spoke about before, inf if none is kept.

    Args:
        book: The tracks and the frames.
        key: The sentence; None for the detector.
        stamp_ns: Stamp of the frame that it speaks about now.
    """
    for frame in reversed(book.history.before(stamp_ns)):
        if key in frame.answered:
            return (stamp_ns - frame.stamp_ns) * 1e-9
    return math.inf


def _weigh_omissions(book: TrackBook, seen: Observation, correction: Correction,
                     listed: set[int]) -> None:
    """Weigh an observation against tracks that it does not list, and merge duplicates."""
    for track_id, visible in correction.unseen:
        tracklet = book.tracklets.get(track_id)
        if tracklet is None:
            continue
        if seen.key is None:
            tracklet.missed(seen.stamp_ns, seen.accuracy, visible * seen.weight)
        else:
            tracklet.contradict(seen.key, seen.stamp_ns, visible * seen.weight, book.config)
    for track_id in book.tracklets.keys() & correction.swapped:
        book.tracklets[track_id].seen_somewhere(seen.stamp_ns, seen.accuracy, seen.weight)
    for track_id in listed:
        distinct = book.tracklets[track_id].distinct_from
        distinct.update((other, max(seen.stamp_ns, distinct.get(other, 0)))
                        for other in listed - {track_id})
    for older, younger in correction.duplicates:
        if older in book.tracklets and younger in book.tracklets:
            book.merge(older, younger)
