"""Propagation: boxes of an answer, followed through the stored frames to now.

A new object was not followed when the frames came, and a track that slid off its object was
followed elsewhere. So optical flow runs again, over strides of several frames, which show motion
better. The Siamese network looks for the object at the end of each stride.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.tracking.appearance.siamese import Patch, Siamese
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import (
    Affine,
    Frame,
    Motion,
    SiameseMeasurement,
    compose_affine,
)
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.field import Expectation, MotionSource

# By how much a box's speed may change between measurements, in box sizes per second.
_SPEED_REACH = 1.0
_SPEED_MEMORY_S = 0.1


@dataclass
class PropagatedBox:
    """A box that is being followed through stored frames.

    Attributes:
        box: x1, y1, x2, y2 in RGB pixels where it has arrived.
        speed: vx, vy there in pixels per second relative to the background, nan if unknown.
        track_id: Its track, None for a birth.
        template: Its patch on the frame of the answer, None where it lies outside the image.
        motions: What was measured, frame by frame.
        measurements: Where the network saw it, on some of the frames.
    """

    box: NDArray[np.float64]
    speed: NDArray[np.float64]
    track_id: int | None
    template: Patch | None
    motions: list[tuple[Frame, Motion | None]] = field(default_factory=list)
    measurements: list[tuple[Frame, SiameseMeasurement]] = field(default_factory=list)


class Propagator:
    """Follows boxes through stored frames. Used by the thread of answers alone.

    Flow runs over strides of several frames. From one frame to the next a walker hardly moves
    against the background, and points of the two are hard to separate. With many boxes and frames
    the strides grow, so the work stays bounded. A stride's motion is shared out over its frames.

    Args:
        motion: Measures motion between two frames.
        min_stride: Fewest frames of a stride.
        max_measurements: Most measurements of one call, boxes times strides.
    """

    def __init__(self, motion: MotionSource, min_stride: int = 5,
                 max_measurements: int = 120) -> None:
        self._motion = motion
        self._min_stride, self._max_measurements = min_stride, max_measurements
        self._siamese: Siamese | None = None

    def prepare(self, config: TrackerConfig) -> None:
        """Load the Siamese network if the settings want it, so that no answer waits for that."""
        if config.siamese_per_frame and self._siamese is None:
            self._siamese = Siamese()

    def propagate(self, frames: Sequence[Frame], propagated: Sequence[PropagatedBox],
                  config: TrackerConfig, give_way: Callable[[], object] = bool) -> None:
        """Follow boxes from the first frame, where they are, to the last.

        Args:
            frames: Consecutive frames.
            propagated: The boxes; they are changed.
            config: Tracker settings.
            give_way: Called between strides; may wait for something more urgent.
        """
        if not propagated:
            return
        last = len(frames) - 1
        stride = max(self._min_stride, -(-last * len(propagated) // self._max_measurements))
        begin = 0
        while begin < last:
            give_way()
            end = _end_of_stride(frames, begin, stride)
            span, begin = frames[begin:end + 1], end
            self._follow(span, propagated, config)
            if config.siamese_per_frame and self._siamese:
                _redetect(span, propagated, self._siamese, config)

    def _follow(self, span: Sequence[Frame], propagated: Sequence[PropagatedBox],
                config: TrackerConfig) -> None:
        """Follow all boxes over one stride."""
        seconds = sum(frame.dt_s for frame in span[1:])
        camera = compose_affine(span[1:])
        motions: list[Motion | None] = [None] * len(propagated)
        if seconds <= config.max_flow_gap_s and span[0].size == span[-1].size:
            boxes = np.array([item.box for item in propagated])
            extent = np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0), axis=1))
            expected = Expectation(np.array([item.speed for item in propagated]) * seconds,
                                   extent * _SPEED_REACH * seconds)
            motions = self._motion.measure_boxes(
                span[0].views, span[-1].views, boxes, _standing(span[0], propagated), expected,
                camera, config)
        for item, motion in zip(propagated, motions, strict=True):
            _carry(span, item, motion, camera, seconds, config)


def _end_of_stride(frames: Sequence[Frame], begin: int, stride: int) -> int:
    """Return the last frame of a stride, one with a fresh thermal image where there is one."""
    last = min(begin + stride, len(frames) - 1)
    return next((index for index in range(last, begin, -1)
                 if frames[index].views.thermal is not None), last)


def _redetect(span: Sequence[Frame], propagated: Sequence[PropagatedBox], siamese: Siamese,
              config: TrackerConfig) -> None:
    """Look for all objects at their propagated boxes, and correct the boxes of those found."""
    frame, seconds = span[-1], sum(step.dt_s for step in span[1:])
    measurements = siamese.find(frame.views, [item.template for item in propagated],
                                np.stack([item.box for item in propagated]))
    for item, measurement in zip(propagated, measurements, strict=True):
        if measurement:
            item.measurements.append((frame, replace(measurement, interval_s=seconds)))
        if measurement and measurement.finds(config.siamese_min_presence):
            item.box = measurement.box


def _standing(frame: Frame, propagated: Sequence[PropagatedBox]) -> BoxArray:
    """Return the boxes of all tracks on a frame that are not followed again."""
    followed = {item.track_id for item in propagated}
    ids = [track_id for track_id in list(frame.states) if track_id not in followed]
    states = [frame.states.get(track_id) for track_id in ids]
    known = [state for state in states if state is not None]
    return kalman.boxes_of(np.stack(known)) if known else np.zeros((0, 4))


def _carry(span: Sequence[Frame], item: PropagatedBox, motion: Motion | None, camera: Affine,
           seconds: float, config: TrackerConfig) -> None:
    """Move one box by its motion over one stride, or by its speed where that is not known."""
    box, speed = item.box, item.speed
    centre = (box[:2] + box[2:]) / 2
    carried = camera[:, :2] @ centre + camera[:, 2]
    if motion is None:
        speed = speed * np.exp(-seconds / config.coast_s)
        own = np.nan_to_num(speed) * seconds
    else:
        own = centre + np.array(motion.shift) - carried
        speed = _smoothed(speed, own / max(seconds, 1e-6), seconds)
    half = (box[2:] - box[:2]) * (motion.growth if motion else 1.0) / 2
    item.box = np.concatenate([carried + own - half, carried + own + half])
    item.speed = speed
    parts = share_out(motion, own, centre, span, seconds)
    item.motions += list(zip(span[1:], parts, strict=True))


def _smoothed(speed: NDArray[np.float64], measured: NDArray[np.float64],
              seconds: float) -> NDArray[np.float64]:
    if not np.isfinite(speed).all():
        return measured
    share = 1.0 - np.exp(-seconds / _SPEED_MEMORY_S)
    return speed + share * (measured - speed)


def share_out(motion: Motion | None, own: NDArray[np.float64], place: NDArray[np.float64],
              span: Sequence[Frame], seconds: float) -> list[Motion | None]:
    """Share a motion over several frames out over each of them, after the camera's own motion.

    Args:
        motion: What is known of it over all frames; None shares out nothing.
        own: (2,) shift relative to the background over all frames, RGB pixels.
        place: (2,) centre on the first frame, RGB pixels.
        span: The frames, the one where the motion begins first.
        seconds: Time from the first frame to the last.
    """
    parts: list[Motion | None] = []
    for frame in span[1:]:
        share = frame.dt_s / max(seconds, 1e-6)
        following = frame.camera[:, :2] @ place + frame.camera[:, 2] + own * share
        shift = following - place
        parts.append(None if motion is None else Motion(
            (float(shift[0]), float(shift[1])), float(motion.growth ** share),
            float(motion.sigma * np.sqrt(share))))
        place = following
    return parts
