"""Target sight: the tracker's own eye for targets that were shown in a box.

A target is whatever it is; the model may never have seen its like. So each has a correlation
filter of its own (``tracking.appearance.correlation``), learned at full resolution from the frame
on which the box was shown, and learned on while it sees the target sharply. Where it loses sight,
it looks further and further around, and believes only a peak like those it knew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray, iou
from rtrack_ros.frames import FramePair
from rtrack_ros.tracking.appearance.correlation import SHARP, CorrelationFilter, Sighting
from rtrack_ros.tracking.appearance.siamese import REACH, SIDE, Patch
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame, GivenBox, SiameseMeasurement
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.filter_step import advance
from rtrack_ros.tracking.tracklet import Tracklet

Finder = Callable[[Views, Sequence[Patch | None], BoxArray], list[SiameseMeasurement | None]]
"""``Siamese.find``, or what finds nothing where there is no network."""

_RATE: Final = 0.03
"""Share of a new look in what is learned, each frame."""
# Errors of a sighting: of the centre as shares of the box, and of the size where it is measured.
_CENTRE_NOISE, _SIZE_NOISE, _PIXEL_NOISE, _SIZE_PX = 0.06, 0.06, 0.2, 1.5
_NOT_MEASURED = 1e3
# What a patch that is blown up to twice its pixels adds to the network's errors, in those pixels.
_RESOLUTION_PX = 3.0
# The size is measured on one frame of so many.
_GROWTH_EVERY = 3
# Below this overlap an answer has moved the track away from what the filter follows.
_SAME_PLACE = 0.3
# Above this overlap the filter points where the network looked already.
_AS_EXPECTED = 0.7
# A lost target: windows tried on each frame, their distance in boxes, and the share of the usual
# sharpness that a peak needs.
_WINDOWS, _STEP, _LIKE_BEFORE = 3, 1.5, 0.3
_MEMORY = 0.1


@dataclass
class _Watched:
    """A target's filter, what it saw last, and where it looks next.

    Attributes:
        filter: The filter.
        usual: Usual sharpness.
        seen: Box of the newest sighting if the newest frame had one.
        turn: Frames so far.
        unseen: Frames since the last sighting.
        search: Offsets, in steps, of the windows to be tried while it is lost.
    """

    filter: CorrelationFilter
    usual: float = SHARP
    seen: NDArray[np.float64] | None = None
    turn: int = 0
    unseen: int = 0
    search: Iterator[tuple[int, int]] | None = None


class TargetSight:
    """Sees targets on new frames. Used by the thread of frames alone."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._last: FramePair | None = None

    def look(self, pair: FramePair, before: Frame, frame: Frame, targets: Sequence[Tracklet],
             find: Finder, config: TrackerConfig) -> None:
        """Write into a frame where its targets are seen.

        Args:
            pair: The newest pair.
            before: The frame before, with states.
            frame: The newest frame, with its motions and measurements; not yet with states.
            targets: Tracks that were shown in a box.
            find: The Siamese network.
            config: Tracker settings.
        """
        last, self._last = self._last, pair
        for track_id in self._watched.keys() - {target.id for target in targets}:
            del self._watched[track_id]
        targets = [target for target in targets if target.id in before.states]
        if last is None or last.stamp_ns != before.stamp_ns:
            # Frames went by unseen: an older sighting says nothing about the frame before.
            for known in self._watched.values():
                known.seen = None
            return
        if not targets:
            return
        states = before.stack([target.id for target in targets])
        for target, box in zip(targets, kalman.boxes_of(states), strict=True):
            self._learn(target.id, last, box)
        moved = advance(states, [frame.motions.get(target.id) for target in targets],
                        frame.camera, frame.dt_s, config)
        stayed = kalman.boxes_of(kalman.move_camera(states, frame.camera))
        for target, box, still in zip(targets, kalman.boxes_of(moved), stayed, strict=True):
            known = self._watched[target.id]
            _blur(frame, target.id)
            sighting = self._seen(known, pair, box, still)
            if sighting and not self._denied(sighting, target, box, frame, find, config):
                self._note(known, sighting, target.id, pair, frame, box, config)

    def rest(self, pair: FramePair) -> None:
        """Take a pair without looking, so that targets shown on it can be learned."""
        self._last = pair

    def _learn(self, track_id: int, pair: FramePair, box: NDArray[np.float64]) -> None:
        """Learn how a target looks on the frame before, where its track ended up."""
        known = self._watched.get(track_id)
        if known is None or (known.seen is not None
                             and iou(known.seen[None], box[None])[0, 0] < _SAME_PLACE):
            self._watched[track_id] = _Watched(CorrelationFilter(pair, box))
        elif known.seen is not None:
            known.filter.learn(pair, box, _RATE)

    def _seen(self, known: _Watched, pair: FramePair, box: NDArray[np.float64],
              still: NDArray[np.float64]) -> Sighting | None:
        """Return a sharp sighting: where the target should be, or was, else further around.

        Where it was counts too, as a shaken camera turns the speed of all things round.
        """
        known.seen, known.turn, known.unseen = None, known.turn + 1, known.unseen + 1
        for place in (box, still):
            sighting = known.filter.find(pair, place)
            if sighting.sharpness >= max(SHARP, _LIKE_BEFORE * known.usual):
                return sighting
        if known.unseen == 1:
            return None
        known.search = known.search or _spiral()
        extent = box[2:] - box[:2]
        for _ in range(_WINDOWS):
            shift = np.array(next(known.search)) * _STEP * extent
            further = known.filter.find(pair, box + np.tile(shift, 2))
            if further.sharpness >= max(1.3 * SHARP, _LIKE_BEFORE * known.usual):
                return further
        return None

    def _denied(self, sighting: Sighting, target: Tracklet, box: NDArray[np.float64],
                frame: Frame, find: Finder, config: TrackerConfig) -> bool:
        """Whether the network sees the target elsewhere; where it agrees, its place is refined.

        The network looks where the filter points. A network that sees the target in neither place
        does not know its kind, and says nothing.
        """
        least = config.siamese_min_presence
        place = _around(sighting, (box[2:] - box[:2]) / 2)
        here = there = frame.measurements.get(target.id)
        if iou(place[None], box[None])[0, 0] <= _AS_EXPECTED:
            here = _blurred(find(frame.views, [target.template], place[None])[0], frame)
        if there is not None and there.finds(least):
            here_less = here is None or not here.finds(least) or (
                here.present < there.present
                and iou(here.box[None], there.box[None])[0, 0] < _SAME_PLACE)
            if here_less:
                return bool(iou(place[None], there.box[None])[0, 0] < _SAME_PLACE)
        if here is not None and here is not there and here.finds(least):
            interval_s = frame.dt_s if there is None else there.interval_s
            frame.measurements[target.id] = replace(here, interval_s=interval_s)
        return False

    def _note(self, known: _Watched, sighting: Sighting, track_id: int, pair: FramePair,
              frame: Frame, box: NDArray[np.float64], config: TrackerConfig) -> None:
        """Write a sighting into a frame."""
        known.unseen, known.search = 0, None
        known.usual += _MEMORY * (sighting.sharpness - known.usual)
        half, sigma = (box[2:] - box[:2]) / 2, _sigma(box)
        if known.turn % _GROWTH_EVERY == 0:
            half = half * known.filter.growth(pair, _around(sighting, half))
            sigma[2:] = np.hypot(_SIZE_NOISE * 2 * half, _SIZE_PX)
        known.seen = _around(sighting, half)
        # Looks that follow each other closely share their errors.
        alike = 1 + config.siamese_correlation_s / max(frame.dt_s, 1e-3)
        frame.sightings[track_id] = GivenBox(known.seen, sigma * np.sqrt(alike))


