"""What a detector saw on one image, and how its boxes come onto the RGB image.

A detector names classes, not sentences. It may have looked at the RGB or the thermal image, whole
or resized. Whatever it looked at, its boxes travel as pixels of the original RGB image, as all
boxes do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtrack_ros.boxes import BoxArray, area, as_boxes, clip

Size = tuple[int, int]
"""(width, height) in pixels."""
_MIN_AREA_PX = 1.0
_MIN_DEPTH = 1e-9
_CLIP_TOLERANCE_PX = 1.0
_FAR_OUT = 0.1
MOST_WORD = 64
"""Longer class names are none: every track keeps the words that it was called."""


@dataclass(frozen=True)
class Detection:
    """One object that a detector saw.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the original RGB image.
        label: The detector's word for its class, such as 'person'; '' where it names none.
        score: The detector's confidence in [0, 1], as it says it: not calibrated.
    """

    box: tuple[float, float, float, float]
    label: str
    score: float

    def __post_init__(self) -> None:
        """Refuse a score that is no probability, NaN among them.

        Raises:
            ValueError: with the score.
        """
        if not 0 <= self.score <= 1:
            raise ValueError(f'the score of a detection lies in [0, 1]; got {self.score!r}')


@dataclass(frozen=True)
class Detections:
    """All that a detector saw on one image; nothing seen is an empty tuple.

    Attributes:
        stamp_ns: Stamp of the frame pair whose image the detector looked at, nanoseconds.
        detections: What it saw, in any order.
    """

    stamp_ns: int
    detections: tuple[Detection, ...]


@dataclass(frozen=True)
class DetectionCounts:
    """What became of the boxes of a detector on their way onto the RGB image.

    Attributes:
        kept: Boxes that go on, the clipped ones included.
        clipped: Of these, boxes that reached beyond the image by more than a pixel. Many of them
            say that the detector looks at an image of another size.
        outside: Boxes of which nothing lies on the image; dropped.
        empty: Boxes without an area of a square pixel, inverted ones included; dropped.
        not_finite: Boxes or scores with NaN or infinity; dropped.
        bad_score: Scores outside [0, 1], percentages for instance; dropped.
        far_out: Of the clipped ones, those that reached beyond the image by more than a tenth of
            its size; no detector does that with its own image.
    """

    kept: int = 0
    clipped: int = 0
    outside: int = 0
    empty: int = 0
    not_finite: int = 0
    bad_score: int = 0
    far_out: int = 0

    def __add__(self, other: 'DetectionCounts') -> 'DetectionCounts':
        return DetectionCounts(*(getattr(self, item.name) + getattr(other, item.name)
                                 for item in fields(self)))

    @property
    def dropped(self) -> int:
        """Boxes that do not go on."""
        return self.outside + self.empty + self.not_finite + self.bad_score


@dataclass(frozen=True, eq=False)
class PixelMap:
    """The way from the pixels of a detector's image to those of the original RGB image.

    Attributes:
        matrix: 3x3 homography, detector's pixels to RGB pixels.
        rgb_size: Size of the original RGB image.
    """

    matrix: NDArray[np.float64]
    rgb_size: Size

    def boxes(self, boxes: ArrayLike) -> BoxArray:
        """Return upright boxes around the mapped corners of ``boxes`` (N, 4); not clipped.

        A corner that the homography sends behind the camera makes its box NaN.
        """
        array = as_boxes(boxes)
        corners = array[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        mapped = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], axis=2)
        mapped = mapped @ self.matrix.T
        depth = mapped[..., 2:] / self.matrix[2, 2]
        points = np.where(depth > _MIN_DEPTH, mapped[..., :2] / self.matrix[2, 2]
                          / np.maximum(depth, _MIN_DEPTH), np.nan)
        return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def rgb_pixels(rgb_size: Size, seen_size: Size | None = None) -> PixelMap:
    """Return the map of boxes found on the RGB image.

    Args:
        rgb_size: Size of the original RGB image.
        seen_size: Size of the image that the detector looked at; None for the original.
    """
    return PixelMap(_scaling(seen_size or rgb_size, rgb_size), rgb_size)


def thermal_pixels(rgb_size: Size, thermal_size: Size,
                   homography: NDArray[np.float64] | None = None,
                   seen_size: Size | None = None) -> PixelMap:
    """Return the map of boxes found on the thermal image before its registration.

    It is the map by which ``intake.thermal.register_thermal`` moves the image.

    Args:
        rgb_size: Size of the original RGB image.
        thermal_size: Size of the camera's thermal image.
        homography: 3x3, thermal pixels to RGB pixels; None assumes equal fields of view.
        seen_size: Size of the image that the detector looked at; None for the camera's.

    Raises:
        ValueError: the homography is no 3x3 matrix of finite numbers, or cannot be inverted.
    """
    onto = _scaling(thermal_size, rgb_size) if homography is None else np.asarray(
        homography, dtype=np.float64)
    if onto.shape != (3, 3) or not np.isfinite(onto).all() or abs(np.linalg.det(onto)) < 1e-12:
        raise ValueError('the homography from thermal to RGB pixels must be a 3x3 matrix that '
                         f'can be inverted; got {onto.tolist()}')
    return PixelMap(onto @ _scaling(seen_size or thermal_size, thermal_size), rgb_size)


def on_rgb(boxes: ArrayLike, labels: Sequence[str], scores: ArrayLike, pixel_map: PixelMap
           ) -> tuple[tuple[Detection, ...], DetectionCounts]:
    """Return a detector's boxes as detections on the RGB image, and what was dropped.

    Args:
        boxes: (N, 4), x1, y1, x2, y2 in pixels of the detector's image.
        labels: Class name of each box; one of more than ``MOST_WORD`` characters is left out.
        scores: Confidence of each box, (N,).
        pixel_map: From the detector's pixels to RGB pixels.

    Raises:
        ValueError: there are not equally many boxes, labels and scores.
    """
    rows, sure = as_boxes(boxes), np.asarray(scores, dtype=np.float64).reshape(-1)
    if not len(rows) == len(labels) == len(sure):
        raise ValueError(f'{len(rows)} boxes, {len(labels)} labels and {len(sure)} scores do not '
                         'go together')
    with np.errstate(all='ignore'):
        mapped = pixel_map.boxes(rows)
    finite = np.isfinite(mapped).all(axis=1) & np.isfinite(sure)
    scored = finite & (sure >= 0) & (sure <= 1)
    inverted = (rows[:, 2] <= rows[:, 0]) | (rows[:, 3] <= rows[:, 1])
    solid = scored & ~inverted & (area(mapped) >= _MIN_AREA_PX)
    on_image = clip(mapped, *pixel_map.rgb_size)
    kept = solid & (area(on_image) >= _MIN_AREA_PX)
    beyond = np.abs(on_image - mapped)
    cut = kept & (beyond.max(axis=1, initial=0) > _CLIP_TOLERANCE_PX)
    far = kept & (beyond > np.tile(pixel_map.rgb_size, 2) * _FAR_OUT).any(axis=1)
    counts = DetectionCounts(
        kept=int(kept.sum()), clipped=int(cut.sum()),
        far_out=int(far.sum()), outside=int((solid & ~kept).sum()),
        empty=int((scored & ~solid).sum()), not_finite=int((~finite).sum()),
        bad_score=int((finite & ~scored).sum()))
    found = tuple(_detection(on_image[row].tolist(), labels[row], float(sure[row]))
                  for row in np.flatnonzero(kept).tolist())
    return found, counts


def _detection(box: Sequence[float], label: str, score: float) -> Detection:
    x1, y1, x2, y2 = box
    return Detection((x1, y1, x2, y2), label if len(label) <= MOST_WORD else '', score)


def _scaling(source: Size, target: Size) -> NDArray[np.float64]:
    """Return the 3x3 scaling of one image's pixels to another's.

    Raises:
        ValueError: a size is not positive.
    """
    if min(*source, *target) <= 0:
        raise ValueError(f'sizes of images are positive; got {source} and {target}')
    return np.diag([target[0] / source[0], target[1] / source[1], 1.0])
