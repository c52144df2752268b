"""The small images of one frame pair, on which all measuring is done.

Only images that show the world at the stamp of the pair are here: an older one is no evidence.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import FramePair, Image8, Mask
from rtrack_ros.tracking.history.compiled_corners import CompiledCornerMap, corner_map
from rtrack_ros.tracking.history.corners import CornerMap

# Motion between two thermal images is not stretched to more than so many times their distance.
_FASTEST = 3
# Mean brightness (0-255) below which an RGB image shows nothing.
_DARK = 8.0


@dataclass(frozen=True)
class Views:
    """The small images of one frame pair, all but ``fine`` of one size.

    Attributes:
        rgb: uint8 (h, w, 3), RGB order.
        grey: uint8 (h, w), luminance of ``rgb``.
        thermal: uint8 (h, w), None without a fresh thermal image.
        scale: (x, y) view pixels per RGB pixel.
        fine: uint8 (H, W, 2), luminance and thermal in more detail; one that is not fresh is
            black.
        rgb_fresh: Whether the RGB image is evidence.
        stamps: When the RGB and the thermal image were taken, nanoseconds.
        thermal_valid: bool (h, w), where the thermal image has a value; None for everywhere.
    """

    rgb: Image8
    grey: Image8
    thermal: Image8 | None
    scale: tuple[float, float]
    fine: Image8
    rgb_fresh: bool = True
    stamps: tuple[int, int] = (0, 0)
    thermal_valid: Mask | None = None

    @classmethod
    def of(cls, pair: FramePair, width: int, fine_width: int) -> 'Views':
        """Return the views of a pair, at most ``width`` and ``fine_width`` pixels wide."""
        size = _size(pair, width)
        rgb = _shrink(pair.rgb, size)
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        thermal = None if pair.thermal is None or not pair.thermal_fresh else _shrink(
            pair.thermal, size)
        valid = None if pair.thermal_valid is None else cv2.resize(
            pair.thermal_valid.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        taken_ns = pair.stamp_ns if pair.thermal_stamp_ns is None else pair.thermal_stamp_ns
        return cls(rgb, grey, thermal, (size[0] / pair.width, size[1] / pair.height),
                   _fine(pair, _size(pair, fine_width)), pair.rgb_fresh,
                   (pair.stamp_ns, taken_ns), valid)

    def with_thermal(self, thermal: Image8, stamp_ns: int) -> 'Views':
        """Return these views with a thermal image, (H, W) on the RGB grid, that came late."""
        height, width = self.grey.shape
        fine = self.fine.copy()
        fine[:, :, 1] = _shrink(thermal, (fine.shape[1], fine.shape[0]))
        return replace(self, thermal=_shrink(thermal, (width, height)), fine=fine,
                       stamps=(self.stamps[0], stamp_ns))

    def thermal_pace(self, before: 'Views') -> float:
        """Return the time from frame to frame over that from thermal image to thermal image.

        0 where the thermal images follow each other too closely to tell, or not at all.
        """
        between_ns = self.stamps[1] - before.stamps[1]
        frames_ns = self.stamps[0] - before.stamps[0]
        if frames_ns == between_ns:
            return 1.0
        return frames_ns / between_ns if between_ns * _FASTEST >= frames_ns else 0.0

    def lit(self, box: NDArray[np.float64]) -> bool:
        """Whether an image of this frame can show what is in ``box`` (4,), RGB pixels."""
        if self.thermal is not None:
            return True
        x1, y1, x2, y2 = np.round(box * np.tile(self.scale, 2)).astype(int)
        height, width = self.grey.shape
        patch = self.grey[max(y1, 0):max(min(y2, height), y1 + 1),
                          max(x1, 0):max(min(x2, width), x1 + 1)]
        return self.rgb_fresh and bool(patch.size) and float(patch.mean()) >= _DARK

    @cached_property
    def corners(self) -> CornerMap | CompiledCornerMap:
        """Corners of ``grey``, found when they are first asked for."""
        return corner_map(self.grey)

    @cached_property
    def thermal_corners(self) -> CornerMap | CompiledCornerMap:
        """Corners of ``thermal``; asking without a thermal image is an error."""
        assert self.thermal is not None
        return corner_map(self.thermal, self.thermal_valid)


def _size(pair: FramePair, width: int) -> tuple[int, int]:
    if pair.width <= width:
        return pair.width, pair.height
    return width, max(1, round(pair.height * width / pair.width))


def _fine(pair: FramePair, size: tuple[int, int]) -> Image8:
    grey = cv2.cvtColor(pair.rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    black = np.zeros_like(grey)
    thermal = black if pair.thermal is None or not pair.thermal_fresh else pair.thermal
    grey = grey if pair.rgb_fresh else black
    return cv2.merge([_shrink(grey, size), _shrink(thermal, size)]).astype(np.uint8, copy=False)


def _shrink(image: Image8, size: tuple[int, int]) -> Image8:
    if (image.shape[1], image.shape[0]) == size:
        return image.copy()
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
