"""Replay: corrections of past frames, run again through the motion measured since.

The result is that of a tracker that had the answer at once.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion.filter_step import update


def replay(frames: Sequence[Frame], begins: Mapping[int, int], config: TrackerConfig) -> None:
    """Run tracks again from frames with correct states, through all corrections since.

    The states and coasting times of later frames are overwritten; a track's first frame holds its
    own corrections already. All tracks run in one pass, which costs little more than one track.

    Args:
        frames: Consecutive frames up to the newest, from the earliest beginning on.
        begins: Stamp of the frame from which each track id runs.
        config: Tracker settings.
    """
    for before, frame in pairwise(frames):
        ids = [track_id for track_id, begin_ns in begins.items() if begin_ns <= before.stamp_ns]
        if ids:
            update(before, frame, ids, config)
