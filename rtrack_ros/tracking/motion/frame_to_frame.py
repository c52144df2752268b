"""The newest frame: how camera and boxes moved to it from the frame before."""

import numpy as np

from rtrack_ros.frames import FramePair
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.motion.field import MotionSource
from rtrack_ros.tracking.motion.filter_step import expect
from rtrack_ros.tracking.motion.kalman import States

# After so long without flow a track accepts any motion, as it may have turned. Earlier it would
# take the motion of its occluder.
_RESUME_AFTER_S = 0.4


def measure_newest(pair: FramePair, before: Frame | None, ids: list[int], states: States,
                   motion: MotionSource, config: TrackerConfig) -> Frame:
    """Return the frame of a new pair with its camera motion and the motion of tracks.

    Args:
        pair: The new pair.
        before: The frame before; None for the first.
        ids: Tracks to follow.
        states: Their states on ``before``, (N, 5, 4).
        motion: Measures motion between the two frames.
        config: Tracker settings.
    """
    views = Views.of(pair, config.flow_width, config.siamese_width)
    size = (pair.width, pair.height)
    if before is None:
        return Frame(pair.stamp_ns, 0.0, views, size)
    dt_s = (pair.stamp_ns - before.stamp_ns) * 1e-9
    frame = Frame(pair.stamp_ns, dt_s, views, size)
    if dt_s > config.max_flow_gap_s or size != before.size:
        return frame
    expected = expect(states, dt_s)
    expected.shift[[before.coasting_s.get(track_id, 0.0) >= _RESUME_AFTER_S
                    for track_id in ids]] = np.nan
    field = motion.measure_motion(before.views, views, kalman.boxes_of(states), expected, config)
    frame.camera = field.camera
    frame.motions = {track_id: moved for track_id, moved
                     in zip(ids, field.motions, strict=True) if moved}
    return frame
