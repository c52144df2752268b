"""Moving states from frame to frame, now or again.

``advance`` is the one step that both the live tracker and a replay take. ``replay`` repeats it
from an earlier frame after an answer corrected the states there, which gives what a tracker that
had the answer at once would have. ``measure_since`` supplies the motion of boxes nobody followed
at the time: it runs optical flow once more on the stored frames, because a newborn's box was not
among the seeds when they passed, and several frames at once show it better.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.tracking import kalman
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history import Frame, Motion, compose
from rtrack_ros.tracking.kalman import Affine, States
from rtrack_ros.tracking.motion import Expectation, measure_boxes

_MOST_MEASUREMENTS = 120
_LEAST_STRIDE = 5
# Box sizes per second by which a box's speed may change from one measurement to the next second.
_SPEED_REACH = 1.0
_SPEED_MEMORY_S = 0.1
_EDGE_PX = 2.0
# Box sizes per second: a speed less known than this is no guide to a box's motion.
_UNKNOWN_SPEED = 1.0
_UNMEASURED = 1e12
# Standard deviation of a growth from one frame to the next, as a share of the size.
_GROWTH_NOISE = 0.01


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
        states = _with_corrections(states, frame, ids, config)
        for track_id, state, motion in zip(ids, states, motions, strict=True):
            frame.states[track_id] = state
            frame.coasting_s[track_id] = 0.0 if motion else (
                before.coasting_s.get(track_id, 0.0) + frame.dt_s)


def _with_corrections(states: States, frame: Frame, ids: list[int],
                      config: TrackerConfig) -> States:
    rows = [row for row, track_id in enumerate(ids) if track_id in frame.corrections]
    if rows:
        boxes = np.array([frame.corrections[ids[row]] for row in rows])
        states = states.copy()
        states[rows] = correct(states[rows], boxes, frame.size, config)
    return states


@dataclass
class Runner:
    """A box that is being followed through stored frames.

    Attributes:
        box: x1, y1, x2, y2 in RGB pixels where it has arrived.
        speed: vx, vy there in pixels per second relative to the background, nan if unknown.
        track_id: Its track, None for a birth.
        motions: What was measured, frame by frame.
    """

    box: NDArray[np.float64]
    speed: NDArray[np.float64]
    track_id: int | None
    motions: list[tuple[Frame, Motion | None]]


def measure_since(frames: Sequence[Frame], runners: Sequence[Runner], config: TrackerConfig,
                  give_way: Callable[[], object] = bool) -> None:
    """Follow ``runners`` from the first frame, where they are, to the last.

    Flow runs over strides of several frames: from one frame to the next a walker hardly moves
    against the background, and points of the two are told apart badly. When boxes and frames are
    many the strides grow, so that the work stays bounded. A stride's motion is shared out over
    its frames. ``give_way`` is called between strides, so that a caller on another thread than
    the camera's can let a frame pass first.
    """
    if not runners:
        return
    last = len(frames) - 1
    stride = max(_LEAST_STRIDE, -(-last * len(runners) // _MOST_MEASUREMENTS))
    for begin in range(0, last, stride):
        give_way()
        _follow(frames[begin:min(begin + stride, last) + 1], runners, config)


def _standing(frame: Frame, runners: Sequence[Runner]) -> BoxArray:
    """Return the boxes of all tracks on a frame that are not followed again."""
    running = {runner.track_id for runner in runners}
    ids = [track_id for track_id in list(frame.states) if track_id not in running]
    states = [frame.states.get(track_id) for track_id in ids]
    known = [state for state in states if state is not None]
    return kalman.boxes_of(np.stack(known)) if known else np.zeros((0, 4))


def _follow(span: Sequence[Frame], runners: Sequence[Runner], config: TrackerConfig) -> None:
    """Follow all boxes over one stride."""
    seconds = sum(frame.dt_s for frame in span[1:])
    camera = compose(span[1:])
    motions: list[Motion | None] = [None] * len(runners)
    if seconds <= config.max_flow_gap_s and span[0].size == span[-1].size:
        boxes = np.array([runner.box for runner in runners])
        extent = np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0), axis=1))
        expected = Expectation(np.array([runner.speed for runner in runners]) * seconds,
                               extent * _SPEED_REACH * seconds)
        motions = measure_boxes(span[0].views, span[-1].views, boxes,
                                _standing(span[0], runners), expected, camera, config)
    for runner, motion in zip(runners, motions, strict=True):
        _carry(span, runner, motion, camera, seconds, config)


def _carry(span: Sequence[Frame], runner: Runner, motion: Motion | None, camera: Affine,
           seconds: float, config: TrackerConfig) -> None:
    """Move one box by its motion over one stride, or by its speed where that is not known."""
    box, speed = runner.box, runner.speed
    centre = (box[:2] + box[2:]) / 2
    carried = camera[:, :2] @ centre + camera[:, 2]
    if motion is None:
        speed = speed * np.exp(-seconds / config.coast_s)
        own = np.nan_to_num(speed) * seconds
    else:
        own = centre + np.array(motion.shift) - carried
        speed = _smoothed(speed, own / max(seconds, 1e-6), seconds)
    half = (box[2:] - box[:2]) * (motion.growth if motion else 1.0) / 2
    runner.box = np.concatenate([carried + own - half, carried + own + half])
    runner.speed = speed
    parts = share_out(motion, own, centre, span, seconds)
    runner.motions += list(zip(span[1:], parts, strict=True))


def _smoothed(speed: NDArray[np.float64], measured: NDArray[np.float64],
              seconds: float) -> NDArray[np.float64]:
    if not np.isfinite(speed).all():
        return measured
    share = 1.0 - np.exp(-seconds / _SPEED_MEMORY_S)
    return speed + share * (measured - speed)


def share_out(motion: Motion | None, own: NDArray[np.float64], place: NDArray[np.float64],
               span: Sequence[Frame], seconds: float) -> list[Motion | None]:
    """Share a motion over several frames out over each of them, after the camera's own motion.

    Args:
        motion: What is known of it over all frames; None shares out nothing.
        own: (2,) shift relative to the background over all frames, RGB pixels.
        place: (2,) centre on the first frame, RGB pixels.
        span: The frames, the one where the motion begins first.
        seconds: Time from the first frame to the last.
    """
    parts: list[Motion | None] = []
    for frame in span[1:]:
        share = frame.dt_s / max(seconds, 1e-6)
        following = frame.camera[:, :2] @ place + frame.camera[:, 2] + own * share
        shift = following - place
        parts.append(None if motion is None else Motion(
            (float(shift[0]), float(shift[1])), float(motion.growth ** share),
            float(motion.sigma * np.sqrt(share))))
        place = following
    return parts
