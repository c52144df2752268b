"""Constant-velocity Kalman filter of many boxes at once, with dt in seconds.

The state of one box is an array of shape (5, 4): rows position p, velocity v and the covariances
Ppp, Ppv, Pvv; columns centre x, centre y, width, height, in pixels of the original RGB image. The
four columns are filtered independently, and x and y share one noise; a rotation of the camera then
leaves the covariance as it is, and every operation is elementwise over a batch (N, 5, 4).

Velocity is relative to the background. Optical flow enters as a measurement of velocity before
the prediction, an answer as a measurement of position (Kalman, 1960).
"""

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.tracking.history.frame import Affine

States = NDArray[np.float64]

_MIN_SIZE_PX = 2.0
_PLAUSIBLE = 2.0
# How fast flow slides off its object: box sizes per square root of a second.
_DRIFT = 0.05
# Box sizes per second by which a new object may move and grow.
_FIRST_SPEED = np.array([2.0, 2.0, 0.2, 0.2])
# Distance of the centres of two boxes that overlap by half, in box sizes.
_OVERLAP_DISTANCE = 1 / 3
# Sizes change more slowly than places: variance relative to that of the centre.
_SIZE_NOISE = np.array([1.0, 1.0, 0.04, 0.04])


def new_states(boxes: BoxArray, noise: NDArray[np.float64]) -> States:
    """Return states at rest, shape (N, 5, 4), for boxes (N, 4).

    ``noise`` (N, 4) is the standard deviation of centre x, y, width and height in pixels. That of
    the speed is two box sizes per second.
    """
    states = np.zeros((len(boxes), 5, 4))
    states[:, 0, :2] = (boxes[:, :2] + boxes[:, 2:]) / 2
    states[:, 0, 2:] = boxes[:, 2:] - boxes[:, :2]
    states[:, 2] = noise ** 2
    states[:, 4] = (sizes(states)[:, None] * _FIRST_SPEED) ** 2
    return states


def boxes_of(states: States) -> BoxArray:
    """Return the boxes (N, 4) as x1, y1, x2, y2."""
    half = np.maximum(states[:, 0, 2:], _MIN_SIZE_PX) / 2
    return np.concatenate([states[:, 0, :2] - half, states[:, 0, :2] + half], axis=1)


def sizes(states: States) -> NDArray[np.float64]:
    """Return the geometric mean of width and height of each box, pixels, shape (N,)."""
    return np.sqrt(np.prod(np.maximum(states[:, 0, 2:], _MIN_SIZE_PX), axis=1))


def position_sigma(states: States) -> NDArray[np.float64]:
    """Return the standard deviation of the centre in pixels, shape (N,)."""
    return np.sqrt(np.mean(states[:, 2, :2], axis=1))


def located(states: States) -> NDArray[np.float64]:
    """Return the probability that each box overlaps its object by half, shape (N,).

    Two boxes of one size overlap by half when their centres lie less than a third of the size
    apart, counted along both axes. The distance of a centre that is normal on both axes has a
    Rayleigh distribution.
    """
    extent = np.maximum(states[:, 0, 2:], _MIN_SIZE_PX)
    spread = np.maximum((states[:, 2, :2] / extent ** 2).sum(axis=1), 1e-9)
    return np.asarray(-np.expm1(-_OVERLAP_DISTANCE ** 2 / spread))


def speed_sigma(states: States) -> NDArray[np.float64]:
    """Return the standard deviation of the centre's velocity in pixels per second, shape (N,)."""
    return np.sqrt(np.mean(states[:, 4, :2], axis=1))


def move_camera(states: States, camera: Affine) -> States:
    """Return the states seen after the camera moved.

    Args:
        states: (N, 5, 4).
        camera: 2x3 similarity from the previous image to this one, pixels.
    """
    moved = states.copy()
    turn = camera[:, :2]
    scale = float(np.sqrt(abs(np.linalg.det(turn))))
    moved[:, 0, :2] = states[:, 0, :2] @ turn.T + camera[:, 2]
    moved[:, 1, :2] = states[:, 1, :2] @ turn.T
    moved[:, :2, 2:] *= scale
    moved[:, 2:] *= scale ** 2
    return moved


def measure_velocity(states: States, velocity: NDArray[np.float64],
                     variance: NDArray[np.float64]) -> States:
    """Return the states after measuring velocity; all arguments (N, ., 4), per second."""
    return _update(states, velocity - states[:, 1], states[:, 4] + variance, row=1)


def measure_position(states: States, boxes: BoxArray,
                     variance: NDArray[np.float64]) -> States:
    """Return the states after an answer gave ``boxes`` (N, 4) with ``variance`` (N, 4) px^2.

    An answer may contradict the state by more than two standard deviations, as the filter does
    not notice when its box slides off the object. The state's own covariance is then raised to
    make the answer plausible (strong tracking filter, Zhou and Frank, 1996).
    """
    measured = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2,
                               boxes[:, 2:] - boxes[:, :2]], axis=1)
    innovation = measured - states[:, 0]
    doubted = states.copy()
    doubted[:, 2] = np.maximum(states[:, 2], innovation ** 2 / _PLAUSIBLE ** 2 - variance)
    return _update(doubted, innovation, doubted[:, 2] + variance, row=0)


def _update(states: States, innovation: NDArray[np.float64], spread: NDArray[np.float64],
            row: int) -> States:
    """Standard Kalman update where ``row`` (0 position, 1 velocity) was measured."""
    p_with, v_with = (2, 3) if row == 0 else (3, 4)
    gain_p, gain_v = states[:, p_with] / spread, states[:, v_with] / spread
    updated = np.empty_like(states)
    updated[:, 0] = states[:, 0] + gain_p * innovation
    updated[:, 1] = states[:, 1] + gain_v * innovation
    updated[:, 2] = states[:, 2] - gain_p * states[:, p_with]
    updated[:, 3] = states[:, 3] - gain_p * states[:, v_with]
    updated[:, 4] = states[:, 4] - gain_v * states[:, v_with]
    updated[:, 0, 2:] = np.maximum(updated[:, 0, 2:], _MIN_SIZE_PX)
    return updated


def predict(states: States, dt_s: float, acceleration: float,
            keep: NDArray[np.float64]) -> States:
    """Return the states ``dt_s`` seconds later.

    Args:
        states: (N, 5, 4).
        dt_s: Seconds since the states' time.
        acceleration: White acceleration in box sizes per second squared.
        keep: Share of the velocity that is left after ``dt_s``, shape (N,); 1 is constant
            velocity, less is a box that coasts to rest.
    """
    noise = (acceleration * sizes(states)) ** 2
    per_axis = noise[:, None] * _SIZE_NOISE
    later = np.empty_like(states)
    damping = keep[:, None]
    step = dt_s * (1 + damping) / 2
    later[:, 1] = states[:, 1] * damping
    later[:, 0] = states[:, 0] + states[:, 1] * step
    drift = (_DRIFT * sizes(states)[:, None]) ** 2 * dt_s
    later[:, 2] = (drift + states[:, 2] + 2 * step * states[:, 3] + step ** 2 * states[:, 4]
                   + per_axis * dt_s ** 3 / 3)
    later[:, 3] = damping * (states[:, 3] + step * states[:, 4]) + per_axis * dt_s ** 2 / 2
    later[:, 4] = damping ** 2 * states[:, 4] + per_axis * dt_s
    later[:, 0, 2:] = np.maximum(later[:, 0, 2:], _MIN_SIZE_PX)
    return later
