"""Things of any shape and texture, strewn over the simulated world.

A sentence may name what the simulated world does not have. A network that only ever saw people,
cars and cyclists snaps to their outlines; one that saw a thousand odd shapes compares.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.simulation.scene import ObjectTruth, Scene
from rtrack_ros.simulation.weather import CONDITIONS
from rtrack_ros.training.siamese.pairs import Moment, Pairs, draw_pair, seen_as
from rtrack_ros.training.siamese.scenes import LONGEST_GAP_S, SCENE_SECONDS

COUPLES: Final = 3
"""Couples of frames under each condition."""
THINGS: Final = 7
_CANVAS = 96
_HEIGHTS = (18.0, 180.0)
_ASPECT = 0.45
_PLAIN_SHARE = 0.15
_TURN_DEGREES = 6.0
_GROWTH = 0.12
_WAY_PX = 150.0


@dataclass(frozen=True, eq=False)
class Thing:
    """A textured shape on a square canvas.

    Attributes:
        mask: float32 (_CANVAS, _CANVAS), 1 inside.
        rgb: uint8 (_CANVAS, _CANVAS, 3).
        thermal: uint8 (_CANVAS, _CANVAS).
        opacity: How much of it RGB and thermal show; 0 is invisible there.
    """

    mask: NDArray[np.float32]
    rgb: Image8
    thermal: Image8
    opacity: tuple[float, float]


@dataclass(frozen=True)
class Pose:
    """Where a thing is: centre in pixels, width and height in pixels, angle in degrees."""

    centre: tuple[float, float]
    size: tuple[float, float]
    angle: float

    def moved(self, rng: np.random.Generator, way: float) -> 'Pose':
        """Return a pose nearby, a little larger or smaller and turned a little."""
        x, y = rng.normal(0.0, way / 2, 2)
        grown = float(np.exp(rng.normal(0.0, _GROWTH)))
        return Pose((self.centre[0] + x, self.centre[1] + y / 3),
                    (self.size[0] * grown, self.size[1] * grown),
                    self.angle + float(rng.normal(0.0, _TURN_DEGREES)))


def draw_things(seed: int) -> Iterator[Pairs]:
    """Draw pairs of things before the backgrounds of one scene; they follow from the seed."""
    scene = Scene(seed, SCENE_SECONDS, conditions=CONDITIONS)
    rng = np.random.default_rng((seed, 23))
    span = scene.frames // len(CONDITIONS)
    for part in range(len(CONDITIONS)):
        for _ in range(COUPLES):
            first = part * span + int(rng.integers(span))
            gap = int(rng.integers(-1, 2) * rng.uniform(0, LONGEST_GAP_S) * scene.fps)
            second = int(np.clip(first + gap, part * span, (part + 1) * span - 1))
            frames = (scene.frame(index).pair() for index in (first, second))
            yield from _couple(rng, *frames)


def _couple(rng: np.random.Generator, first: FramePair, second: FramePair) -> Iterator[Pairs]:
    things = [_thing(rng) for _ in range(THINGS)]
    poses = [_pose(rng, first) for _ in things]
    later = [pose.moved(rng, _WAY_PX) for pose in poses]
    named, sought = _strewn(first, things, poses), _strewn(second, things, later)
    for name, item in named.objects.items():
        if item.visibility > 0.5:
            pair = draw_pair(rng, named, sought, name)
            if pair is not None:
                yield pair


def _thing(rng: np.random.Generator) -> Thing:
    opacity = [0.0 if rng.random() < _PLAIN_SHARE else float(rng.uniform(0.5, 1)) for _ in 'rt']
    if not any(opacity):
        opacity[int(rng.integers(2))] = 1.0
    colour = np.dstack([_texture(rng) for _ in range(3)]) if rng.random() < 0.7 else \
        np.repeat(_texture(rng)[:, :, None], 3, axis=2)
    return Thing(_shape(rng), colour, _texture(rng), (opacity[0], opacity[1]))


def _shape(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the mask of an ellipse, a box or a polygon that fills the canvas."""
    mask, half = np.zeros((_CANVAS, _CANVAS), np.uint8), _CANVAS // 2
    kind = rng.random()
    if kind < 0.3:
        cv2.ellipse(mask, (half, half), (half - 2, half - 2), 0, 0, 360, 1, -1)
    elif kind < 0.55:
        mask[2:-2, 2:-2] = 1
    else:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 11))))
        radii = rng.uniform(0.5, 1, len(angles)) * half
        points = half + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        low, high = points.min(axis=0), points.max(axis=0)
        filled = (points - low) / np.maximum(high - low, 1) * (_CANVAS - 5) + 2
        cv2.fillPoly(mask, [np.round(filled).astype(np.int32)], (1,))
    return mask.astype(np.float32)


