"""Histograms of an object's appearance: colour of its upper and lower half, and warmth.

They decide between candidates that motion cannot separate, and recognise a lost object. They are
no identity: two people in grey coats have the same histograms.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.frames import Image8
from rtrack_ros.tracking.history.views import Views

Histogram = NDArray[np.float32]

# Below this mean brightness (0-255) the colours of an RGB image are noise.
_DARK = 25.0


@dataclass(frozen=True)
class Appearance:
    """Histograms that sum to 1: upper half, lower half (hue x saturation x value), thermal.

    A part is None where its image is missing or too dark.
    """

    parts: tuple[Histogram | None, Histogram | None, Histogram | None]

    def similarity(self, other: 'Appearance') -> float | None:
        """Return the mean Bhattacharyya coefficient in [0, 1] of the parts both have, or None."""
        shared = [float(np.sqrt(mine * theirs).sum())
                  for mine, theirs in zip(self.parts, other.parts, strict=True)
                  if mine is not None and theirs is not None]
        return sum(shared) / len(shared) if shared else None

    def blended(self, newer: 'Appearance', share: float) -> 'Appearance':
        """Return this appearance with ``share`` of a newer one mixed in."""
        upper, lower, thermal = (
            theirs if mine is None else mine if theirs is None
            else ((1 - share) * mine + share * theirs).astype(np.float32)
            for mine, theirs in zip(self.parts, newer.parts, strict=True))
        return Appearance((upper, lower, thermal))


def appearance_of(views: Views, box: NDArray[np.float64]) -> Appearance | None:
    """Return how ``box`` (x1, y1, x2, y2 in RGB pixels) looks inside; None if it is empty."""
    height, width = views.grey.shape
    margin = (box[2:] - box[:2]) * 0.1
    corners = np.concatenate([box[:2] + margin, box[2:] - margin]) * np.tile(views.scale, 2)
    x1, y1, x2, y2 = np.clip(np.round(corners), 0, (width, height, width, height)).astype(int)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return None
    middle = (y1 + y2) // 2
    thermal = None
    if views.thermal is not None:
        thermal = _normal(cv2.calcHist([views.thermal[y1:y2, x1:x2]], [0], None, [16], [0, 256]))
    return Appearance((_colours(views.rgb[y1:middle, x1:x2]),
                       _colours(views.rgb[middle:y2, x1:x2]), thermal))


def appearances_of(views: Views, boxes: BoxArray) -> list[Appearance | None]:
    """Return the appearance of each box (N, 4)."""
    return [appearance_of(views, box) for box in boxes]


def _colours(patch: Image8) -> Histogram | None:
    if patch.mean() < _DARK:
        return None
    hsv = cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_RGB2HSV)
    return _normal(cv2.calcHist([hsv], [0, 1, 2], None, [8, 3, 4], [0, 180, 0, 256, 0, 256]))


def _normal(counts: NDArray[np.float32]) -> Histogram:
    flat = counts.ravel()
    # A light blur over neighbouring bins would cost more than it gives at these bin widths.
    return (flat / max(float(flat.sum()), 1.0)).astype(np.float32)
