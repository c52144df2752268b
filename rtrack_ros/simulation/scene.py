"""A scene: actors before a backdrop under changing weather, with the truth of every frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import FramePair
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.simulation.backdrop import Backdrop, Occluder, draw_backdrop
from rtrack_ros.simulation.canvas import Canvas, Painted
from rtrack_ros.simulation.expressions import (
    Expression,
    Sighting,
    draw_expressions,
    evaluated,
)
from rtrack_ros.simulation.figures import LIGHT_COLOURS, Part
from rtrack_ros.simulation.negations import draw_negations
from rtrack_ros.simulation.palette import AMBIENT
from rtrack_ros.simulation.weather import (
    CONDITIONS,
    Light,
    Weather,
    draw_weather,
    heat_thermal,
    light_rgb,
)
from rtrack_ros.simulation.world import Actor, Camera, draw_camera, populate

MIN_VISIBILITY = 0.3
"""Share of an object that must be seen for it to count as meant by a sentence."""
MIN_HEIGHT = 16.0
"""Pixels of height below which an object is too far to count."""


@dataclass(frozen=True)
class ObjectTruth:
    """One object in one frame.

    Attributes:
        id: Positive, constant over the scene.
        category: 'person', 'car' or 'cyclist'.
        box: x1, y1, x2, y2 in RGB pixels, hidden parts included, clipped to the image.
        visibility: Share of the whole figure that is in view and not hidden, 0 to 1.
    """

    id: int
    category: str
    box: tuple[float, float, float, float]
    visibility: float


@dataclass(frozen=True, eq=False)
class SimFrame:
    """One simulated frame pair with its truth.

    Attributes:
        index: Frame number from 0.
        stamp_ns: Nanoseconds from the start.
        rgb: uint8 (H, W, 3).
        thermal: uint16 (h, w), raw counts (kelvin x 100) at the thermal camera's resolution.
        objects: Objects in view, near or far, visible enough or not.
        condition: The weather's name.
    """

    index: int
    stamp_ns: int
    rgb: NDArray[np.uint8]
    thermal: NDArray[np.uint16]
    objects: tuple[ObjectTruth, ...]
    condition: str

    def pair(self) -> FramePair:
        """Return the frame as a tracker gets it, the thermal image normalised by itself alone."""
        height, width = self.rgb.shape[:2]
        thermal = ThermalNormaliser()(self.thermal, self.stamp_ns)
        return FramePair(self.stamp_ns, self.rgb, register_thermal(thermal, width, height))


class Scene:
    """A deterministic sequence of RGB-thermal frames; frame ``i`` can be drawn in any order.

    Args:
        seed: Fixes everything.
        seconds: Length.
        place: 'road' or 'yard'; None lets the seed choose.
        conditions: Shown one after another in equal parts; None lets the seed choose one.
        fps: Frames per second.
        size: RGB (width, height) in pixels.
        thermal_size: Thermal (width, height) in pixels, same field of view.

    Raises:
        ValueError: unknown place or condition.
    """

    def __init__(self, seed: int, seconds: float = 10.0, place: str | None = None,
                 conditions: Sequence[str] | None = None, fps: int = 30,
                 size: tuple[int, int] = (640, 480), thermal_size: tuple[int, int] = (320, 240)
                 ) -> None:
        rng = np.random.default_rng(seed)
        self.seed, self.fps, self.frames = seed, fps, max(1, round(seconds * fps))
        self.width, self.height = size
        chosen_place, chosen_condition = rng.choice(['road', 'yard']), rng.choice(CONDITIONS)
        self.place = place or str(chosen_place)
        self.conditions = tuple(conditions or (str(chosen_condition),))
        _check(self.place, self.conditions)
        self._thermal_size = thermal_size
        self._camera: Camera = draw_camera(rng, size)
        self._backdrop: Backdrop = draw_backdrop(rng, self.place, self._camera)
        self._weather: Weather = draw_weather(rng, thermal_size[0])
        self.actors: tuple[Actor, ...] = tuple(populate(rng, self.place, seconds, self._camera))

    def __len__(self) -> int:
        return self.frames

    def __iter__(self) -> Iterator[SimFrame]:
        return (self.frame(index) for index in range(self.frames))

    @cached_property
    def _seen(self) -> list[list[Sighting]]:
        return [self.sightings(index) for index in range(self.frames)]

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """Sentences about the scene and the IDs they mean, frame by frame; computed once."""
        return draw_expressions(self.seed, self.actors, self._seen, self.width)

    @cached_property
    def negations(self) -> tuple[Expression, ...]:
        """Negated and counterfactual sentences, besides the ordinary ones; computed once."""
        rng = np.random.default_rng((self.seed, 78))
        return evaluated(draw_negations(rng, self.actors, self.width), self._seen)

    def condition(self, index: int) -> str:
        """Return the name of the weather at a frame."""
        return self.conditions[min(index * len(self.conditions) // self.frames,
                                   len(self.conditions) - 1)]

    def frame(self, index: int) -> SimFrame:
        """Draw one frame.

        Raises:
            IndexError: there is no such frame.
        """
        if not 0 <= index < self.frames:
            raise IndexError(f'frame {index} of a scene of {self.frames}')
        seconds, condition = index / self.fps, self.condition(index)
        rng = np.random.default_rng((self.seed, index))
        canvas = self._still(seconds, AMBIENT[condition])
        objects, lights = self._paint_all(canvas, seconds)
        assert canvas.rgb is not None and canvas.degrees is not None
        return SimFrame(index=index, stamp_ns=round(index * 1e9 / self.fps),
                        rgb=light_rgb(canvas.rgb, condition, self._weather, seconds, lights, rng),
                        thermal=heat_thermal(canvas.degrees, condition, self._weather, rng),
                        objects=tuple(objects), condition=condition)

    def sightings(self, index: int) -> list[Sighting]:
        """Return what can be referred to at a frame, without drawing the pictures."""
        seconds = index / self.fps
        objects, _ = self._paint_all(Canvas((self.width, self.height)), seconds)
        by_id = {actor.id: actor for actor in self.actors}
        return [Sighting(actor=by_id[item.id], box=item.box, seconds=seconds)
                for item in objects if item.visibility >= MIN_VISIBILITY
                and item.box[3] - item.box[1] >= MIN_HEIGHT]

    def _still(self, seconds: float, ambient: float) -> Canvas:
        centre = (self._backdrop.margin + self._camera.pan(seconds) + (self.width - 1) / 2,
                  (self.height - 1) / 2)
        rgb = cv2.getRectSubPix(self._backdrop.rgb, (self.width, self.height), centre)
        warm = cv2.getRectSubPix(self._backdrop.warmth, (self.width, self.height), centre)
        degrees = cv2.resize(warm, self._thermal_size, interpolation=cv2.INTER_AREA) + ambient
        return Canvas((self.width, self.height), np.asarray(rgb, np.uint8),
                      degrees.astype(np.float32), ambient)

    def _paint_all(self, canvas: Canvas, seconds: float) -> tuple[list[ObjectTruth], list[Light]]:
        """Paint far things first; returns the objects in view and the lights."""
        things: list[tuple[float, float, Actor | Occluder]] = [
            (item.z, item.x, item) for item in self._backdrop.occluders]
        for actor in self.actors:
            x, z = actor.place(seconds)
            things.append((z, x, actor))
        painted: list[Painted] = []
        lights: list[Light] = []
        for z, x, thing in sorted(things, key=lambda entry: -entry[0]):
            column, row, scale = self._camera.project(x, z, seconds)
            if isinstance(thing, Occluder):
                canvas.paint(thing.parts, column, row, scale, 0)
                parts = thing.parts
            else:
                canvas.shadow(column, row, scale * (2.1 if thing.category == 'car' else 0.45))
                parts = tuple(thing.parts(seconds))
                painted.append(canvas.paint(parts, column, row, scale, thing.id))
            lights += _lights(parts, column, row, scale)
        truths = (self._truth(canvas, item) for item in painted)
        return [truth for truth in truths if truth is not None], lights

    def _truth(self, canvas: Canvas, item: Painted) -> ObjectTruth | None:
        left, top, right, bottom = item.box
        x1, y1 = max(left, 0.0), max(top, 0.0)
        x2, y2 = min(right, float(self.width)), min(bottom, float(self.height))
        if x2 - x1 < 2 or y2 - y1 < 2:
            return None
        in_view = (x2 - x1) * (y2 - y1) / ((right - left) * (bottom - top))
        seen = int(np.count_nonzero(canvas.mask == item.owner))
        category = next(actor.category for actor in self.actors if actor.id == item.owner)
        return ObjectTruth(item.owner, category, (x1, y1, x2, y2),
                           in_view * min(1.0, seen / max(item.area, 1)))


def _lights(parts: Sequence[Part], column: float, row: float, scale: float) -> list[Light]:
    """Return the lamps and headlights among the parts: what is painted nearly warm white."""
    return [(column + float(part.points[:, 0].mean()) * scale,
             row - float(part.points[:, 1].mean()) * scale, 0.35 * scale)
            for part in parts if part.colour in LIGHT_COLOURS]


def make_scene(seed: int, seconds: float = 10.0, place: str | None = None,
               conditions: Sequence[str] | None = None, fps: int = 30,
               size: tuple[int, int] = (640, 480), thermal_size: tuple[int, int] = (320, 240)
               ) -> Scene:
    """Return the scene of a seed; the arguments are those of :class:`Scene`."""
    return Scene(seed, seconds, place, conditions, fps, size, thermal_size)


def _check(place: str, conditions: Sequence[str]) -> None:
    if place not in ('road', 'yard'):
        raise ValueError(f"unknown place '{place}'; choose 'road' or 'yard'")
    for name in conditions:
        if name not in CONDITIONS:
            raise ValueError(f"unknown condition '{name}'; choose from {', '.join(CONDITIONS)}")
