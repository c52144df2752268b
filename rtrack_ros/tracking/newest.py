"""The newest frame: how camera and boxes moved to it, seen over the last few frames."""

from collections.abc import Sequence

import cv2
import numpy as np

from rtrack_ros.frames import FramePair
from rtrack_ros.tracking import kalman
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history import Frame, Views, compose
from rtrack_ros.tracking.kalman import Affine, States
from rtrack_ros.tracking.motion import Span, measure_motion
from rtrack_ros.tracking.replay import expect

BASE_S = 0.15
"""Motion of boxes is measured over so many seconds, in which a walker moves several pixels."""

# A track without flow for so long takes any motion on: it may have turned. Sooner it would take
# that of what hides it.
_RESUME_AFTER_S = 0.4


def measure_newest(pair: FramePair, recent: Sequence[Frame], ids: list[int], states: States,
                   config: TrackerConfig) -> Frame:
    """Return the frame of a new pair with its camera motion and the motion of tracks.

    Args:
        pair: The new pair.
        recent: The newest frames, from where the base of motion begins; none before the first.
        ids: Tracks to follow.
        states: Their states on the last of ``recent``, (N, 5, 4).
        config: Tracker settings.
    """
    views = Views.of(pair, config.flow_width)
    size = (pair.width, pair.height)
    if not recent:
        return Frame(pair.stamp_ns, 0.0, views, size)
    before = recent[-1]
    dt_s = (pair.stamp_ns - before.stamp_ns) * 1e-9
    frame = Frame(pair.stamp_ns, dt_s, views, size)
    if dt_s > config.max_flow_gap_s or size != before.size:
        return frame
    to_before = compose(recent[1:])
    earlier_s = (before.stamp_ns - recent[0].stamp_ns) * 1e-9
    expected = expect(states, earlier_s + dt_s)
    expected.shift[[before.coasting_s.get(track_id, 0.0) >= _RESUME_AFTER_S
                    for track_id in ids]] = np.nan
    span = Span(recent[0].views, before.views, views, to_before, dt_s / (earlier_s + dt_s))
    field = measure_motion(span, kalman.boxes_of(earlier(states, to_before, earlier_s)),
                           kalman.boxes_of(states), expected, config)
    frame.camera = field.camera
    frame.motions = {track_id: motion for track_id, motion
                     in zip(ids, field.motions, strict=True) if motion}
    return frame


def earlier(states: States, camera: Affine, seconds: float) -> States:
    """Return where states (N, 5, 4) were before, by their velocity and the camera's motion since.

    The states kept with the frame of that time may not know the newest answer yet.

    Args:
        states: (N, 5, 4).
        camera: Background motion from then to the states' time, 2x3, RGB pixels.
        seconds: Time from then to the states' time.
    """
    before = states.copy()
    before[:, 0, :2] -= states[:, 1, :2] * seconds
    back = cv2.invertAffineTransform(camera)
    return kalman.move_camera(before, np.asarray(back, dtype=np.float64))
