"""A walker's width, which oscillates with every step.

Flow shows how a body comes nearer, not how far its arms and legs reach. Where the network is sure
of the width of who stands upright, that is therefore followed as fast as limbs swing, with a speed
of its own which flow has no say in, and foretold. It keeps about what is usual for it, so that
nobody dwindles on his way behind something; once the network is no longer sure, it is that again.
Amounts are our choice.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.tracking.history.frame import Frame, WidthState
from rtrack_ros.tracking.motion.kalman import States

WIDTH: Final = 2
"""Column of the width in states."""
# Seconds for which a width goes on oscillating after the network has last told it: half a step.
_LASTS_S = 0.2
# By how much of itself a width may have swung, and the widths per second at which it may, ...
_REACH, _SPEED = 0.25, 3.0
# ... and its white acceleration in widths per second squared: it oscillates about twice a
# second.
_ACCELERATION = 20.0
# Seconds over which the usual width is the mean, and how far a swing goes from it.
_USUAL_S = 1.0
_MIN, _MAX = 0.6, 1.6
# Heights of who walks over widths.
_TALL = 1.5
# Share of the width by which it may be carried ahead.
_MAX_AHEAD = 0.25


def upright(states: States) -> NDArray[np.bool_]:
    """Return which of the boxes (N,) are as tall as those of who stands or walks."""
    return np.asarray(states[:, 0, WIDTH + 1] > _TALL * states[:, 0, WIDTH])


def oscillating(frame: Frame, ids: Sequence[int]) -> NDArray[np.bool_]:
    """Return whose width (N,) oscillates, by what the network told until a frame."""
    return np.array([track_id in frame.width_states for track_id in ids], dtype=bool)


def add_process_noise(states: States, which: NDArray[np.bool_], dt_s: float) -> States:
    """Return states (N, 5, 4) whose widths may have swung for ``dt_s`` seconds where ``which``."""
    noise = which * (_ACCELERATION * states[:, 0, WIDTH]) ** 2
    swung = states.copy()
    swung[:, 2:, WIDTH] += noise[:, None] * np.array([dt_s ** 3 / 3, dt_s ** 2 / 2, dt_s])
    return swung


def begin(states: States, which: NDArray[np.bool_]) -> States:
    """Return states (N, 5, 4) of which those of ``which`` may be anywhere in their swing."""
    begun = states.copy()
    extent = which * states[:, 0, WIDTH]
    begun[:, 2, WIDTH] += (_REACH * extent) ** 2
    begun[:, 4, WIDTH] += (_SPEED * extent) ** 2
    return begun


def update_width(states: States, usual: NDArray[np.float64], measured: NDArray[np.bool_],
                 before: Frame, frame: Frame, ids: Sequence[int]) -> States:
    """Write whose widths swing by a frame, and return states (N, 5, 4) that swing no farther.

    Args:
        states: After what the network saw on ``frame``.
        usual: Widths (N,) that would be usual of who begins to swing, pixels.
        measured: Whose width the network told, (N,).
        before: The frame before.
        frame: Gets ``width_states``.
        ids: The tracks.
    """
    settled = states.copy()
    for row, track_id in enumerate(ids):
        frame.width_states.pop(track_id, None)
        last = before.width_states.get(track_id)
        if last is None and not measured[row]:
            continue
        motion = frame.motions.get(track_id)
        mean = usual[row] if last is None else last.usual * (motion.growth if motion else 1.0)
        unmeasured_s = 0.0 if measured[row] or last is None else last.unmeasured_s + frame.dt_s
        if unmeasured_s > _LASTS_S:
            settled[row, :, WIDTH] = mean, 0.0, (_REACH * mean) ** 2, 0.0, 0.0
            continue
        width = states[row, 0, WIDTH]
        kept = float(np.clip(width, _MIN * mean, _MAX * mean))
        if kept != width:
            settled[row, :2, WIDTH] = kept, 0.0
        mean += -np.expm1(-frame.dt_s / _USUAL_S) * (kept - mean)
        frame.width_states[track_id] = WidthState(mean, unmeasured_s)
    return settled


def growth_ahead(states: States, which: NDArray[np.bool_],
                 prediction_horizon_s: float) -> NDArray[np.float64]:
    """Return by how many pixels the widths (N,) of those that swing will have grown."""
    most = _MAX_AHEAD * states[:, 0, WIDTH]
    return np.where(which, np.clip(prediction_horizon_s * states[:, 1, WIDTH], -most, most), 0.0)
