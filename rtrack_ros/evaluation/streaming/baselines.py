"""The methods of the streaming benchmark: ours, and what it has to beat on the same answers."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from rtrack_ros.boxes import BoxArray, as_boxes, clip, has_area, iou
from rtrack_ros.evaluation.streaming.protocol import Array, Stream
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.association import Boxes, Candidates, associate
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.track import Track, published
from rtrack_ros.tracking.tracker import Tracker

_IOU_GATE = 0.3
_MEMORY_S = 5.0
_MISSES_TOLERATED = 1


def as_array(boxes: BoxArray, ids: list[int]) -> Array:
    """Return boxes (N, 4) with their identities, those of no area left out."""
    return tuple((identity, _box(box)) for identity, box in zip(ids, boxes, strict=True)
                 if has_area(box))


def _box(box: BoxArray) -> Box:
    x1, y1, x2, y2 = (float(edge) for edge in box)
    return x1, y1, x2, y2


class Ours:
    """This package's tracker: every pair is tracked, an answer corrects the past.

    Args:
        config: Tracker settings, None for the defaults.
        wants_partial: Whether boxes count from when they are written, not from the end of the
            answer.
    """

    def __init__(self, config: TrackerConfig | None = None, wants_partial: bool = True) -> None:
        self.wants_partial = wants_partial
        self.tracker = Tracker(config)

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Track the pair and publish the confirmed tracks, as the node does."""
        return self._published(self.tracker.step(pair, (query,)))

    def on_answer(self, answer: Answer) -> Array | None:
        """Correct the past; the next pair shows it."""
        self.tracker.apply(answer)
        return None

    @staticmethod
    def _published(tracks: list[Track]) -> Array:
        shown = published(tracks)
        return as_array(as_boxes([track.box for track in shown]), [track.id for track in shown])


class StaticBoxes:
    """The boxes of the first answer that names somebody, never moved: not tracking at all."""

    wants_partial = False

    def __init__(self) -> None:
        self._known = False

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Publish nothing new."""
        return None

    def on_answer(self, answer: Answer) -> Array | None:
        """Publish the first boxes that come, and nothing ever after."""
        if self._known or not answer.groundings:
            return None
        self._known = True
        boxes = as_boxes([grounding.box for grounding in answer.groundings])
        return as_array(boxes, list(range(1, len(boxes) + 1)))


@dataclass
class _Place:
    """Where an identity was last answered."""

    box: BoxArray
    stamp_ns: int


class Blocking:
    """The model on frame after frame, and nothing in between, as R1-Track and RTrack do it.

    An answer is published as it comes. Its boxes take over the identities of the boxes that they
    overlap most among those answered in the last 5 s, one to one, at an IoU of 0.3 or more.
    """

    wants_partial = False

    def __init__(self) -> None:
        self._places: dict[int, _Place] = {}
        self._next_id = 1

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Publish nothing new: the model is still at work."""
        return None

    def on_answer(self, answer: Answer) -> Array | None:
        """Publish the answer."""
        horizon_ns = answer.stamp_ns - int(_MEMORY_S * 1e9)
        self._places = {identity: place for identity, place in self._places.items()
                        if place.stamp_ns >= horizon_ns}
        boxes = as_boxes([grounding.box for grounding in answer.groundings])
        known = list(self._places)
        matched = match(as_boxes([self._places[identity].box for identity in known]), boxes)
        ids = []
        for index, box in enumerate(boxes):
            identity = known[matched[index]] if index in matched else self._new_id()
            self._places[identity] = _Place(box, answer.stamp_ns)
            ids.append(identity)
        return as_array(boxes, ids)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def match(known: BoxArray, boxes: BoxArray, gate: float = _IOU_GATE) -> dict[int, int]:
    """Return the index into ``known`` (N, 4) for each index into ``boxes`` (M, 4) that has one."""
    overlap = iou(known, boxes)
    rows, columns = linear_sum_assignment(overlap * (overlap >= gate), maximize=True)
    return {int(column): int(row) for row, column in zip(rows, columns, strict=True)
            if overlap[row, column] >= gate}


