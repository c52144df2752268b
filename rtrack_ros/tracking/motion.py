"""From flow points to motion: of the camera, and of each box on the spectrum that shows it.

One flow call per spectrum serves all boxes and the background together, so that cost grows slowly
with the number of tracks.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray, iou
from rtrack_ros.frames import Image8
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.flow import CornerMap, Points, follow
from rtrack_ros.tracking.history import STILL, Motion, Views
from rtrack_ros.tracking.kalman import Affine

_LEAST_BACKGROUND = 10
# All boxes of a spectrum share this many points, so that a crowd costs little more than a few.
_MOST_SEEDS = 320
_FEWEST_SEEDS = 8
_STILL_PX = 0.12
_PIXEL_SIGMA = 0.12
_LARGEST_GROWTH = 1.15
_LEAST_REACH_PX = 0.6
_LEAST_SHARE = 0.2
_MOVING_PX = 1.0
_MOVING_SHARE = 0.3
_MARGIN_PX = 16
_SAME_OBJECT_IOU = 0.6
_LARGEST_SPREAD_PX = 1.5


@dataclass(frozen=True)
class MotionField:
    """What moved between two frames.

    Attributes:
        camera: Background motion, 2x3 similarity in RGB pixels; identity when unknown.
        motions: One per box, None where no flow can be trusted.
    """

    camera: Affine
    motions: list[Motion | None]


@dataclass(frozen=True)
class _Spectrum:
    """Flow of one spectrum: background points and the points of every box, view pixels."""

    background: tuple[Points, Points]
    boxes: list[tuple[Points, Points, float]]


@dataclass(frozen=True)
class Expectation:
    """How each box should move relative to the background, in RGB pixels.

    Attributes:
        shift: (N, 2) shift that its velocity predicts; nan where the velocity is unknown.
        reach: (N,) distance from ``shift`` beyond which a motion is somebody else's.
    """

    shift: NDArray[np.float64]
    reach: NDArray[np.float64]


def measure_motion(before: Views, after: Views, boxes: BoxArray, expected: Expectation,
                   config: TrackerConfig) -> MotionField:
    """Measure how boxes and camera moved from one frame to another.

    Args:
        before: Views of the earlier frame.
        after: Views of the later frame, of the same size.
        boxes: (N, 4) in RGB pixels on the earlier frame.
        expected: What each track's velocity predicts; points that agree with it win.
        config: Tracker settings.
    """
    scale = np.array(before.scale)
    on_view = boxes * np.concatenate([scale, scale])
    spectra = [_flow(first, second, on_view, config) for first, second in _images(before, after)]
    camera = _camera_motion(spectra)
    centres = (on_view[:, :2] + on_view[:, 2:]) / 2
    background = centres @ camera[:, :2].T + camera[:, 2] - centres
    guess = background + expected.shift * scale
    reach = expected.reach * scale.min()
    motions = []
    for index, box in enumerate(on_view):
        found = [_box_motion(box, *spectrum.boxes[index], guess[index], reach[index], camera,
                             config) for spectrum in spectra]
        merged = _merge([one for one in found if one], background[index])
        motions.append(_in_rgb_pixels(merged, scale))
    return MotionField(_camera_in_rgb_pixels(camera, scale), motions)


def measure_box(before: Views, after: Views, box: NDArray[np.float64],
                others: BoxArray, shift: NDArray[np.float64], reach: float, camera: Affine,
                config: TrackerConfig) -> Motion | None:
    """Measure how one box moved, looking only at its surroundings.

    Args:
        before: Views of the earlier frame.
        after: Views of the later frame, of the same size.
        box: x1, y1, x2, y2 in RGB pixels on the earlier frame.
        others: (K, 4) other objects on the earlier frame, which may stand before it.
        shift: Shift in RGB pixels relative to the background that is expected; nan if unknown.
        reach: Distance from ``shift`` beyond which a motion is somebody else's, RGB pixels.
        camera: Background motion between the frames, 2x3, RGB pixels.
        config: Tracker settings.
    """
    scale = np.array(before.scale)
    on_view = box * np.tile(scale, 2)
    corner, window = _surroundings(on_view, before.grey.shape, camera)
    if window is None:
        return None
    local = on_view - np.tile(corner, 2)
    hidden = occluders(on_view, others * np.tile(scale, 2)) - np.tile(corner, 2)
    to_view = np.diag(np.append(scale, 1.0))
    turn = np.diag(scale) @ camera @ np.linalg.inv(to_view)
    turn[:, 2] += turn[:, :2] @ corner - corner
    centre = (local[:2] + local[2:]) / 2
    background = turn[:, :2] @ centre + turn[:, 2] - centre
    found = []
    for first, second in _images(before, after):
        first, second = first[window], second[window]
        seeds = CornerMap(first).in_box(_core(local), config.points_per_box, hidden)
        flow = follow(first, second, seeds, config.forward_backward_px)
        share = float(flow.valid.mean()) if len(seeds) else 0.0
        found.append(_box_motion(local, flow.start[flow.valid], flow.end[flow.valid], share,
                                 background + shift * scale, reach * float(scale.min()), turn,
                                 config))
    return _in_rgb_pixels(_merge([one for one in found if one], background), scale)


def _surroundings(box: NDArray[np.float64], shape: tuple[int, ...], camera: Affine,
                  ) -> tuple[NDArray[np.float64], tuple[slice, slice] | None]:
    """Return the corner and the slices of a window around a box, None outside the image."""
    travel = float(np.abs(camera[:, 2]).max())
    margin = _MARGIN_PX + 0.5 * float(np.max(box[2:] - box[:2])) + travel
    x1, y1 = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(box[2:] + margin), (shape[1], shape[0])).astype(int)
    corner = np.array([x1, y1], dtype=np.float64)
    if x2 - x1 < _MARGIN_PX or y2 - y1 < _MARGIN_PX:
        return corner, None
    return corner, (slice(y1, y2), slice(x1, x2))


def _images(before: Views, after: Views) -> list[tuple[Image8, Image8]]:
    """Return the image pairs with news: a repeated thermal image says nothing about motion."""
    if before.grey.shape != after.grey.shape:
        return []
    images = [(before.grey, after.grey)]
    if before.thermal is not None and after.thermal is not None \
            and not np.array_equal(before.thermal, after.thermal):
        images.append((before.thermal, after.thermal))
    return images


def _flow(first: Image8, second: Image8, boxes: BoxArray, config: TrackerConfig) -> _Spectrum:
    corners = CornerMap(first)
    seeds = [corners.outside(boxes)]
    limit = min(config.points_per_box, max(_FEWEST_SEEDS, _MOST_SEEDS // max(len(boxes), 1)))
    seeds += [corners.in_box(_core(box), limit, occluders(box, boxes)) for box in boxes]
    flow = follow(first, second, np.concatenate(seeds), config.forward_backward_px)
    parts, begin = [], 0
    for seed in seeds:
        part = slice(begin, begin + len(seed))
        valid = flow.valid[part]
        share = float(valid.mean()) if len(seed) else 0.0
        parts.append((flow.start[part][valid], flow.end[part][valid], share))
        begin += len(seed)
    return _Spectrum(parts[0][:2], parts[1:])


def occluders(box: NDArray[np.float64], others: BoxArray) -> BoxArray:
    """Return the inner parts of those boxes (K, 4) that stand before ``box``.

    On the ground the nearer of two objects reaches further down in the image. A box that nearly
    coincides is the same object, followed for another query.
    """
    if len(others) == 0:
        return others
    lower = others[:, 3] > box[3] + 0.02 * (box[3] - box[1])
    touching = (others[:, :2] < box[2:]).all(axis=1) & (others[:, 2:] > box[:2]).all(axis=1)
    before = others[lower & touching]
    if len(before) == 0:
        return before
    before = before[iou([box], before)[0] < _SAME_OBJECT_IOU]
    margin = (before[:, 2:] - before[:, :2]) * 0.1
    return np.concatenate([before[:, :2] + margin, before[:, 2:] - margin], axis=1)


def _core(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the box without its rim, where background shows."""
    margin = (box[2:] - box[:2]) * 0.1
    return np.concatenate([box[:2] + margin, box[2:] - margin])