def _blur(frame: Frame, track_id: int) -> None:
    blurred = _blurred(frame.measurements.get(track_id), frame)
    if blurred is not None:
        frame.measurements[track_id] = blurred


def _blurred(seen: SiameseMeasurement | None, frame: Frame) -> SiameseMeasurement | None:
    """Return what the network sees, less sure where its patch was blown up.

    A target of fewer pixels than the patch has is seen no better for being enlarged.
    """
    if seen is None:
        return None
    pixel = frame.size[0] / frame.views.fine.shape[1]
    extent = np.maximum(seen.box[2:] - seen.box[:2], pixel)
    blown_up = SIDE / REACH / (float(np.sqrt(extent.prod())) / pixel)
    return replace(seen, sigma=np.hypot(seen.sigma, _RESOLUTION_PX * pixel
                                        * max(0.0, min(blown_up - 1.0, 2.0))))


def _sigma(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviations of a sighting without a size, (4,) in RGB pixels."""
    extent = np.maximum(box[2:] - box[:2], 1.0)
    return np.concatenate([_CENTRE_NOISE * extent + _PIXEL_NOISE, _NOT_MEASURED * extent])


def _around(sighting: Sighting, half: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = np.array(sighting.centre)
    return np.concatenate([centre - half, centre + half])


def _spiral(rings: Sequence[int] = (1, 2, 3)) -> Iterator[tuple[int, int]]:
    """Yield the places around the origin, ring after ring, again and again."""
    while True:
        for ring in rings:
            yield from ((x, y) for x in range(-ring, ring + 1) for y in range(-ring, ring + 1)
                        if max(abs(x), abs(y)) == ring)
