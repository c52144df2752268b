"""Where people stand: alone and in groups on the ground of a place, near and far."""

import numpy as np

from rtrack_ros.training.composites.clips import ClipGeometry
from rtrack_ros.training.composites.composition import Placed, resize_cutout, stand
from rtrack_ros.training.composites.cutouts import Cutout
from rtrack_ros.training.composites.places import ground_point

Cutouts = tuple[tuple[Cutout, ...], ...]
"""Clip by clip, which are drawn from equally: one clip has three times as many as the other."""

PEOPLE = (0.12, 0.15, 0.18, 0.17, 0.13, 0.1, 0.07, 0.05, 0.03)
"""Share of frames with 0, 1, 2, ... pasted people."""
_FREE_CAMERA = 0.75
_JOINS = 0.45
"""Share of people who stand next to the one before."""
_TALLEST = 470.0


def free_geometry(rng: np.random.Generator, width: int, height: int) -> ClipGeometry:
    """Return the geometry of a level camera at any height over flat ground.

    With the camera at the height of eyes all heads lie on the horizon and the feet of the near
    ones low; from above the far ones stand higher and look smaller.
    """
    horizon = float(rng.uniform(-0.25, 0.5)) * height
    slope = float(rng.uniform(0.5, 1.15))
    first = max(horizon + 0.1 * height, 0.22 * height)
    last = float(height) if rng.random() < 0.2 else float(rng.uniform(0.65, 0.97)) * height
    corners = ((0.0, first), (float(width), first), (float(width), last), (0.0, last))
    return ClipGeometry('free', corners, ((horizon, 0.0),
                                          (float(height), (height - horizon) * slope)))


def draw_people(rng: np.random.Generator, cutouts: Cutouts, geometry: ClipGeometry,
                size: tuple[int, int]) -> list[Placed]:
    """Return people on the ground, far ones first.

    Args:
        rng: Draws cutouts and places.
        cutouts: What to paste.
        geometry: Of the place; most of the time another is drawn, so that the height of a person
            does not follow from where the feet are.
        size: (width, height) of the scene in pixels.
    """
    if rng.random() < _FREE_CAMERA:
        geometry = free_geometry(rng, *size)
    count = int(rng.choice(len(PEOPLE), p=PEOPLE))
    placed: list[tuple[float, Placed]] = []
    for _ in range(count):
        column, row = ground_point(rng, geometry, size[1])
        if placed and rng.random() < _JOINS:
            column, row = _beside(rng, *placed[-1])
        tall = geometry.person_height(row) * float(np.clip(rng.normal(1, 0.08), 0.75, 1.25))
        clip = cutouts[int(rng.integers(len(cutouts)))]
        cutout = clip[int(rng.integers(len(clip)))]
        sized = resize_cutout(cutout, min(max(tall, 24.0), _TALLEST), bool(rng.random() < 0.5))
        placed.append((row, stand(sized, column, row)))
    return [person for _, person in sorted(placed, key=lambda item: item[0])]


def _beside(rng: np.random.Generator, row: float, person: Placed) -> tuple[float, float]:
    x1, y1, x2, y2 = person.box
    side = 1 if rng.random() < 0.5 else -1
    return ((x1 + x2) / 2 + side * float(rng.uniform(0.45, 1.4)) * (x2 - x1),
            row + float(rng.normal(0, 0.05)) * (y2 - y1))
