"""Width model: the width of a walking person, which oscillates with every step.

Flow shows how a body comes nearer, not how far its arms and legs reach. Where the network is sure
of the width of an upright box, the filter follows it as fast as limbs move, and predicts it. The
width then has a speed of its own, which flow does not change. It stays near its usual value, so
that a box does not shrink as its object goes behind something. Once the network is no longer sure,
the width returns to that value. Amounts are our choice.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.tracking.history.frame import Frame, WidthState
from rtrack_ros.tracking.motion.kalman import States

WIDTH: Final = 2
"""Column of the width in states."""
# Seconds for which a width goes on oscillating after its last measurement: half a step.
_LASTS_S = 0.2
# Share of itself by which a width may be off its mean, and its speed in widths per second, ...
_REACH, _SPEED = 0.25, 3.0
# ... and its white acceleration in widths per second squared: it oscillates about twice a
# second.
_ACCELERATION = 20.0
# Seconds over which the usual width is the mean, and the bounds of a width as shares of it.
_USUAL_S = 1.0
_MIN, _MAX = 0.6, 1.6
# Least height over width of an upright box.
_TALL = 1.5
# Share of itself by which a width may be carried ahead.
_MAX_AHEAD = 0.25


def upright(states: States) -> NDArray[np.bool_]:
    """Return which of the boxes (N,) are as tall as that of a standing or walking person."""
    return np.asarray(states[:, 0, WIDTH + 1] > _TALL * states[:, 0, WIDTH])


def oscillating(frame: Frame, ids: Sequence[int]) -> NDArray[np.bool_]:
    """Return which widths (N,) oscillate, by the network's measurements up to a frame."""
    return np.array([track_id in frame.width_states for track_id in ids], dtype=bool)


def add_process_noise(states: States, which: NDArray[np.bool_], dt_s: float) -> States:
    """Return states (N, 5, 4) with ``dt_s`` seconds of noise on the widths of ``which``."""
    noise = which * (_ACCELERATION * states[:, 0, WIDTH]) ** 2
    noisy = states.copy()
    noisy[:, 2:, WIDTH] += noise[:, None] * np.array([dt_s ** 3 / 3, dt_s ** 2 / 2, dt_s])
    return noisy


def begin(states: States, which: NDArray[np.bool_]) -> States:
    """Return states (N, 5, 4) where the widths of ``which`` may be anywhere in their step."""
    begun = states.copy()
    extent = which * states[:, 0, WIDTH]
    begun[:, 2, WIDTH] += (_REACH * extent) ** 2
    begun[:, 4, WIDTH] += (_SPEED * extent) ** 2
    return begun


def update_width(states: States, usual: NDArray[np.float64], measured: NDArray[np.bool_],
                 before: Frame, frame: Frame, ids: Sequence[int]) -> States:
    """Write which widths oscillate on a frame, and return states (N, 5, 4) with them in bounds.

    Args:
        states: After what the network saw on ``frame``.
        usual: Widths (N,) in pixels, the usual ones of tracks that begin to oscillate.
        measured: Whether the network measured the width, (N,).
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
    """Return by how many pixels the widths (N,) of ``which`` will have grown, 0 elsewhere."""
    most = _MAX_AHEAD * states[:, 0, WIDTH]
    return np.where(which, np.clip(prediction_horizon_s * states[:, 1, WIDTH], -most, most), 0.0)
