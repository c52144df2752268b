"""People cut out of real frame pairs, in both spectra at once, and the emptied places behind them.

A mask comes from GrabCut (Rother et al., 2004) on heat, lightness and colour together, seeded by
what differs from the emptied scene.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.training.composites.clothing import name_colour
from rtrack_ros.training.composites.labels import SURE, share_within
from rtrack_ros.training.composites.motion import Motion, motion_of

_PAD = 0.14
_MIN_HEIGHT = 45
_FILL = (0.28, 0.85)
_CLEAR_SHARE = 0.12
_MIN_ASPECT = 2.1
"""Height over width of a mask; less is half a person, whose size would be taken for a whole's."""
_PLATE_FRAMES = 15


@dataclass(frozen=True, eq=False)
class Plate:
    """A scene without its people: rgb uint8 (H, W, 3), thermal uint8 (H, W)."""

    rgb: Image8
    thermal: Image8


@dataclass(frozen=True, eq=False)
class Cutout:
    """One person.

    Attributes:
        rgb: uint8 (h, w, 3).
        thermal: uint8 (h, w).
        alpha: float32 (h, w) in [0, 1], soft at the border.
        box: x1, y1, x2, y2 of the mask within the cutout, whole pixels.
        origin: Column and row of the cutout's corner in its clip.
        clip: Name of its clip.
        colour: Index of the colour of the upper clothes, -1 where it has no clear name.
        motion: How the person moved.
    """

    rgb: Image8
    thermal: Image8
    alpha: NDArray[np.float32]
    box: tuple[int, int, int, int]
    origin: tuple[int, int]
    clip: str
    colour: int
    motion: Motion


def empty_scene(frames: Mapping[int, FramePair], labels: MotFrames) -> Plate:
    """Return the scene without people: per pixel the median of the frames in which none is there.

    Pixels that a person covers in all of them are painted in from their surroundings.
    """
    chosen = sorted(frames)[::max(1, len(frames) // _PLATE_FRAMES)]
    stack = np.stack([_four_channels(frames[number]) for number in chosen]).astype(np.float32)
    for layer, number in zip(stack, chosen, strict=True):
        for row in labels.get(number, ()):
            left, top, right, bottom = _padded(row, layer.shape, 0.08)
            layer[top:bottom, left:right] = np.nan
    never = np.isnan(stack[..., 0]).all(axis=0)
    stack[:, never] = 0
    median = np.nanmedian(stack, axis=0).astype(np.uint8)
    hole = never.astype(np.uint8)
    painted = cv2.inpaint(np.ascontiguousarray(median[..., :3]), hole, 5, cv2.INPAINT_TELEA)
    heat = cv2.inpaint(np.ascontiguousarray(median[..., 3]), hole, 5, cv2.INPAINT_TELEA)
    return Plate(np.asarray(painted, np.uint8), np.asarray(heat, np.uint8))


def cut_people(clip: str, frames: Mapping[int, FramePair], labels: MotFrames, plate: Plate
               ) -> list[Cutout]:
    """Return the people that stand alone and whole in the labelled frames of a clip."""
    found: list[Cutout] = []
    for number, pair in frames.items():
        rows = labels.get(number, [])
        for row in rows:
            if row.score < SURE or not _alone(row, rows, pair):
                continue
            cutout = _cut(clip, row, pair, plate, motion_of(row, labels, pair.width))
            if cutout is not None:
                found.append(cutout)
    return found


def _alone(row: MotRow, rows: Sequence[MotRow], pair: FramePair) -> bool:
    x1, y1, x2, y2 = row.box
    inside = x1 > 2 and y1 > 2 and x2 < pair.width - 2 and y2 < pair.height - 2
    upright = _MIN_HEIGHT <= y2 - y1 and 1.8 <= (y2 - y1) / (x2 - x1) <= 5.0
    return inside and upright and all(
        other.id == row.id or share_within(row.box, other.box) < _CLEAR_SHARE for other in rows)


def _cut(clip: str, row: MotRow, pair: FramePair, plate: Plate, motion: Motion) -> Cutout | None:
    assert pair.thermal is not None
    left, top, right, bottom = _padded(row, pair.rgb.shape, _PAD)
    area = np.s_[top:bottom, left:right]
    rgb, thermal = pair.rgb[area], pair.thermal[area]
    box = np.array(row.box) - (left, top, left, top)
    mask = _segment(rgb, thermal, plate.rgb[area], plate.thermal[area], box)
    fitted = _fits(mask, box)
    if fitted is None:
        return None
    alpha = cv2.GaussianBlur(cv2.erode(mask, np.ones((2, 2), np.uint8)).astype(np.float32),
                             (0, 0), max(0.6, (bottom - top) / 250))
    colour = name_colour(rgb, mask, fitted)
    return Cutout(rgb.copy(), thermal.copy(), np.asarray(alpha, np.float32), fitted,
                  (left, top), clip, colour, motion)


def _segment(rgb: Image8, thermal: Image8, empty_rgb: Image8, empty_thermal: Image8,
             box: NDArray[np.float64]) -> Image8:
    """Return the mask of the person in a box, uint8 (h, w) 0 or 1."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))
    features = np.dstack([thermal, lab[..., 0], lab[..., 1]])
    change = np.maximum(cv2.absdiff(rgb, empty_rgb).max(axis=2),
                        cv2.absdiff(thermal, empty_thermal))
    seeds = np.full(thermal.shape, cv2.GC_BGD, np.uint8)
    x1, y1, x2, y2 = (int(round(value)) for value in box)
    inner = np.s_[max(y1 - 2, 0):y2 + 3, max(x1 - 2, 0):x2 + 3]
    seeds[inner] = np.where(change[inner] > 28, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    columns = (3 * x1 + x2) // 4, (x1 + 3 * x2) // 4
    core = np.s_[y1 + (y2 - y1) // 8:(y1 + y2) // 2, columns[0]:columns[1]]
    seeds[core] = np.where(seeds[core] == cv2.GC_PR_FGD, cv2.GC_FGD, cv2.GC_PR_FGD)
    model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # GrabCut starts from a random clustering
    cv2.grabCut(np.ascontiguousarray(features), seeds, None, *model, 3, cv2.GC_INIT_WITH_MASK)
    mask = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    return _largest(np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)),
                               np.uint8))


def _largest(mask: Image8) -> Image8:
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return (parts == best).astype(np.uint8)


def _fits(mask: Image8, box: NDArray[np.float64]) -> tuple[int, int, int, int] | None:
    """Return the extent of a mask if it fills its box as a person does, else None."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    extent = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    size = box[2:] - box[:2]
    off = np.abs(np.array(extent) - box) / np.tile(size, 2)
    fill = float(mask.sum()) / float((extent[2] - extent[0]) * (extent[3] - extent[1]))
    whole = extent[3] - extent[1] >= _MIN_ASPECT * (extent[2] - extent[0])
    good = _FILL[0] <= fill <= _FILL[1] and off[1] < 0.08 and off[3] < 0.08 and off.max() < 0.25
    return extent if good and whole else None


def _padded(row: MotRow, shape: tuple[int, ...], share: float) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = row.box
    pad = share * (y2 - y1)
    return (max(int(x1 - pad), 0), max(int(y1 - pad), 0),
            min(int(np.ceil(x2 + pad)), shape[1]), min(int(np.ceil(y2 + pad)), shape[0]))


def _four_channels(pair: FramePair) -> Image8:
    assert pair.thermal is not None
    return np.dstack([pair.rgb, pair.thermal])