def _camera_motion(spectra: list[_Spectrum]) -> Affine:
    """Return the similarity most background points agree on, by RANSAC; else the identity."""
    if not spectra:
        return STILL.copy()
    start = np.concatenate([spectrum.background[0] for spectrum in spectra])
    end = np.concatenate([spectrum.background[1] for spectrum in spectra])
    if len(start) < _LEAST_BACKGROUND or np.median(np.abs(end - start)) < _STILL_PX:
        return STILL.copy()
    camera, inliers = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=1.0)
    if camera is None or inliers.mean() < 0.5:
        return STILL.copy()
    return np.asarray(camera, dtype=np.float64)


def _box_motion(box: NDArray[np.float64], start: Points, end: Points, share: float,
                expected: NDArray[np.float64], reach: float, camera: Affine,
                config: TrackerConfig) -> Motion | None:
    """Return the motion that one spectrum's points of a box agree on, view pixels."""
    if len(start) < config.min_points or share < 0.3:
        return None
    shifts = (end - start).astype(np.float64)
    by_camera = start @ camera[:, :2].T + camera[:, 2] - start
    chosen = _agreeing(shifts, expected, reach, by_camera)
    if chosen.sum() < config.min_points:
        return None
    start, end, shifts = start[chosen], end[chosen], shifts[chosen]
    growth = _growth(start, end)
    # A point off the centre moves by growth as well; the centre's own shift is what is left.
    centre = (box[:2] + box[2:]) / 2
    lever = (start - centre) * (growth - 1.0)
    shift = _median(shifts - lever)
    spread = float(_median(np.abs(shifts - lever - shift).ravel()))
    sigma = _PIXEL_SIGMA + 1.5 * spread / np.sqrt(len(shifts))
    return Motion((float(shift[0]), float(shift[1])), growth, sigma)


