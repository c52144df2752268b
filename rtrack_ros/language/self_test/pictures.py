"""Two drawn pictures and questions about them whose answers are known.

They are drawn with the figures of the simulated world, so that rtrack-nano, which knows no other,
can answer. One is in daylight. In the other the RGB image is black: what is there, only the
thermal image shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from rtrack_ros.frames import FramePair
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.language.answers import Box
from rtrack_ros.simulation.backdrop import draw_backdrop
from rtrack_ros.simulation.canvas import Canvas
from rtrack_ros.simulation.figures import Look, Part, car, person
from rtrack_ros.simulation.palette import AMBIENT, CLOTHES, HAIR, SKIN
from rtrack_ros.simulation.weather import draw_weather, heat_thermal, light_rgb
from rtrack_ros.simulation.world import Camera

RGB, THERMAL = 'RGB', 'thermal'

_SEED: Final = 7
_LEAST_WIDTH: Final = 640
"""Pictures are drawn no smaller than a camera's: what shrinks them is part of the test."""
_ELEVATION_M: Final = 2.6
_HORIZON: Final = 0.32


@dataclass(frozen=True)
class Thing:
    """Something in a picture.

    Attributes:
        category: 'person' or 'car'.
        colour: Of the jacket or the paint, a word of ``palette.CLOTHES``.
        column: Place as a share of the picture's width.
        distance: Metres ahead of the camera.
    """

    category: str
    colour: str
    column: float
    distance: float


@dataclass(frozen=True, eq=False)
class Question:
    """A question whose answer is known.

    Attributes:
        sentence: What is asked for.
        pair: The picture.
        boxes: What the sentence means, in pixels of the picture; nothing where it is absent.
        sensor: The image without which nobody can answer: 'RGB' or 'thermal'.
    """

    sentence: str
    pair: FramePair
    boxes: tuple[Box, ...]
    sensor: str

    def without_its_image(self) -> 'Question':
        """Return the same question about a picture whose decisive image is black."""
        pair = self.pair
        if self.sensor == RGB:
            return replace(self, pair=replace(pair, rgb=np.zeros_like(pair.rgb)))
        return replace(self, pair=replace(pair, thermal=np.zeros(pair.rgb.shape[:2], np.uint8)))


_YELLOW: Final = Thing('person', 'yellow', 0.15, 7.5)
_RED: Final = Thing('car', 'red', 0.45, 11.0)
_BLUE: Final = Thing('person', 'blue', 0.85, 7.0)
_WARM: Final = Thing('person', 'grey', 0.3, 7.5)
_HOT: Final = Thing('car', 'white', 0.7, 11.0)

_BY_DAY: Final[dict[str, tuple[Thing, ...]]] = {
    'the red car': (_RED,), 'the person in blue': (_BLUE,), 'the person in yellow': (_YELLOW,),
    'the people on the left': (_YELLOW,), 'the dog': ()}
_IN_THE_DARK: Final[dict[str, tuple[Thing, ...]]] = {
    'every person': (_WARM,), 'all cars': (_HOT,)}


def draw_questions(image_size: tuple[int, int]) -> tuple[Question, ...]:
    """Return the questions, the same ones at every call.

    Args:
        image_size: (width, height) in pixels that the model is shown; the pictures have its
            proportions and at least its size.
    """
    grown = max(1.0, _LEAST_WIDTH / image_size[0])
    size = round(image_size[0] * grown), round(image_size[1] * grown)
    day, seen = _draw((_YELLOW, _RED, _BLUE), 'day', size)
    dark, felt = _draw((_WARM, _HOT), 'night', size)
    dark = replace(dark, rgb=np.zeros_like(dark.rgb))
    return (*(Question(sentence, day, tuple(seen[thing] for thing in meant), RGB)
              for sentence, meant in _BY_DAY.items()),
            *(Question(sentence, dark, tuple(felt[thing] for thing in meant), THERMAL)
              for sentence, meant in _IN_THE_DARK.items()))


def _draw(things: Sequence[Thing], condition: str, size: tuple[int, int]
          ) -> tuple[FramePair, dict[Thing, Box]]:
    """Return a picture of things on a road, and where they are in it."""
    width, height = size
    camera = Camera(width, height, float(min(width, height * 4 / 3)), _ELEVATION_M,
                    height * _HORIZON, pan_amplitude=0.0, pan_period=10.0, pan_phase=0.0)
    rng = np.random.default_rng(_SEED)
    backdrop = draw_backdrop(rng, 'road', camera)
    weather = draw_weather(rng, width // 2)
    inside = slice(backdrop.margin, backdrop.margin + width)
    degrees = cv2.resize(backdrop.warmth[:, inside], (width // 2, height // 2),
                         interpolation=cv2.INTER_AREA) + AMBIENT[condition]
    rgb, warm = np.ascontiguousarray(backdrop.rgb[:, inside]), degrees.astype(np.float32)
    boxes = _paint(Canvas(size, rgb, warm, AMBIENT[condition]), things, camera)
    raw = heat_thermal(warm, condition, weather, rng)
    thermal = register_thermal(ThermalNormaliser()(raw, 0), width, height)
    return FramePair(0, light_rgb(rgb, condition, weather, 0.0, [], rng), thermal), boxes


def _paint(canvas: Canvas, things: Sequence[Thing], camera: Camera) -> dict[Thing, Box]:
    boxes = {}
    for number, thing in enumerate(sorted(things, key=lambda thing: -thing.distance), start=1):
        x = (thing.column - 0.5) * camera.width * thing.distance / camera.focal
        column, row, scale = camera.project(x, thing.distance, 0.0)
        canvas.shadow(column, row, scale * (2.1 if thing.category == 'car' else 0.45))
        boxes[thing] = canvas.paint(_parts(thing), column, row, scale, number).box
    return boxes


def _parts(thing: Thing) -> list[Part]:
    colour = CLOTHES[thing.colour]
    if thing.category == 'car':
        return car(Look(colour, colour, SKIN[1], HAIR[0]), 'right', engine_on=True)
    return person(Look(colour, CLOTHES['black'], SKIN[1], HAIR[0]), 0.6, 'left', moving=True)
