"""Moving states from frame to frame, now or again.

``advance`` is the one step that both the live tracker and a replay take. ``replay`` repeats it
from an earlier frame after an answer corrected the states there, which gives what a tracker that
had the answer at once would have. ``measure_since`` supplies the motion of boxes nobody followed
at the time: it runs optical flow once more, over few and wide hops, because a newborn's box was
not among the seeds when the frames passed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.tracking import kalman
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history import STILL, Frame, Motion
from rtrack_ros.tracking.kalman import Affine, States
from rtrack_ros.tracking.motion import measure_motion

_HOPS = 6
_UNMEASURED = 1e12
_COAST_NOISE = 2.0


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
    noise = np.where(seen, 1.0, _COAST_NOISE) * config.acceleration
    return kalman.predict(moved, dt_s, noise, keep)


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
    noise[:, 2:] = (0.02 * extent) ** 2 + config.flow_noise_px ** 2
    blind = np.array([motion is None for motion in motions])
    noise[blind] = _UNMEASURED
    return moved / dt_s, noise / dt_s ** 2


def correct(states: States, boxes: BoxArray, config: TrackerConfig) -> States:
    """Return the states after an answer gave ``boxes`` (N, 4)."""
    noise = answer_sigma(boxes, config) ** 2
    return kalman.measure_position(states, boxes, np.repeat(noise, 4, axis=1))


def answer_sigma(boxes: BoxArray, config: TrackerConfig) -> NDArray[np.float64]:
    """Return the standard deviation in pixels of an answer's boxes, shape (N, 1)."""
    extent = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    return np.asarray(config.answer_noise * np.sqrt(extent.prod(axis=1)) + 1.0)[:, None]


def replay(frames: Sequence[Frame], ids: list[int], config: TrackerConfig) -> None:
    """Run ``ids`` again from their states on the first frame, through all corrections since.

    The states and coasting times of the later frames are overwritten. Tracks that have no state
    on the first frame are not touched.
    """
    if not ids or not frames:
        return
    states = frames[0].stack(ids)
    coasting = [frames[0].coasting_s.get(track_id, 0.0) for track_id in ids]
    for index, frame in enumerate(frames):
        if index:
            motions = [frame.motions.get(track_id) for track_id in ids]
            states = advance(states, motions, frame.camera, frame.dt_s, config)
            coasting = [0.0 if motion else seconds + frame.dt_s
                        for motion, seconds in zip(motions, coasting, strict=True)]
        states = _with_corrections(states, frame, ids, config)
        for row, track_id in enumerate(ids):
            frame.states[track_id] = states[row]
            frame.coasting_s[track_id] = coasting[row]


def _with_corrections(states: States, frame: Frame, ids: list[int],
                      config: TrackerConfig) -> States:
    rows = [row for row, track_id in enumerate(ids) if track_id in frame.corrections]
    if rows:
        boxes = np.array([frame.corrections[ids[row]] for row in rows])
        states = states.copy()
        states[rows] = correct(states[rows], boxes, config)
    return states


def measure_since(frames: Sequence[Frame], boxes: BoxArray,
                  config: TrackerConfig) -> tuple[list[list[Motion | None]], BoxArray]:
    """Follow boxes from the first frame to the last over at most six hops.

    Args:
        frames: Consecutive frames, the first being that of the boxes.
        boxes: (N, 4) in RGB pixels on the first frame.
        config: Tracker settings.

    Returns:
        For each frame but the first, one motion per box (a hop is shared out evenly over its
        frames, after the camera's own motion), and the boxes on the last frame.
    """
    last = len(frames) - 1
    stops = sorted({round(float(stop)) for stop in np.linspace(0, last, min(last, _HOPS) + 1)})
    motions: list[list[Motion | None]] = []
    boxes = boxes.copy()
    speed = np.full((len(boxes), 2), np.nan)
    for begin, end in zip(stops, stops[1:], strict=False):
        between = frames[begin + 1:end + 1]
        seconds = sum(frame.dt_s for frame in between)
        if seconds > config.max_flow_gap_s:
            field: list[Motion | None] = [None] * len(boxes)
        else:
            field = measure_motion(frames[begin].views, frames[end].views, boxes,
                                   speed * seconds, config).motions
        boxes, speed = _hop(boxes, speed, field, between, seconds, motions)
    return motions, boxes


def _hop(boxes: BoxArray, speed: NDArray[np.float64], field: list[Motion | None],
         between: Sequence[Frame], seconds: float, motions: list[list[Motion | None]],
         ) -> tuple[BoxArray, NDArray[np.float64]]:
    """Share one hop's motion out over its frames; returns boxes and speeds after it."""
    centres, extent = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    by_camera = _compose(between)
    carried = centres @ by_camera[:, :2].T + by_camera[:, 2]
    own = np.array([np.array(motion.shift) - (moved - centre) if motion else (0.0, 0.0)
                    for motion, moved, centre in zip(field, carried, centres, strict=True)])
    seen = np.array([motion is not None for motion in field])
    own[~seen] = np.nan_to_num(speed[~seen] * seconds)
    speed = np.where(seen[:, None], own / max(seconds, 1e-6), speed)
    grown = np.array([motion.growth if motion else 1.0 for motion in field])
    parts = len(between)
    place = centres
    for frame in between:
        share = frame.dt_s / max(seconds, 1e-6)
        following = place @ frame.camera[:, :2].T + frame.camera[:, 2] + own * share
        shift = following - place
        motions.append([
            Motion((float(shift[row, 0]), float(shift[row, 1])),
                   float(motion.growth ** share), motion.sigma / np.sqrt(parts))
            if motion else None for row, motion in enumerate(field)])
        place = following
    half = extent * grown[:, None] / 2
    return np.concatenate([place - half, place + half], axis=1), speed


def _compose(frames: Sequence[Frame]) -> Affine:
    """Return the camera motion over several frames."""
    total = np.eye(3)
    for frame in frames:
        total = np.vstack([frame.camera, [0.0, 0.0, 1.0]]) @ total
    return total[:2] if frames else STILL