def _agreeing(shifts: NDArray[np.float64], expected: NDArray[np.float64],
              reach: float, by_camera: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose the points that move with the object, as a mask; all False when none can be told.

    Of a track with a known velocity only points within its reach count: whatever else moves in
    the box is background or an occluder, and a box without points of its own coasts. Of a track
    without one, points that move against the background win, as a box always shows some of it.
    """
    moving = _length(shifts - by_camera) > _MOVING_PX
    candidates = moving if moving.mean() >= _MOVING_SHARE else np.ones(len(shifts), dtype=bool)
    if np.isfinite(expected).all():
        candidates = _length(shifts - expected) <= _LEAST_REACH_PX + reach
        against = _length(shifts - by_camera)
        if np.linalg.norm(expected - by_camera.mean(axis=0)) > _MOVING_PX:
            candidates &= against > _MOVING_PX / 2
        if candidates.mean() < _LEAST_SHARE:
            return np.zeros(len(shifts), dtype=bool)
    middle = _median(shifts[candidates])
    distance = _length(shifts - middle)
    spread = float(_median(distance[candidates]))
    if spread > _LARGEST_SPREAD_PX:
        return np.zeros(len(shifts), dtype=bool)
    return candidates & (distance < 0.5 + 2.0 * spread)


def _growth(start: Points, end: Points) -> float:
    """Return by how much the points spread apart (Kalal et al., 2010, median flow)."""
    if len(start) < 6:
        return 1.0
    before = _length(start - _median(start))
    after = _length(end - _median(end))
    far = before > 2.0
    if far.sum() < 5:
        return 1.0
    growth = float(_median(after[far] / before[far]))
    return min(max(growth, 1 / _LARGEST_GROWTH), _LARGEST_GROWTH)


def _merge(found: list[Motion], by_camera: NDArray[np.float64]) -> Motion | None:
    """Join the spectra: weighted where they agree.

    Where they do not, the one that moves against the background is believed, as the other may see
    nothing of the object but what is around it; of two such the surer one.
    """
    if len(found) < 2:
        return found[0] if found else None
    shifts = np.array([motion.shift for motion in found])
    if np.linalg.norm(shifts[0] - shifts[1]) > 1.0:
        moving = _length(shifts - by_camera) > _MOVING_PX
        rank = [(not moves, motion.sigma) for moves, motion in zip(moving, found, strict=True)]
        return found[rank.index(min(rank))]
    first, second = found
    a, b = first.sigma ** -2, second.sigma ** -2
    mix = (shifts[0] * a + shifts[1] * b) / (a + b)
    growth = (first.growth * a + second.growth * b) / (a + b)
    return Motion((float(mix[0]), float(mix[1])), growth, float((a + b) ** -0.5))


def _in_rgb_pixels(motion: Motion | None, scale: NDArray[np.float64]) -> Motion | None:
    if motion is None:
        return None
    shift = np.array(motion.shift) / scale
    return Motion((float(shift[0]), float(shift[1])), motion.growth,
                  motion.sigma / float(scale.min()))


def _median(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Median along the first axis; a quarter of the cost of ``np.median`` on a few points."""
    ordered = np.sort(values, axis=0)
    middle = len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _length(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Euclidean length of each row (N, 2)."""
    return np.hypot(vectors[:, 0], vectors[:, 1])


def _camera_in_rgb_pixels(camera: Affine, scale: NDArray[np.float64]) -> Affine:
    grown = np.diag(np.append(scale, 1.0))
    full = np.linalg.inv(np.diag(scale)) @ camera @ grown
    return np.asarray(full, dtype=np.float64)
