"""Bridging: what two images of a slower camera say about the frames between them.

A thermal camera of 9 Hz stands beside an RGB camera of 30 Hz: two frames of three have no fresh
thermal image. Flow runs from the last fresh thermal image to the new one, over their own time.
Its motion is shared out over the frames between, which are then run again. By night, when RGB
shows nothing, tracks are thus followed at the rate of the camera all the same.

A camera that delivers late shows what was, not what is. Its image is put into the past frame that
it belongs to, and the frames since are run again from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rtrack_ros.frames import FramePair
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.delay.propagation import share_out
from rtrack_ros.tracking.delay.replay import replay
from rtrack_ros.tracking.history.frame import STILL, Affine, Frame, Motion
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.field import MotionSource
from rtrack_ros.tracking.motion.filter_step import expect

# A late thermal image belongs to a frame whose stamp is this near.
_BELONGS_NS = 20_000_000


@dataclass(frozen=True, eq=False)
class Bridge:
    """Motion over the frames between two images of one camera.

    Attributes:
        span: Frames in order, from that of the earlier image to that of the later one.
        camera: Background motion over the span, 2x3, RGB pixels; None where the frames know it.
        motions: What is known of each track, by id.
    """

    span: Sequence[Frame]
    camera: Affine | None
    motions: Mapping[int, Motion]

    def write(self, config: TrackerConfig, since: Sequence[Frame] = ()) -> None:
        """Write the motion into all frames, and run those before the last one again.

        To be called with the tracker's lock held.

        Args:
            config: Tracker settings.
            since: Frames after the last one of the span, which are run again as well.
        """
        seconds = sum(frame.dt_s for frame in self.span[1:])
        if self.camera is not None:
            for frame in self.span[1:]:
                frame.camera = STILL + (self.camera - STILL) * (frame.dt_s / seconds)
        for track_id in self.motions.keys() & self.span[0].states.keys():
            for frame, part in zip(self.span[1:], self._parts(track_id, seconds), strict=True):
                if part is not None:
                    frame.motions.setdefault(track_id, part)
        begins = dict.fromkeys(self.span[0].states, self.span[0].stamp_ns)
        replay([*self.span, *since] if since else self.span[:-1], begins, config)

    def _parts(self, track_id: int, seconds: float) -> list[Motion | None]:
        motion, place = self.motions[track_id], self.span[0].states[track_id][0, :2]
        camera = STILL if self.camera is None else self.camera
        own = place + np.array(motion.shift) - (camera[:, :2] @ place + camera[:, 2])
        return share_out(motion, own, place, self.span, seconds)


def bridge(past: Sequence[Frame], newest: Frame, source: MotionSource,
           config: TrackerConfig) -> Bridge | None:
    """Return what the thermal image of a new frame says about the frames since the one before.

    None where no frame lies between, or the thermal images are too far apart.

    Args:
        past: Frames before it, in order.
        newest: The new frame, with what was measured from the frame before to it.
        source: Measures motion.
        config: Tracker settings.
    """
    span = _since_thermal(past, newest)
    # Neighbours were measured with the frame itself.
    return None if len(span) < 3 else _over(span, source, config)


def bridge_late(past: Sequence[Frame], pair: FramePair, source: MotionSource,
                config: TrackerConfig) -> tuple[Bridge, list[Frame]] | None:
    """Return what a thermal image that came late says, and the frames since the one it belongs to.

    None where it is not late, belongs to no frame, or no thermal image came shortly before it. The
    frame that it belongs to gets it.

    Args:
        past: Frames before the new one, in order.
        pair: The new pair.
        source: Measures motion.
        config: Tracker settings.
    """
    stamp_ns = pair.thermal_stamp_ns
    if pair.thermal is None or pair.thermal_fresh or stamp_ns is None or not past:
        return None
    place = min(range(len(past)), key=lambda index: abs(past[index].stamp_ns - stamp_ns))
    frame = past[place]
    if abs(frame.stamp_ns - stamp_ns) > _BELONGS_NS or frame.views.thermal is not None \
            or frame.size != (pair.width, pair.height):
        return None
    frame.views = frame.views.with_thermal(pair.thermal, stamp_ns)
    span = _since_thermal(past[:place], frame)
    found = None if len(span) < 2 else _over(span, source, config)
    return None if found is None else (found, list(past[place + 1:]))


def _since_thermal(past: Sequence[Frame], newest: Frame) -> list[Frame]:
    """Return the frames from the last one with a thermal image to ``newest``, if it has one."""
    begin = next((index for index in range(len(past) - 1, -1, -1)
                  if past[index].views.thermal is not None), None)
    return [] if newest.views.thermal is None or begin is None else [*past[begin:], newest]


def _over(span: Sequence[Frame], source: MotionSource, config: TrackerConfig) -> Bridge | None:
    newest = span[-1]
    seconds = sum(frame.dt_s for frame in span[1:])
    if seconds > config.max_flow_gap_s or span[0].size != newest.size:
        return None
    ids, states = _unseen(span)
    field = source.measure_motion(span[0].views, newest.views, kalman.boxes_of(states),
                                  expect(states, seconds), config)
    still = all(np.array_equal(frame.camera, STILL) for frame in span[1:])
    return Bridge(span, field.camera if still else None,
                  {track_id: moved for track_id, moved in zip(ids, field.motions, strict=True)
                   if moved})


def _unseen(span: Sequence[Frame]) -> tuple[list[int], kalman.States]:
    """Return the tracks that flow did not see on all frames of a span, and their first states."""
    # Answers may write and end tracks meanwhile: every state is read once, and whole.
    known = [(track_id, span[0].states.get(track_id)) for track_id in list(span[0].states)]
    unseen = [(track_id, state) for track_id, state in known if state is not None
              and any(track_id not in frame.motions for frame in span[1:])]
    states = np.stack([state for _, state in unseen]) if unseen else np.zeros((0, 5, 4))
    return [track_id for track_id, _ in unseen], states
