"""The canvas: figures are painted into RGB picture, thermal picture and truth mask at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.simulation.figures import Part

MASK_SCALE = 0.5
"""The truth mask is kept at half the RGB resolution: enough for visibility, a quarter the cost."""

_SHIFT = 4


@dataclass(frozen=True)
class Painted:
    """Where a figure was painted.

    Attributes:
        owner: Number in the mask.
        box: x1, y1, x2, y2 of the whole figure in pixels, hidden or outside parts included.
        area: Mask pixels inside the picture that the figure covers when nothing hides it.
    """

    owner: int
    box: tuple[float, float, float, float]
    area: int


class Canvas:
    """The three pictures of one frame while it is painted, far things first.

    Args:
        size: (width, height) of the RGB picture in pixels.
        rgb: uint8 (H, W, 3), painted in place; None to paint the truth mask alone.
        degrees: float32 (h, w), degrees Celsius, painted in place; None as above.
        ambient: Temperature in degrees of parts that have none of their own.
    """

    def __init__(self, size: tuple[int, int], rgb: NDArray[np.uint8] | None = None,
                 degrees: NDArray[np.float32] | None = None, ambient: float = 0.0) -> None:
        self.rgb = rgb
        self.degrees = degrees
        self.mask = np.zeros((int(size[1] * MASK_SCALE), int(size[0] * MASK_SCALE)), np.uint8)
        self._width = size[0]
        self._ambient = ambient

    def paint(self, parts: Sequence[Part], column: float, row: float, scale: float, owner: int
              ) -> Painted:
        """Paint a figure that touches the ground at (column, row), ``scale`` pixels per metre.

        Args:
            parts: Parts in metres.
            column: Pixels.
            row: Pixels.
            scale: Pixels per metre.
            owner: Written into the mask; 0 for things that only hide others.
        """
        outlines = [part.points * (scale, -scale) + (column, row) for part in parts]
        alone = np.zeros_like(self.mask) if owner else None
        for part, points in zip(parts, outlines, strict=True):
            width = part.width * scale
            warm = self._ambient if part.temperature is None else part.temperature
            if self.rgb is not None:
                _draw(self.rgb, points, part.colour, width, 1.0, cv2.LINE_AA)
            if self.degrees is not None:
                _draw(self.degrees, points, (float(warm),), width,
                      self.degrees.shape[1] / self._width)
            _draw(self.mask, points, (owner,), width, MASK_SCALE)
            if alone is not None:
                _draw(alone, points, (1,), width, MASK_SCALE)
        reach = np.array([part.width * scale / 2 for part in parts])
        grown = list(zip(outlines, reach, strict=True))
        low = np.min([points.min(axis=0) - margin for points, margin in grown], axis=0)
        high = np.max([points.max(axis=0) + margin for points, margin in grown], axis=0)
        return Painted(owner, (float(low[0]), float(low[1]), float(high[0]), float(high[1])),
                       0 if alone is None else int(cv2.countNonZero(alone)))

    def shadow(self, column: float, row: float, half_width: float) -> None:
        """Darken the ground under a figure; ``half_width`` in pixels."""
        if self.rgb is None:
            return
        tall = max(2.0, half_width * 0.22)
        left, right = int(max(0, column - half_width)), int(column + half_width) + 1
        top, bottom = int(max(0, row - tall)), int(row + tall) + 1
        area = self.rgb[top:bottom, left:right]
        if area.size == 0:
            return
        y, x = np.ogrid[top:top + area.shape[0], left:left + area.shape[1]]
        inside = ((x - column) / half_width) ** 2 + ((y - row) / tall) ** 2
        area[:] = area * (1 - 0.45 * np.clip(1.2 - inside, 0, 1))[:, :, None]


def _draw(image: NDArray[np.generic], points: NDArray[np.float64], colour: tuple[float, ...],
          width: float, scale: float, kind: int = cv2.LINE_8) -> None:
    """Draw a polygon, or an open line of ``width`` pixels, on an image ``scale`` times the RGB."""
    fixed = np.round(points * (scale * (1 << _SHIFT)) - (1 << (_SHIFT - 1))).astype(np.int32)
    if width > 0:
        cv2.polylines(image, [fixed], False, colour, max(1, round(width * scale)), kind, _SHIFT)
    else:
        cv2.fillPoly(image, [fixed], colour, kind, _SHIFT)
