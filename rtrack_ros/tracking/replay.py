"""Moving states from frame to frame, now or again.

``advance`` is the one step that both the live tracker and a replay take. ``replay`` repeats it
from an earlier frame after an answer corrected the states there, which gives what a tracker that
had the answer at once would have.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray, cover
from rtrack_ros.tracking import kalman
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history import Frame, Motion
from rtrack_ros.tracking.kalman import Affine, States
from rtrack_ros.tracking.motion import Expectation

_EDGE_PX = 2.0
# Box sizes per second: a speed less known than this is no guide to a box's motion.
_UNKNOWN_SPEED = 1.0
_UNMEASURED = 1e12
# Standard deviation of a growth from one frame to the next, as a share of the size.
_GROWTH_NOISE = 0.01
# A walker widens and narrows with every step: box sizes per square root of a second.
_LIMBS = 0.5
_LIMBS_MOST_S = 0.2
# The network's word on a width is taken so where its error is below this share of it, ...
_SURE = 0.12
# ... and no other box covers this share of the smaller of the two: it may take both for one.
_TOUCHING = 0.1


def advance(states: States, motions: Sequence[Motion | None], camera: Affine, dt_s: float,
            config: TrackerConfig) -> States:
    """Return the states (N, 5, 4) one frame later.

    Args:
        states: (N, 5, 4) on the earlier frame.
        motions: One per state, None where the box coasts.
        camera: Background motion between the frames, 2x3, RGB pixels.
        dt_s: Seconds between the frames.
        config: Tracker settings.
    """
    if len(states) == 0:
        return states
    velocity, variance = _measured_velocity(states, motions, camera, dt_s, config)
    seen = np.array([motion is not None for motion in motions])
    moved = kalman.move_camera(states, camera)
    moved = kalman.measure_velocity(moved, velocity, variance)
    keep = np.where(seen, 1.0, np.exp(-dt_s / config.coast_s))
    return kalman.predict(moved, dt_s, config.acceleration, keep)


def _measured_velocity(states: States, motions: Sequence[Motion | None], camera: Affine,
                       dt_s: float, config: TrackerConfig,
                       ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return velocity relative to the background and its variance, both (N, 4)."""
    shift = np.array([motion.shift if motion else (0.0, 0.0) for motion in motions])
    growth = np.array([motion.growth if motion else 1.0 for motion in motions])
    sigma = np.array([motion.sigma if motion else 0.0 for motion in motions])
    centres, extent = states[:, 0, :2], states[:, 0, 2:]
    zoom = float(np.sqrt(abs(np.linalg.det(camera[:, :2]))))
    with_camera = centres @ camera[:, :2].T + camera[:, 2] - centres
    moved = np.concatenate([shift - with_camera, (growth - zoom)[:, None] * extent], axis=1)
    noise = np.empty((len(states), 4))
    noise[:, :2] = (sigma ** 2 + config.flow_noise_px ** 2)[:, None]
    noise[:, 2:] = (_GROWTH_NOISE * extent) ** 2 + config.flow_noise_px ** 2
    blind = np.array([motion is None for motion in motions])
    noise[blind] = _UNMEASURED
    return moved / dt_s, noise / dt_s ** 2


def expect(states: States, dt_s: float) -> Expectation:
    """Return what velocity predicts for the next ``dt_s`` seconds, nan for newborns."""
    sigma = kalman.speed_sigma(states)
    shift = states[:, 1, :2] * dt_s
    shift[sigma > _UNKNOWN_SPEED * kalman.sizes(states)] = np.nan
    return Expectation(shift, 2 * sigma * dt_s)


def correct(states: States, boxes: BoxArray, size: tuple[int, int],
            config: TrackerConfig) -> States:
    """Return the states after an answer gave ``boxes`` (N, 4) in an image of ``size``."""
    return kalman.measure_position(states, boxes, answer_sigma(boxes, size, config) ** 2)


