"""Scenes composed of real people on emptied real places, with exact boxes in both spectra.

People stand on the ground of the place, as tall as a person looks there; far ones are pasted
first, so that near ones hide them. Light, smoke and dark are those of the simulated world
(``simulation``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.training.composites.cutouts import Cutout
from rtrack_ros.training.shards.frames import ObjectRow

Mask = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Placed:
    """A cutout at its size and place: the column and row of its corner, which may lie outside."""

    cutout: Cutout
    left: int
    top: int

    @property
    def box(self) -> Box:
        """The whole person, pixels of the scene, parts outside the picture included."""
        x1, y1, x2, y2 = self.cutout.box
        return (float(self.left + x1), float(self.top + y1), float(self.left + x2),
                float(self.top + y2))


class Canvas:
    """A frame pair under construction, and which person is in front at every pixel.

    Args:
        rgb: uint8 (H, W, 3).
        thermal: uint8 (H, W).
    """

    def __init__(self, rgb: Image8, thermal: Image8) -> None:
        self.rgb, self.thermal = rgb.copy(), thermal.copy()
        self.owner = np.zeros(thermal.shape, np.int16)

    def warmth_behind(self, placed: Placed) -> float:
        """Return the mean grey level of thermal that a person is about to cover, 0 outside."""
        window = self._window(placed)
        covered = None if window is None else self.thermal[window[0]][
            placed.cutout.alpha[window[1]] > 0.5]
        return 0.0 if covered is None or not covered.size else float(covered.mean())

    def paste(self, placed: Placed, owner: int) -> None:
        """Paste a person; ``owner`` is the number above 0 by which :meth:`visible` knows it."""
        window = self._window(placed)
        if window is None:
            return
        scene, part = window
        alpha: Mask = placed.cutout.alpha[part]
        behind = self.thermal[scene].astype(np.float32)
        self.thermal[scene] = np.clip(
            behind + alpha * (placed.cutout.thermal[part] - behind), 0, 255)
        backdrop = self.rgb[scene].astype(np.float32)
        self.rgb[scene] = np.clip(backdrop + alpha[..., None] * (
            placed.cutout.rgb[part] - backdrop), 0, 255)
        self.owner[scene][alpha > 0.5] = owner

    def visible(self, placed: Placed, owner: int) -> float:
        """Return the share of a person that is within the picture and not hidden."""
        whole = float((placed.cutout.alpha > 0.5).sum())
        return float((self.owner == owner).sum()) / max(whole, 1.0)

    def _window(self, placed: Placed) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
        height, width = self.thermal.shape
        rows, columns = placed.cutout.alpha.shape
        y1, x1 = max(placed.top, 0), max(placed.left, 0)
        y2, x2 = min(placed.top + rows, height), min(placed.left + columns, width)
        if y1 >= y2 or x1 >= x2:
            return None
        return ((slice(y1, y2), slice(x1, x2)),
                (slice(y1 - placed.top, y2 - placed.top),
                 slice(x1 - placed.left, x2 - placed.left)))


def resize_cutout(cutout: Cutout, height: float, flip: bool) -> Cutout:
    """Return a cutout whose person is ``height`` pixels tall, mirrored if asked to."""
    factor = height / (cutout.box[3] - cutout.box[1])
    size = (max(2, round(cutout.alpha.shape[1] * factor)),
            max(2, round(cutout.alpha.shape[0] * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    alpha = np.clip(cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    rgb, thermal = (np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
                    for image in (cutout.rgb, cutout.thermal))
    motion = cutout.motion
    if flip:
        rgb, thermal, alpha = (np.ascontiguousarray(image[:, ::-1])
                               for image in (rgb, thermal, alpha))
        motion = replace(motion, facing={0: 1, 1: 0}.get(motion.facing, motion.facing))
    return replace(cutout, rgb=rgb, thermal=thermal, alpha=alpha, motion=motion,
                   box=_extent(alpha))


def _extent(alpha: Mask) -> tuple[int, int, int, int]:
    rows = np.flatnonzero((alpha > 0.5).any(axis=1))
    columns = np.flatnonzero((alpha > 0.5).any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def stand(cutout: Cutout, column: float, row: float) -> Placed:
    """Return a cutout with the middle of its feet at a point of the scene, in pixels."""
    x1, _, x2, y2 = cutout.box
    return Placed(cutout, round(column - (x1 + x2) / 2), round(row - y2))


def person_row(placed: Placed, box: Box, category: int) -> ObjectRow:
    """Return what training knows about a pasted person; ``box`` on the 0-1000 grid."""
    return ObjectRow(category, placed.cutout.colour, -1, placed.cutout.motion.facing,
                     placed.cutout.motion.moving, box)


def relative_box(box: Sequence[float], view: Sequence[float]) -> Box | None:
    """Return a pixel box on the 0-1000 grid of a view, cut to it; None where nothing is left.

    Args:
        box: x1, y1, x2, y2 in pixels of the scene.
        view: x1, y1, x2, y2 of the part of the scene that becomes the picture.
    """
    spans = (view[2] - view[0], view[3] - view[1]) * 2
    corners = [min(max(1000 * (value - view[place % 2]) / spans[place], 0.0), 1000.0)
               for place, value in enumerate(box)]
    x1, y1, x2, y2 = (round(value, 1) for value in corners)
    return (x1, y1, x2, y2) if x2 - x1 >= 1 and y2 - y1 >= 1 else None
