"""The small images of one frame pair, on which all measuring is done."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.tracking.history.corners import CornerMap


@dataclass(frozen=True)
class Views:
    """The small images of one frame pair, all but ``fine`` of one size.

    Attributes:
        rgb: uint8 (h, w, 3), RGB order.
        grey: uint8 (h, w), luminance of ``rgb``.
        thermal: uint8 (h, w), None when the thermal camera is silent.
        scale: (x, y) view pixels per RGB pixel.
        fine: uint8 (H, W, 2), luminance and thermal in more detail; no thermal is black.
    """

    rgb: Image8
    grey: Image8
    thermal: Image8 | None
    scale: tuple[float, float]
    fine: Image8

    @classmethod
    def of(cls, pair: FramePair, width: int, fine_width: int) -> 'Views':
        """Return the views of a pair, at most ``width`` and ``fine_width`` pixels wide."""
        size = _size(pair, width)
        rgb = _shrink(pair.rgb, size)
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        thermal = None if pair.thermal is None else _shrink(pair.thermal, size)
        return cls(rgb, grey, thermal, (size[0] / pair.width, size[1] / pair.height),
                   _fine(pair, _size(pair, fine_width)))

    @cached_property
    def corners(self) -> CornerMap:
        """Corners of ``grey``, found when they are first asked for."""
        return CornerMap(self.grey)

    @cached_property
    def thermal_corners(self) -> CornerMap:
        """Corners of ``thermal``; asking without a thermal image is an error."""
        assert self.thermal is not None
        return CornerMap(self.thermal)


def _size(pair: FramePair, width: int) -> tuple[int, int]:
    if pair.width <= width:
        return pair.width, pair.height
    return width, max(1, round(pair.height * width / pair.width))


def _fine(pair: FramePair, size: tuple[int, int]) -> Image8:
    grey = cv2.cvtColor(pair.rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    thermal = np.zeros_like(grey) if pair.thermal is None else pair.thermal
    return cv2.merge([_shrink(grey, size), _shrink(thermal, size)]).astype(np.uint8, copy=False)


def _shrink(image: Image8, size: tuple[int, int]) -> Image8:
    if (image.shape[1], image.shape[0]) == size:
        return image.copy()
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