def _texture(rng: np.random.Generator) -> Image8:
    """Return smooth noise about a mean, (_CANVAS, _CANVAS)."""
    cells = int(rng.integers(1, 13))
    noise = cv2.resize(rng.normal(0, 1, (cells + 1, cells + 1)), (_CANVAS, _CANVAS),
                       interpolation=cv2.INTER_CUBIC)
    return np.clip(rng.uniform(20, 235) + rng.uniform(0, 60) * noise, 0, 255).astype(np.uint8)


def _pose(rng: np.random.Generator, pair: FramePair) -> Pose:
    tall = float(np.exp(rng.uniform(*np.log(_HEIGHTS))))
    wide = tall * float(np.exp(rng.normal(-0.3, _ASPECT)))
    return Pose((float(rng.uniform(0, pair.width)), float(rng.uniform(0, pair.height))),
                (wide, tall), 0.0)


def _strewn(pair: FramePair, things: list[Thing], poses: list[Pose]) -> Moment:
    """Return a frame with things painted on it, the later ones over the earlier."""
    assert pair.thermal is not None
    rgb, thermal = pair.rgb.copy(), pair.thermal.copy()
    owner = np.full(thermal.shape, -1, np.int16)
    areas = []
    for name, (thing, pose) in enumerate(zip(things, poses, strict=True)):
        mask = _paint(rgb, thermal, thing, pose)
        owner[mask] = name
        areas.append(mask)
    objects = {name: truth for name, mask in enumerate(areas)
               if (truth := _truth(name, mask, owner)) is not None}
    return seen_as(FramePair(pair.stamp_ns, rgb, thermal), objects)


def _paint(rgb: Image8, thermal: Image8, thing: Thing, pose: Pose) -> NDArray[np.bool_]:
    """Paint a thing on both images; returns the pixels (H, W) that it covers."""
    covered = np.zeros(thermal.shape, np.bool_)
    radius = np.hypot(*pose.size) / 2 + 1
    low = np.clip(np.array(pose.centre) - radius, 0, thermal.shape[::-1]).astype(int)
    high = np.clip(np.array(pose.centre) + radius, 0, thermal.shape[::-1]).astype(int)
    if (high - low).min() < 1:
        return covered
    window = np.s_[low[1]:high[1], low[0]:high[0]]
    place, size = _onto(pose, low), tuple((high - low).tolist())
    share, colour, heat = (cv2.warpAffine(image, place, size)
                           for image in (thing.mask, thing.rgb, thing.thermal))
    for image, layer, opacity in ((rgb, colour, thing.opacity[0]),
                                  (thermal[:, :, None], heat[:, :, None], thing.opacity[1])):
        alpha = share[:, :, None] * opacity
        image[window] = (image[window] * (1 - alpha) + layer * alpha).astype(np.uint8)
    covered[window] = share > 0.5
    return covered


def _onto(pose: Pose, corner: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the 2x3 matrix from the canvas to a window of the image that begins at a corner."""
    angle = np.deg2rad(pose.angle)
    scale = np.diag([pose.size[0] / _CANVAS, pose.size[1] / _CANVAS])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ scale
    middle = np.full(2, _CANVAS / 2)
    return np.column_stack([turn, np.array(pose.centre) - corner - turn @ middle])


def _truth(name: int, mask: NDArray[np.bool_], owner: NDArray[np.int16]) -> ObjectTruth | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) < 6 or len(columns) < 6:
        return None
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return ObjectTruth(name, 'thing', box, float((owner[mask] == name).mean()))
