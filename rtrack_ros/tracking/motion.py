"""From flow points to motion: of the camera, and of each box on the spectrum that shows it.

One flow call per spectrum serves all boxes and the background together, so that cost grows slowly
with the number of tracks.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.frames import Image8
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.flow import CornerMap, Points, follow
from rtrack_ros.tracking.history import STILL, Motion, Views
from rtrack_ros.tracking.kalman import Affine

_LEAST_BACKGROUND = 10
_STILL_PX = 0.12
_PIXEL_SIGMA = 0.12
_LARGEST_GROWTH = 1.15


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


def measure_motion(before: Views, after: Views, boxes: BoxArray, expected: NDArray[np.float64],
                   config: TrackerConfig) -> MotionField:
    """Measure how boxes and camera moved from one frame to another.

    Args:
        before: Views of the earlier frame.
        after: Views of the later frame, of the same size.
        boxes: (N, 4) in RGB pixels on the earlier frame.
        expected: (N, 2) shift in RGB pixels that each track's velocity predicts, relative to the
            background; nan where unknown. Points that agree with it win over the rest.
        config: Tracker settings.
    """
    scale = np.array(before.scale)
    on_view = boxes * np.concatenate([scale, scale])
    spectra = [_flow(first, second, on_view, config) for first, second in _images(before, after)]
    camera = _camera_motion(spectra)
    guess = _expected_on_view(on_view, expected * scale, camera)
    motions = []
    for index, box in enumerate(on_view):
        found = [_box_motion(box, *spectrum.boxes[index], guess[index], camera, config)
                 for spectrum in spectra]
        motions.append(_in_rgb_pixels(_merge([one for one in found if one]), scale))
    return MotionField(_camera_in_rgb_pixels(camera, scale), motions)


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
    seeds += [corners.in_box(_core(box), config.points_per_box) for box in boxes]
    flow = follow(first, second, np.concatenate(seeds), config.forward_backward_px)
    parts, begin = [], 0
    for seed in seeds:
        part = slice(begin, begin + len(seed))
        valid = flow.valid[part]
        share = float(valid.mean()) if len(seed) else 0.0
        parts.append((flow.start[part][valid], flow.end[part][valid], share))
        begin += len(seed)
    return _Spectrum(parts[0][:2], parts[1:])


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


def _expected_on_view(boxes: BoxArray, shift: NDArray[np.float64],
                      camera: Affine) -> NDArray[np.float64]:
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return centres @ camera[:, :2].T + camera[:, 2] - centres + shift


def _box_motion(box: NDArray[np.float64], start: Points, end: Points, share: float,
                expected: NDArray[np.float64], camera: Affine,
                config: TrackerConfig) -> Motion | None:
    """Return the motion that one spectrum's points of a box agree on, view pixels."""
    if len(start) < config.min_points or share < 0.3:
        return None
    shifts = (end - start).astype(np.float64)
    chosen = _agreeing(shifts, expected, start @ camera[:, :2].T + camera[:, 2] - start)
    if chosen is None or chosen.sum() < config.min_points:
        return None
    start, end, shifts = start[chosen], end[chosen], shifts[chosen]
    growth = _growth(start, end)
    # A point off the centre moves by growth as well; the centre's own shift is what is left.
    centre = (box[:2] + box[2:]) / 2
    lever = (start - centre) * (growth - 1.0)
    shift = np.median(shifts - lever, axis=0)
    spread = float(np.median(np.abs(shifts - lever - shift)))
    sigma = _PIXEL_SIGMA + 1.5 * spread / np.sqrt(len(shifts))
    return Motion((float(shift[0]), float(shift[1])), growth, sigma)


def _agreeing(shifts: NDArray[np.float64], expected: NDArray[np.float64],
              background: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Choose the points that move with the object, None when they cannot be told.

    Points that move as predicted win if they are a fair share. When they have vanished and the
    rest moves with the background while the object should not, something stands before it.
    """
    known = bool(np.isfinite(expected).all())
    if known:
        tolerance = 0.75 + 0.25 * float(np.linalg.norm(expected))
        near = np.linalg.norm(shifts - expected, axis=1) < tolerance
        if near.mean() >= 0.3:
            return near
    middle = np.median(shifts, axis=0)
    spread = np.linalg.norm(shifts - middle, axis=1)
    group = spread < 0.5 + 2.0 * np.median(spread)
    if np.median(spread) > 1.5:
        return None
    if known and np.linalg.norm(middle - np.median(background, axis=0)) < 0.5:
        return None
    return group


def _growth(start: Points, end: Points) -> float:
    """Return by how much the points spread apart (Kalal et al., 2010, median flow)."""
    if len(start) < 6:
        return 1.0
    before = np.linalg.norm(start - np.median(start, axis=0), axis=1)
    after = np.linalg.norm(end - np.median(end, axis=0), axis=1)
    far = before > 2.0
    if far.sum() < 5:
        return 1.0
    growth = float(np.median(after[far] / before[far]))
    return min(max(growth, 1 / _LARGEST_GROWTH), _LARGEST_GROWTH)


def _merge(found: list[Motion]) -> Motion | None:
    """Join the spectra: weighted where they agree, the surer one where they do not."""
    if len(found) < 2:
        return found[0] if found else None
    first, second = found
    apart = float(np.hypot(first.shift[0] - second.shift[0], first.shift[1] - second.shift[1]))
    if apart > 1.0:
        return min(found, key=lambda motion: motion.sigma)
    a, b = first.sigma ** -2, second.sigma ** -2
    mix = (np.array(first.shift) * a + np.array(second.shift) * b) / (a + b)
    growth = (first.growth * a + second.growth * b) / (a + b)
    return Motion((float(mix[0]), float(mix[1])), growth, float((a + b) ** -0.5))


def _in_rgb_pixels(motion: Motion | None, scale: NDArray[np.float64]) -> Motion | None:
    if motion is None:
        return None
    shift = np.array(motion.shift) / scale
    return Motion((float(shift[0]), float(shift[1])), motion.growth,
                  motion.sigma / float(scale.min()))


def _camera_in_rgb_pixels(camera: Affine, scale: NDArray[np.float64]) -> Affine:
    grown = np.diag(np.append(scale, 1.0))
    full = np.linalg.inv(np.diag(scale)) @ camera @ grown
    return np.asarray(full, dtype=np.float64)
