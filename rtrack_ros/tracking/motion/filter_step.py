"""The filter step: moves states from one frame to the next.

Both the live tracker and a replay (``tracking.delay.replay``) use ``update``.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.boxes import BoxArray, as_boxes, cover, iou
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Affine, Frame, GivenBox, Motion
from rtrack_ros.tracking.motion import kalman, width_model
from rtrack_ros.tracking.motion.field import Expectation
from rtrack_ros.tracking.motion.kalman import States

_EDGE_PX = 2.0
# Box sizes per second: a speed less known than this is no guide to a box's motion.
_UNKNOWN_SPEED = 1.0
_UNMEASURED = 1e12
# Standard deviation of a growth from one frame to the next, as a share of the size.
_GROWTH_NOISE = 0.01
# The network measures a width where its error is below this share of it, ...
_SURE = 0.08
# ... and no other box covers this share of the smaller of the two: it may take both for one.
_TOUCHING = 0.1
# A measurement is of another track's object if it overlaps that track's box by at least this IoU,
# and more than its own track's box.
_ANOTHERS = 0.3
# Least IoU of a measurement with what the target's own filter sees.
_AS_SIGHTED = 0.3


def update(before: Frame, frame: Frame, ids: list[int], config: TrackerConfig) -> None:
    """Write where tracks are on a frame, from where they were before it and what it measured."""
    states = before.stack(ids)
    motions, sudden = _motions(states, frame, ids)
    states = advance(states, motions, frame.camera, frame.dt_s, config,
                     width_model.oscillating(before, ids), sudden)
    states = update_from_siamese(states, before, frame, ids, config)
    states = _with_given(_with_given(states, frame.sightings, ids), frame.corrections, ids)
    frame.states.update(zip(ids, states, strict=True))
    _note_coasting(before, frame, ids, config)


def advance(states: States, motions: Sequence[Motion | None], camera: Affine, dt_s: float,
            config: TrackerConfig, oscillating: NDArray[np.bool_] | None = None,
            sudden: NDArray[np.bool_] | None = None) -> States:
    """Return the states (N, 5, 4) one frame later.

    Args:
        states: (N, 5, 4) on the earlier frame.
        motions: One per state, None where the box coasts.
        camera: Background motion between the frames, 2x3, RGB pixels.
        dt_s: Seconds between the frames.
        config: Tracker settings.
        oscillating: Which widths oscillate, (N,); None for none of them.
        sudden: Which boxes may change their speed at once, (N,); None for none of them.
    """
    if len(states) == 0:
        return states
    if oscillating is None:
        oscillating = np.zeros(len(states), dtype=bool)
    velocity, variance = _measured_velocity(states, motions, camera, dt_s, config)
    seen = np.array([motion is not None for motion in motions])
    variance[oscillating, width_model.WIDTH] = _UNMEASURED
    moved = kalman.move_camera(states, camera)
    if sudden is not None:
        surprise = np.where(sudden[:, None], (velocity - moved[:, 1])[:, :2] ** 2, 0.0)
        moved[:, 4, :2] = np.maximum(moved[:, 4, :2], surprise)
    moved = kalman.measure_velocity(moved, velocity, variance)
    keep = np.where(seen, 1.0, np.exp(-dt_s / config.coast_s))
    return width_model.add_process_noise(
        kalman.predict(moved, dt_s, config.acceleration, keep), oscillating, dt_s)


def _motions(states: States, frame: Frame, ids: Sequence[int]
             ) -> tuple[list[Motion | None], NDArray[np.bool_]]:
    """Return the motion of each track and whether it may be sudden, (N,).

    A sighting is a motion too, and a surer one than that of a few flow points. A small target on
    a shaken camera turns round from one frame to the next.
    """
    motions = [frame.motions.get(track_id) for track_id in ids]
    for row, track_id in enumerate(ids):
        sighting = frame.sightings.get(track_id)
        if sighting is not None:
            x, y = (sighting.box[:2] + sighting.box[2:]) / 2 - states[row, 0, :2]
            growth = 1.0 if (known := motions[row]) is None else known.growth
            motions[row] = Motion((float(x), float(y)), growth, float(sighting.sigma[:2].mean()))
    return motions, np.array([track_id in frame.sightings for track_id in ids], dtype=bool)


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
    """Return what velocity predicts for the next ``dt_s`` seconds, nan where it is unknown."""
    sigma = kalman.speed_sigma(states)
    shift = states[:, 1, :2] * dt_s
    shift[sigma > _UNKNOWN_SPEED * kalman.sizes(states)] = np.nan
    return Expectation(shift, 2 * sigma * dt_s)


def answer_sigma(boxes: BoxArray, size: tuple[int, int],
                 accuracy: AnswerAccuracy) -> NDArray[np.float64]:
    """Return the standard deviation in pixels of centre x, y, width and height, shape (N, 4).

    Along an axis on which the image cuts the box off, the object may be twice as large.
    """
    extent = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    centre = accuracy.centre_noise * np.sqrt(extent.prod(axis=1)) + 1.0
    place = np.repeat(centre[:, None], 2, axis=1)
    shape = accuracy.size_noise * extent + 1.0
    cut = (boxes[:, :2] <= _EDGE_PX) | (boxes[:, 2:] >= np.array(size) - _EDGE_PX)
    place[cut] = np.maximum(place, 0.5 * extent)[cut]
    shape[cut] = np.maximum(shape, extent)[cut]
    return np.concatenate([place, shape], axis=1)


def _note_coasting(before: Frame, frame: Frame, ids: Sequence[int], config: TrackerConfig) -> None:
    """Write for how long neither flow nor network has seen the tracks ``ids`` by ``frame``."""
    for track_id in ids:
        measurement = frame.measurements.get(track_id)
        seen = track_id in frame.motions or track_id in frame.sightings or (
            measurement and measurement.finds(config.siamese_min_presence))
        frame.coasting_s[track_id] = 0.0 if seen else (
            before.coasting_s.get(track_id, 0.0) + frame.dt_s)


def update_from_siamese(states: States, before: Frame, frame: Frame, ids: Sequence[int],
                config: TrackerConfig) -> States:
    """Return the states (N, 5, 4) of ``ids`` after what the network saw on their frame.

    The network repeats its errors about what stays the same, so its measurements count less the
    closer they follow each other. Arms and legs do not stay the same. Where the network is sure of
    a width, every measurement of it counts in full, and the width oscillates from then on, see
    ``width_model``; not so where another object is near enough to be taken for a part of this one.
    A measurement of another track's object does not count. This happens where one object hides
    behind the other. Nor does one that the target's own correlation filter contradicts: the
    network does not know every kind of target.
    """
    rows = [row for row, track_id in enumerate(ids) if track_id in frame.measurements
            and frame.measurements[track_id].finds(config.siamese_min_presence)]
    measured = np.zeros(len(ids), dtype=bool)
    usual = states[:, 0, width_model.WIDTH]
    boxes = _all_boxes(states, frame, ids) if rows else np.zeros((0, 4))
    seen = as_boxes([frame.measurements[ids[row]].box for row in rows])
    own = _own(seen, rows, boxes) & _as_sighted(seen, [ids[row] for row in rows], frame)
    rows, seen = [row for row, keep in zip(rows, own.tolist(), strict=True) if keep], seen[own]
    if rows:
        measurements = [frame.measurements[ids[row]] for row in rows]
        interval_s = np.array([max(measurement.interval_s, 1e-3) for measurement in measurements])
        variance = np.stack([measurement.sigma for measurement in measurements]) ** 2
        widths = seen[:, 2] - seen[:, 0]
        measured[rows] = np.sqrt(variance[:, width_model.WIDTH]) < _SURE * widths
        measured &= ~_touching(boxes, len(ids)) & width_model.upright(states)
        alike = np.repeat(1 + config.siamese_correlation_s / interval_s[:, None], 4, axis=1)
        alike[measured[rows], width_model.WIDTH] = 1.0
        states = width_model.begin(states, measured & ~width_model.oscillating(before, ids))
        states[rows] = kalman.measure_position(states[rows], seen, variance * alike)
    return width_model.update_width(states, usual, measured, before, frame, ids)


def _all_boxes(states: States, frame: Frame, ids: Sequence[int]) -> BoxArray:
    """Return the boxes of ``ids`` on their frame, then those of all other tracks there."""
    others = [state for track_id, state in frame.states.items() if track_id not in ids]
    return kalman.boxes_of(np.concatenate([states, *(state[None] for state in others)]))


def _own(seen: BoxArray, rows: Sequence[int], boxes: BoxArray) -> NDArray[np.bool_]:
    """Return which measurements, of the tracks ``rows`` of ``boxes``, show their object, (R,)."""
    others = iou(seen, boxes)
    place = np.arange(len(rows)), np.array(rows, dtype=np.intp)
    own = others[place]
    others[place] = 0.0
    another = others.max(axis=1, initial=0.0)
    return np.asarray((another < _ANOTHERS) | (another <= own))


def _as_sighted(seen: BoxArray, ids: Sequence[int], frame: Frame) -> NDArray[np.bool_]:
    """Return which measurements, of the tracks ``ids``, no sighting contradicts, (R,)."""
    return np.array([track_id not in frame.sightings
                     or iou(box[None], frame.sightings[track_id].box[None])[0, 0] >= _AS_SIGHTED
                     for box, track_id in zip(seen, ids, strict=True)], dtype=bool)


def _touching(boxes: BoxArray, count: int) -> NDArray[np.bool_]:
    """Return which of the first ``count`` boxes overlap another one."""
    shared = cover(boxes[:count], boxes)
    np.fill_diagonal(shared, 0.0)
    return np.asarray((shared > _TOUCHING).any(axis=1))


def _with_given(states: States, boxes: Mapping[int, GivenBox], ids: list[int]) -> States:
    rows = [row for row, track_id in enumerate(ids) if track_id in boxes]
    if rows:
        given = [boxes[ids[row]] for row in rows]
        states = states.copy()
        states[rows] = kalman.measure_position(
            states[rows], np.stack([item.box for item in given]),
            np.stack([item.sigma for item in given]) ** 2)
    return states
