"""Writing: puts a correction into the past frames and replays them from there.

Everything here is called with the tracker's lock held.
"""

import math

from rtrack_ros.boxes import as_boxes
from rtrack_ros.language.answers import Answer
from rtrack_ros.tracking.delay.correction import Change, Correction
from rtrack_ros.tracking.delay.replay import replay
from rtrack_ros.tracking.existence import initial_existence, objectness_ratio
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion.filter_step import correct
from rtrack_ros.tracking.track import TrackState
from rtrack_ros.tracking.track_book import Outcome, TrackBook
from rtrack_ros.tracking.tracklet import Tracklet


def write(book: TrackBook, answer: Answer, correction: Correction) -> Outcome:
    """Write a correction into the past, replay the frames since, and rejudge its tracks.

    Args:
        book: The tracks and the frames.
        answer: The answer.
        correction: What it changes, carried to the newest frame.
    """
    key = (answer.query_id, answer.epoch)
    frames = book.history.since(answer.stamp_ns)
    if key not in book.active:
        return Outcome.STALE_EPOCH
    if not frames or frames[0] is not correction.frame:
        return Outcome.LATE
    begins: dict[int, int] = {}
    for change in correction.changes:
        written = _write_change(book, answer, change, frames[0])
        if written is not None:
            track_id, begins[track_id] = written
            frames[0].applied_boxes[key][change.place] = track_id
    if begins:
        replay(book.history.since(min(begins.values())), begins, book.config)
    if not answer.partial:
        listed = book.tracklets.keys() & frames[0].applied_boxes[key].values()
        _contradict(book, answer, correction, listed)
    book.rejudge(key, frames)
    return Outcome.APPLIED


def _write_change(book: TrackBook, answer: Answer, change: Change,
                  frame: Frame) -> tuple[int, int] | None:
    """Write one box into its frame, and its motion into the frames around.

    Returns its track and the stamp from which that track is replayed.
    """
    tracklet = _tracklet_of(book, answer, change)
    if tracklet is None:
        return None
    _write_motion(change, tracklet)
    frame.corrections[tracklet.id] = change.box
    if change.trajectory:
        return tracklet.id, change.trajectory.past[0].stamp_ns
    if change.track_id is None or change.restart:
        frame.states[tracklet.id] = change.start
        frame.width_states.pop(tracklet.id, None)
    else:
        frame.states[tracklet.id] = correct(
            frame.states[tracklet.id][None], as_boxes([change.box]), frame.size, book.config)[0]
    frame.coasting_s[tracklet.id] = 0.0
    return tracklet.id, frame.stamp_ns


def _tracklet_of(book: TrackBook, answer: Answer, change: Change) -> Tracklet | None:
    """Return the track of a change, begun or confirmed; None where it ended meanwhile."""
    if change.track_id is None:
        return _born(book, answer, change)
    tracklet = book.tracklets.get(change.track_id)
    if tracklet is not None:
        book.counts.recovered += tracklet.state is TrackState.LOST
        tracklet.confirm(answer.stamp_ns, change.label, change.appearance, book.config)
    return tracklet


def _write_motion(change: Change, tracklet: Tracklet) -> None:
    """Replace the measurements of a track by those of its propagated box."""
    for frame, motion in [*(change.trajectory.motions if change.trajectory else ()),
                          *change.propagated.motions]:
        frame.measurements.pop(tracklet.id, None)
        if motion is not None:
            frame.motions[tracklet.id] = motion
    tracklet.template = change.propagated.template
    for frame, measurement in change.propagated.measurements:
        frame.measurements[tracklet.id] = measurement


def _born(book: TrackBook, answer: Answer, change: Change) -> Tracklet:
    height = max(change.box[3] - change.box[1], 1.0)
    seen = objectness_ratio([measurement.sigma[3] / height
                             for _, measurement in change.propagated.measurements])
    existence = initial_existence(_unwatched_s(book, answer), book.config, seen)
    tracklet = book.add((answer.query_id, answer.epoch), change.label,
                        existence * min(max(change.score, 0.0), 1.0), answer.stamp_ns)
    tracklet.appearance = change.appearance
    return tracklet


def _unwatched_s(book: TrackBook, answer: Answer) -> float:
    """Return the seconds since the frame of the query's previous answer, inf if none is kept."""
    key = (answer.query_id, answer.epoch)
    for frame in reversed(book.history.before(answer.stamp_ns)):
        if key in frame.answered:
            return (answer.stamp_ns - frame.stamp_ns) * 1e-9
    return math.inf


def _contradict(book: TrackBook, answer: Answer, correction: Correction,
                listed: set[int]) -> None:
    """Weigh the answer against tracks it does not list, and end duplicates."""
    for track_id, visible in correction.unseen:
        if track_id in book.tracklets:
            book.tracklets[track_id].contradict(answer.stamp_ns, visible, book.config)
    for track_id in listed:
        book.tracklets[track_id].distinct_from |= listed - {track_id}
    book.remove(set(correction.duplicates) & book.tracklets.keys())
