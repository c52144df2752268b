"""Places on which real people are composed: emptied clips, and scenes of the simulated world."""

from dataclasses import dataclass

import cv2
import numpy as np

from rtrack_ros.frames import Image8
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.language.answers import Box
from rtrack_ros.simulation.scene import MIN_HEIGHT, MIN_VISIBILITY, Scene
from rtrack_ros.training.composites.clips import ClipGeometry
from rtrack_ros.training.composites.cutouts import Plate
from rtrack_ros.training.shards.frames import CATEGORIES, COLOURS, FACINGS, ObjectRow

_WORLD_GROUND = ((0.0, 270.0), (640.0, 270.0), (640.0, 480.0), (0.0, 480.0))


@dataclass(frozen=True, eq=False)
class Place:
    """A daylight scene before people are pasted.

    Attributes:
        name: Name of the clip, or of the simulated place.
        rgb: uint8 (H, W, 3).
        thermal: uint8 (H, W).
        geometry: Where people can stand.
        objects: What is there already; boxes in pixels.
        hidden: Boxes in pixels of what is there but can hardly be seen.
    """

    name: str
    rgb: Image8
    thermal: Image8
    geometry: ClipGeometry
    objects: tuple[ObjectRow, ...] = ()
    hidden: tuple[Box, ...] = ()


def real_place(geometry: ClipGeometry, plate: Plate) -> Place:
    """Return the emptied scene of a clip."""
    return Place(geometry.name, plate.rgb, plate.thermal, geometry)


def simulated_place(seed: int) -> Place:
    """Return a daylight frame of a simulated scene with all people in it, 640x480.

    Its cars and cyclists stay the only ones: the clips show none.
    """
    scene = Scene(seed, 12.0, conditions=('day',))
    index = int(np.random.default_rng((seed, 5)).integers(len(scene)))
    frame = scene.frame(index)
    thermal = register_thermal(ThermalNormaliser()(frame.thermal, frame.stamp_ns),
                               scene.width, scene.height)
    looks = {actor.id: actor for actor in scene.actors}
    seconds, rows, hidden = index / scene.fps, [], []
    for item in frame.objects:
        actor = looks[item.id]
        if item.visibility < MIN_VISIBILITY or item.box[3] - item.box[1] < MIN_HEIGHT:
            hidden.append(item.box)
            continue
        rows.append(ObjectRow(CATEGORIES.index(item.category), COLOURS.index(actor.upper),
                              COLOURS.index(actor.lower) if actor.lower else -1,
                              FACINGS.index(actor.facing(seconds)), actor.moving(seconds),
                              item.box))
    people = [row.box for row in rows if row.category == 0 and row.box[3] < scene.height - 1]
    return Place(scene.place, frame.rgb, thermal, _world_geometry(scene.place, people),
                 tuple(rows), tuple(hidden))


def _world_geometry(name: str, people: list[Box]) -> ClipGeometry:
    """Return a geometry on which the tallest simulated person lies; the horizon is at row 200."""
    slope = max(((box[3] - box[1]) / max(box[3] - 200.0, 20.0) for box in people), default=0.9)
    slope = min(max(slope, 0.5), 1.3)
    return ClipGeometry(name, _WORLD_GROUND, ((200.0, 0.0), (480.0, 280.0 * slope)))


def ground_point(rng: np.random.Generator, geometry: ClipGeometry, height: int
                 ) -> tuple[float, float]:
    """Return a random (column, row) for a person's feet, near and far alike.

    Beyond the picture's lower edge the ground goes on: near people are cut off at the knees.
    """
    corners = np.array(geometry.ground, np.float32)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if high[1] >= height:
        high = high + (0.0, 0.35 * geometry.person_height(float(height)))
    outline = corners.copy()
    for _ in range(100):
        column, row = (float(value) for value in rng.uniform(low, high))
        inside = cv2.pointPolygonTest(outline, (column, min(row, float(height) - 1)), False)
        if inside >= 0:
            return column, row
    return float(corners[:, 0].mean()), float(corners[:, 1].mean())
