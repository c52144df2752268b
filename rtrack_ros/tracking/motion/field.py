"""From flow points to motion: of the camera, and of each box on the spectrum that shows it.

One flow call per spectrum serves all boxes and the background together, so that cost grows slowly
with the number of tracks.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray, iou
from rtrack_ros.frames import Image8
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.compiled_corners import CompiledCornerMap
from rtrack_ros.tracking.history.corners import CornerMap
from rtrack_ros.tracking.history.frame import STILL, Affine, Motion
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion.consensus import Consensus, Sample, agree, join
from rtrack_ros.tracking.motion.flow import Flow, follow

_MIN_BACKGROUND = 10
# All boxes of a spectrum share this many points, so that a crowd costs little more than a few.
_MAX_SEEDS = 160
_MIN_SEEDS = 5
_STILL_PX = 0.12
_SAME_OBJECT_IOU = 0.6
_RIM = 0.1


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
class Expectation:
    """How each box should move relative to the background, in RGB pixels.

    Attributes:
        shift: (N, 2) shift that its velocity predicts; nan where the velocity is unknown.
        reach: (N,) distance from ``shift`` beyond which a motion is not the object's.
    """

    shift: NDArray[np.float64]
    reach: NDArray[np.float64]


class MotionSource(Protocol):
    """Measures how camera and boxes moved between two frames; ``OpticalFlow`` is one."""

    def measure_motion(self, before: Views, after: Views, boxes: BoxArray, expected: Expectation,
                       config: TrackerConfig) -> MotionField:
        """Measure how camera and boxes moved from one frame to another.

        Args:
            before: Views of the earlier frame.
            after: Views of the later frame, of the same size.
            boxes: (N, 4) in RGB pixels on the earlier frame.
            expected: What each box's velocity predicts; points that agree with it win.
            config: Tracker settings.
        """

    def measure_boxes(self, before: Views, after: Views, boxes: BoxArray, others: BoxArray,
                      expected: Expectation, camera: Affine,
                      config: TrackerConfig) -> list[Motion | None]:
        """Measure how boxes moved between two frames, None where no motion can be trusted.

        Args:
            before: Views of the earlier frame.
            after: Views of the later frame, of the same size.
            boxes: (N, 4) in RGB pixels on the earlier frame.
            others: (K, 4) further objects there, which may hide the boxes.
            expected: What each box's velocity predicts; points that agree with it win.
            camera: Background motion between the frames, 2x3, RGB pixels.
            config: Tracker settings.
        """


_Images = tuple[CornerMap | CompiledCornerMap, Image8, Image8, float]


class OpticalFlow:
    """Motion by sparse optical flow on whichever spectrum shows it; keeps no state."""

    def measure_motion(self, before: Views, after: Views, boxes: BoxArray, expected: Expectation,
                       config: TrackerConfig) -> MotionField:
        """Measure how camera and boxes moved; see ``MotionSource``."""
        scale = np.array(before.scale)
        on_view = boxes * np.tile(scale, 2)
        no_box = np.zeros((0, 4))
        images = _images(before, after)
        if config.spectra_per_frame < len(images):
            images = _in_turn(images, before, after)
        spectra = [_flow(*pair, on_view, no_box, config) for pair in images]
        camera = _camera_motion([background for background, _ in spectra])
        found = _motions([sample for _, sample in spectra], on_view, expected, scale, camera,
                         config)
        return MotionField(_camera_in_rgb_pixels(camera, scale), found)

    def measure_boxes(self, before: Views, after: Views, boxes: BoxArray, others: BoxArray,
                      expected: Expectation, camera: Affine,
                      config: TrackerConfig) -> list[Motion | None]:
        """Measure how boxes moved; see ``MotionSource``."""
        scale = np.array(before.scale)
        grown = np.tile(scale, 2)
        samples = [_flow(*images, boxes * grown, others * grown, config, background=False)[1]
                   for images in _images(before, after)]
        return _motions(samples, boxes * grown, expected, scale, _camera_on_view(camera, scale),
                        config)


def _images(before: Views, after: Views) -> list[_Images]:
    """Return the image pairs worth measuring, the corners of their first images, and their pace.

    Only what is fresh on both frames is here, and no repeated image. The pace is the time between
    the frames over that between the images.
    """
    if before.grey.shape != after.grey.shape:
        return []
    images = []
    if before.rgb_fresh and after.rgb_fresh:
        images.append((before.corners, before.grey, after.grey, 1.0))
    pace = after.thermal_pace(before)
    if before.thermal is not None and after.thermal is not None and pace > 0 \
            and not np.array_equal(before.thermal, after.thermal):
        images.append((before.thermal_corners, before.thermal, after.thermal,
                       pace))
    return images


def _in_turn(images: list[_Images], before: Views, after: Views) -> list[_Images]:
    """Return one of two image pairs, by the stamp, so that nothing needs to be remembered."""
    turn = after.stamps[0] // max(after.stamps[0] - before.stamps[0], 1)
    return [images[turn % len(images)]]


def _flow(corners: CornerMap | CompiledCornerMap, first: Image8, second: Image8, pace: float,
          boxes: BoxArray, others: BoxArray, config: TrackerConfig, background: bool = True
          ) -> tuple[Flow, Sample]:
    """Return the flow of what lies outside all boxes and the points of every box, view pixels.

    Points move by ``pace`` times what the images show: two cameras take images at other instants.
    """
    limit = min(config.points_per_box, max(_MIN_SEEDS, _MAX_SEEDS // max(len(boxes), 1)))
    hiders = np.concatenate([boxes, others])
    owner, chosen = corners.in_boxes(inner(boxes), limit, hiders, stands_before(boxes, hiders))
    around = corners.outside(boxes) if background else chosen[:0]
    # The background is not followed back: RANSAC sorts out its outliers.
    flow = follow(first, second, np.concatenate([chosen, around]), config.forward_backward_px,
                  len(chosen)).at(pace)
    still = slice(len(chosen), None)
    kept = flow.valid[still]
    return (Flow(flow.start[still][kept], flow.end[still][kept], kept[kept]),
            Sample.of(flow, owner, (len(boxes), limit)))


def stands_before(boxes: BoxArray, others: BoxArray) -> NDArray[np.bool_]:
    """Return which of ``others`` (K, 4) hide parts of which of ``boxes`` (N, 4), shape (N, K).

    On the ground the nearer of two objects reaches further down in the image. A box that nearly
    coincides is the same object, followed for another query.
    """
    one, other = boxes[:, None], others[None]
    lower = other[..., 3] > one[..., 3] + 0.02 * (one[..., 3] - one[..., 1])
    overlap = iou(boxes, others)
    return np.asarray(lower & (overlap > 0) & (overlap < _SAME_OBJECT_IOU))


def inner(boxes: BoxArray) -> BoxArray:
    """Return the boxes (N, 4) without their rims, where background shows."""
    margin = (boxes[:, 2:] - boxes[:, :2]) * _RIM
    return np.concatenate([boxes[:, :2] + margin, boxes[:, 2:] - margin], axis=1)


def _camera_motion(backgrounds: list[Flow]) -> Affine:
    """Return the similarity most background points agree on, by RANSAC; else the identity."""
    if not backgrounds:
        return STILL.copy()
    start = np.concatenate([flow.start for flow in backgrounds])
    end = np.concatenate([flow.end for flow in backgrounds])
    if len(start) < _MIN_BACKGROUND or np.median(np.abs(end - start)) < _STILL_PX:
        return STILL.copy()
    camera, inliers = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=1.0)
    if camera is None or inliers.mean() < 0.5:
        return STILL.copy()
    return np.asarray(camera, dtype=np.float64)


def _motions(samples: list[Sample], boxes: BoxArray, expected: Expectation,
             scale: NDArray[np.float64], camera: Affine,
             config: TrackerConfig) -> list[Motion | None]:
    """Return the motion of each box in RGB pixels; samples, boxes and camera in view pixels."""
    if not samples:
        return [None] * len(boxes)
    count, times = len(boxes), len(samples)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    by_camera = centres @ camera[:, :2].T + camera[:, 2] - centres
    guess, reach = by_camera + expected.shift * scale, expected.reach * scale.min()
    found = agree(Sample.stacked(samples), np.tile(centres, (times, 1)),
                  np.tile(guess, (times, 1)), np.tile(reach, times), camera, config.min_points)
    if times > 1:
        found = join(found.part(slice(count)), found.part(slice(count, None)), by_camera,
                     guess)
    return _in_rgb_pixels(found, scale)


def _in_rgb_pixels(found: Consensus, scale: NDArray[np.float64]) -> list[Motion | None]:
    shifts, sigmas = (found.shift / scale).tolist(), (found.sigma / scale.min()).tolist()
    return [Motion((x, y), growth, sigma) if known else None for (x, y), growth, sigma, known
            in zip(shifts, found.growth.tolist(), sigmas, found.known.tolist(), strict=True)]


def _camera_in_rgb_pixels(camera: Affine, scale: NDArray[np.float64]) -> Affine:
    grown = np.diag(np.append(scale, 1.0))
    full = np.linalg.inv(np.diag(scale)) @ camera @ grown
    return np.asarray(full, dtype=np.float64)


def _camera_on_view(camera: Affine, scale: NDArray[np.float64]) -> Affine:
    small = np.diag(scale) @ camera @ np.linalg.inv(np.diag(np.append(scale, 1.0)))
    return np.asarray(small, dtype=np.float64)