def answer_sigma(boxes: BoxArray, size: tuple[int, int],
                 config: TrackerConfig) -> NDArray[np.float64]:
    """Return the standard deviation in pixels of centre x, y, width and height, shape (N, 4).

    Along an axis on which the image cuts the box off, the object may be twice as large.
    """
    extent = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    centre = config.answer_noise * np.sqrt(extent.prod(axis=1)) + 1.0
    place = np.repeat(centre[:, None], 2, axis=1)
    shape = config.size_noise * extent + 1.0
    cut = (boxes[:, :2] <= _EDGE_PX) | (boxes[:, 2:] >= np.array(size) - _EDGE_PX)
    place[cut] = np.maximum(place, 0.5 * extent)[cut]
    shape[cut] = np.maximum(shape, extent)[cut]
    return np.concatenate([place, shape], axis=1)


def replay(frames: Sequence[Frame], begins: Mapping[int, int], config: TrackerConfig) -> None:
    """Run tracks again from frames on which their states are right, through all corrections since.

    The states and coasting times of the frames after are overwritten; a track's first frame holds
    its own corrections already. All tracks run in one pass, which costs little more than one.

    Args:
        frames: Consecutive frames up to the newest, from the earliest beginning on.
        begins: Stamp of the frame from which each track id runs.
        config: Tracker settings.
    """
    for before, frame in pairwise(frames):
        ids = [track_id for track_id, begin_ns in begins.items() if begin_ns <= before.stamp_ns]
        if not ids:
            continue
        motions = [frame.motions.get(track_id) for track_id in ids]
        states = advance(before.stack(ids), motions, frame.camera, frame.dt_s, config)
        states = _with_corrections(with_sights(states, frame, ids, config), frame, ids, config)
        for track_id, state in zip(ids, states, strict=True):
            frame.states[track_id] = state
        note_coasting(before, frame, ids, config)


def note_coasting(before: Frame, frame: Frame, ids: Sequence[int], config: TrackerConfig) -> None:
    """Write for how long neither flow nor network has seen the tracks ``ids`` by ``frame``."""
    for track_id in ids:
        sight = frame.sights.get(track_id)
        seen = track_id in frame.motions or (sight and sight.present >= config.sight_present)
        frame.coasting_s[track_id] = 0.0 if seen else (
            before.coasting_s.get(track_id, 0.0) + frame.dt_s)


def with_sights(states: States, frame: Frame, ids: Sequence[int],
                config: TrackerConfig) -> States:
    """Return the states (N, 5, 4) of ``ids`` after what the network saw on their frame.

    Width follows it freely where it is sure, unless another object is near enough to be taken for
    a part of this one.
    """
    rows = [row for row, track_id in enumerate(ids) if track_id in frame.sights
            and frame.sights[track_id].present >= config.sight_present]
    if rows:
        sights = [frame.sights[ids[row]] for row in rows]
        apart_s = np.array([max(sight.apart_s, 1e-3) for sight in sights])
        alike = 1 + config.sight_memory_s / apart_s
        variance = np.stack([sight.sigma for sight in sights]) ** 2 * alike[:, None]
        states = states.copy()
        seen = np.stack([sight.box for sight in sights])
        told = np.sqrt(variance[:, 2]) < _SURE * (seen[:, 2] - seen[:, 0])
        told &= ~_touching(states, frame, ids)[rows]
        step = _LIMBS * kalman.sizes(states[rows])
        states[rows, 2, 2] += told * step ** 2 * np.minimum(apart_s, _LIMBS_MOST_S)
        states[rows] = kalman.measure_position(states[rows], seen, variance)
    return states


def _touching(states: States, frame: Frame, ids: Sequence[int]) -> NDArray[np.bool_]:
    """Return which of the boxes (N,) of ``ids`` overlap another track's box on their frame."""
    others = [state for track_id, state in frame.states.items() if track_id not in ids]
    boxes = kalman.boxes_of(np.concatenate([states, *(state[None] for state in others)]))
    shared = cover(boxes[:len(states)], boxes)
    np.fill_diagonal(shared, 0.0)
    return np.asarray((shared > _TOUCHING).any(axis=1))


def _with_corrections(states: States, frame: Frame, ids: list[int],
                      config: TrackerConfig) -> States:
    rows = [row for row, track_id in enumerate(ids) if track_id in frame.corrections]
    if rows:
        boxes = np.array([frame.corrections[ids[row]] for row in rows])
        states = states.copy()
        states[rows] = correct(states[rows], boxes, frame.size, config)
    return states
