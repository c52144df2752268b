"""The colour word of a person's upper clothes, where pixels allow one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8
from rtrack_ros.training.shards.frames import COLOURS

_HUES: dict[str, tuple[int, int]] = {
    'red': (172, 8), 'yellow': (22, 34), 'green': (40, 85), 'blue': (98, 128)}
"""Hue of OpenCV, 0 to 179; orange lies too close to brown and skin to be named safely."""


def name_colour(rgb: Image8, mask: Image8, box: tuple[int, int, int, int]) -> int:
    """Return the index in ``COLOURS`` of most of the torso, -1 where no word is clear.

    Args:
        rgb: uint8 (h, w, 3).
        mask: uint8 (h, w), 1 on the person.
        box: Extent of the person, x1, y1, x2, y2 in pixels.
    """
    top, height = box[1], box[3] - box[1]
    torso = np.s_[top + height // 5:top + height // 2, box[0]:box[2]]
    hsv = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb[torso]), cv2.COLOR_RGB2HSV))
    pixels = hsv[mask[torso] > 0]
    if len(pixels) < 30:
        return -1
    shares = {name: _share(pixels, name) for name in (*_HUES, 'black', 'white')}
    best = max(shares, key=lambda name: shares[name])
    return COLOURS.index(best) if shares[best] >= 0.6 else -1


def _share(pixels: NDArray[np.uint8], name: str) -> float:
    hue, saturation, value = pixels[:, 0], pixels[:, 1], pixels[:, 2]
    if name == 'black':
        return float(np.mean(value < 55))
    if name == 'white':
        return float(np.mean((value > 175) & (saturation < 45)))
    low, high = _HUES[name]
    within = (hue >= low) & (hue <= high) if low < high else (hue >= low) | (hue <= high)
    return float(np.mean(within & (saturation > 110) & (value > 60)))