class PerfectMotion:
    """What could be had at best: true boxes of everybody whom an answer has named by now.

    It knows motion and meaning from the truth, where everybody will be when the next pair comes
    too, and that somebody is there from the answers alone, so that what it lacks is what delayed
    and missing answers cost any tracker.

    Args:
        stream: The recording, whose truth it reads; its instants are the stamps of its pairs.
    """

    wants_partial = True

    def __init__(self, stream: Stream) -> None:
        self._truth = stream.truth
        self._number = {stamp: index for index, stamp in enumerate(stream.instants_ns, start=1)}
        self._known: set[int] = set()

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Publish the true boxes of those who are known."""
        number = self._number.get(pair.stamp_ns)
        rows = [row for row in self._truth.get(number + 1 if number else 0, ())
                if row.id in self._known]
        return as_array(as_boxes([row.box for row in rows]), [row.id for row in rows])

    def on_answer(self, answer: Answer) -> Array | None:
        """Get to know those whom the answer's boxes lie on."""
        rows = self._truth.get(self._number.get(answer.stamp_ns, 0), [])
        boxes = as_boxes([grounding.box for grounding in answer.groundings])
        named = match(as_boxes([row.box for row in rows]), boxes)
        self._known |= {rows[index].id for index in named.values()}
        return None


@dataclass
class _Target:
    """One box of the Kalman baseline: state (5, 4) at its stamp and answers missed in a row."""

    state: kalman.States
    missed: int = 0


class KalmanOnly:
    """The model's boxes and a constant-velocity Kalman filter, without looking at the images.

    SORT (Bewley et al., ICIP 2016) on answers: the state stays at the stamp of the newest answer,
    is predicted to the next answer's stamp for matching, and is predicted to the stamp of every
    pair and ``prediction_horizon_s`` beyond for publishing, so that an answer's delay is made up
    for as far as constant velocity can. Boxes are matched as in our tracker, by overlap and then
    by distance, because seldom boxes of walkers do not overlap; appearance is left out. A box that
    two answers in a row leave out ends.

    Args:
        config: Noise of answers and motion, None for the tracker's own.
    """

    wants_partial = False

    def __init__(self, config: TrackerConfig | None = None) -> None:
        self._config = config or TrackerConfig()
        self._targets: dict[int, _Target] = {}
        self._stamp_ns = 0
        self._next_id = 1

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Publish where the boxes should be by now."""
        shown = list(self._targets)
        now_ns = pair.stamp_ns + round(self._config.prediction_horizon_s * 1e9)
        boxes = kalman.boxes_of(self._predicted(shown, now_ns))
        return as_array(clip(boxes, pair.width, pair.height), shown)

    def on_answer(self, answer: Answer) -> Array | None:
        """Correct the states at the stamp of the answer; the next pair shows it."""
        known = list(self._targets)
        states = self._predicted(known, answer.stamp_ns)
        boxes = as_boxes([grounding.box for grounding in answer.groundings])
        matched = self._matched(states, boxes)
        noise = self._noise(boxes)
        targets: dict[int, _Target] = {}
        for index, box in enumerate(boxes):
            if index in matched:
                row = matched[index]
                state = kalman.measure_position(states[row][None], box[None],
                                                noise[index][None] ** 2)[0]
                targets[known[row]] = _Target(state)
            else:
                state = kalman.new_states(box[None], noise[index][None])[0]
                targets[self._next_id] = _Target(state)
                self._next_id += 1
        for row, identity in enumerate(known):
            missed = self._targets[identity].missed + 1
            if identity not in targets and missed <= _MISSES_TOLERATED:
                targets[identity] = _Target(states[row], missed)
        self._targets, self._stamp_ns = targets, answer.stamp_ns
        return None

    def _matched(self, states: kalman.States, boxes: BoxArray) -> dict[int, int]:
        """Return the row of ``states`` for each index into ``boxes`` that has one."""
        never = np.zeros(len(states), dtype=bool)
        tracks = Candidates(kalman.boxes_of(states), kalman.position_sigma(states), never,
                            [None] * len(states), never)
        given = Boxes(boxes, [None] * len(boxes), [''] * len(boxes))
        pairs = associate(tracks, given, self._config)
        return {box: track for track, box in pairs}

    def _predicted(self, ids: list[int], stamp_ns: int) -> kalman.States:
        if not ids:
            return np.zeros((0, 5, 4))
        states = np.stack([self._targets[identity].state for identity in ids])
        dt_s = max(stamp_ns - self._stamp_ns, 0) * 1e-9
        return kalman.predict(states, dt_s, self._config.acceleration, np.ones(len(states)))

    def _noise(self, boxes: BoxArray) -> BoxArray:
        """Return the standard deviation of centre x, y, width and height, pixels, (N, 4)."""
        extent = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
        return np.concatenate([self._config.accuracy.centre_noise * extent + 1.0,
                               self._config.accuracy.size_noise * extent + 1.0], axis=1)
