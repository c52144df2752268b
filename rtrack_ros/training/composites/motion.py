"""How a labelled person moves, read from the boxes of the seconds around."""

from dataclasses import dataclass

import numpy as np

from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.training.shards.frames import FACINGS

FPS = 30.0
_WINDOW = 16
"""Frames before and after that are looked at."""
_MOVING = 0.15
"""Body heights per second from which a person is said to move: 0.25 m/s, as in the simulation."""


@dataclass(frozen=True)
class Motion:
    """Index into ``FACINGS``, -1 where it is not clear, and whether the person moves."""

    facing: int
    moving: bool


def motion_of(row: MotRow, labels: MotFrames, width: int) -> Motion:
    """Return how the person of a row moves.

    The speed across the picture is that of the feet, in body heights; towards the camera it is
    the growth of the box times the distance in body heights, for a focal length of one picture
    width.

    Args:
        row: The box in question.
        labels: All boxes of the clip.
        width: Picture width in pixels.
    """
    around = [other for frame in range(row.frame - _WINDOW, row.frame + _WINDOW + 1)
              for other in labels.get(frame, ()) if other.id == row.id]
    if len(around) < 3:
        return Motion(-1, False)
    seconds = np.array([other.frame for other in around]) / FPS
    box = np.array([other.box for other in around])
    height = row.box[3] - row.box[1]
    across = float(np.polyfit(seconds, (box[:, 0] + box[:, 2]) / 2, 1)[0]) / height
    growth = float(np.polyfit(seconds, np.log(box[:, 3] - box[:, 1]), 1)[0])
    nearer = growth * width / height if height > width / 6 else 0.0
    if max(abs(across), abs(nearer)) < _MOVING:
        return Motion(-1, False)
    if abs(across) >= 0.7 * abs(nearer):
        return Motion(FACINGS.index('left' if across < 0 else 'right'), True)
    return Motion(FACINGS.index('near' if nearer > 0 else 'far'), True)
