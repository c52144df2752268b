"""A world of textured rectangles whose motion is known exactly; a machine without a network."""

import functools
import os
import pathlib
import runpy
import sys
from collections.abc import Callable

import cv2
import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.queries import Query

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile('untimed', deadline=None)
hypothesis.settings.load_profile('untimed')

WIDTH, HEIGHT, FPS = 640, 480, 30
PERIOD_NS = 1_000_000_000 // FPS

Path = Callable[[float], tuple[float, float, float, float]]


def texture(seed: int, width: int, height: int, low: int = 40, high: int = 220) -> NDArray:
    """Smooth noise with corners everywhere, uint8 (height, width)."""
    noise = np.random.default_rng(seed).random((height // 8 + 2, width // 8 + 2))
    smooth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(low + (high - low) * smooth, 0, 255).astype(np.uint8)


class World:
    """Rectangles on a textured ground, seen in RGB and thermal.

    Args:
        paths: For each object, seconds -> x1, y1, x2, y2 in world pixels.
        pan: Camera speed in pixels per second, to the right.
        rgb: Whether RGB shows anything.
        thermal: Whether there is a thermal image.
        wall: x1, y1, x2, y2 of an occluder in world pixels.
        hues: Colour of each object, added to its texture.
    """

    def __init__(self, paths: list[Path], pan: float = 0.0, rgb: bool = True,
                 thermal: bool = True, wall: tuple[int, int, int, int] | None = None,
                 hues: list[tuple[int, int, int]] | None = None) -> None:
        self.paths, self.pan, self.rgb, self.thermal, self.wall = paths, pan, rgb, thermal, wall
        self.hues = hues or [(60, 0, -60), (-60, 0, 60), (0, 60, -60), (60, -60, 60)] * 20
        self._ground = texture(1, WIDTH * 2, HEIGHT)
        self._warm = texture(2, WIDTH * 2, HEIGHT, 30, 70)
        self._coats = [texture(10 + i, 100, 100) for i in range(len(paths))]

    def boxes(self, index: int) -> NDArray[np.float64]:
        """True boxes in image pixels on frame ``index``."""
        seconds = index / FPS
        shift = self.pan * seconds
        return np.array([path(seconds) for path in self.paths]) - [shift, 0, shift, 0]

    def pair(self, index: int) -> FramePair:
        """Render frame ``index``."""
        shift = self.pan * index / FPS
        ground = self._window(self._ground, shift)
        rgb = np.repeat(ground[:, :, None], 3, axis=2).astype(np.int16)
        warm = self._window(self._warm, shift)
        for box, coat, hue in zip(self.boxes(index), self._coats, self.hues, strict=False):
            patch, mask, place = self._place(coat, box)
            rgb[place][mask] = (patch[:, :, None] * 0.5 + 64 + np.array(hue))[mask]
            warm[place][mask] = (patch * 0.3 + 170)[mask]
        if self.wall is not None:
            x1, y1, x2, y2 = self.wall
            grey = texture(99, x2 - x1, y2 - y1)
            rgb[y1:y2, x1:x2] = grey[:, :, None]
            warm[y1:y2, x1:x2] = grey // 4
        image = np.clip(rgb, 0, 255).astype(np.uint8) if self.rgb else np.zeros(
            (HEIGHT, WIDTH, 3), np.uint8)
        return FramePair(self.stamp(index), image,
                         warm.astype(np.uint8) if self.thermal else None)

    @staticmethod
    def stamp(index: int) -> int:
        """Stamp of frame ``index``; like a robot's clock it does not start at zero."""
        return 1_700_000_000_000_000_000 + index * PERIOD_NS

    def answer(self, index: int, *, epoch: int = 1, only: list[int] | None = None) -> Answer:
        """The exact answer about frame ``index``."""
        boxes = self.boxes(index)
        chosen = range(len(boxes)) if only is None else only
        return Answer(self.stamp(index), 'default', epoch, tuple(
            Grounding(tuple(float(edge) for edge in boxes[i]), f'object {i}') for i in chosen))

    @staticmethod
    def _window(image: NDArray, shift: float) -> NDArray:
        matrix = np.array([[1, 0, -shift], [0, 1, 0]])
        return cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)

    @staticmethod
    def _place(coat: NDArray, box: NDArray[np.float64]) -> tuple[NDArray, NDArray, tuple]:
        """Draw a coat with sub-pixel accuracy; returns patch, mask and the slices they fill."""
        x1, y1 = np.maximum(np.floor(box[:2]), 0).astype(int)
        x2, y2 = np.minimum(np.ceil(box[2:]), (WIDTH, HEIGHT)).astype(int)
        size = (max(int(x2 - x1), 1), max(int(y2 - y1), 1))
        if x2 <= x1 or y2 <= y1:
            x1, y1, x2, y2 = 0, 0, 0, 0
        matrix = np.array([[(box[2] - box[0]) / 100, 0, box[0] - x1],
                           [0, (box[3] - box[1]) / 100, box[1] - y1]])
        patch = cv2.warpAffine(coat, matrix, size)[:y2 - y1, :x2 - x1]
        mask = cv2.warpAffine(np.full_like(coat, 255), matrix, size)[:y2 - y1, :x2 - x1] > 127
        return patch, mask, (slice(y1, y2), slice(x1, x2))


def straight(x: float, y: float, vx: float, vy: float, width: float = 60,
             height: float = 100) -> Path:
    """A path at constant velocity, pixels per second."""
    return lambda t: (x + vx * t, y + vy * t, x + vx * t + width, y + vy * t + height)


@pytest.fixture
def make_world() -> type[World]:
    return World


@pytest.fixture
def make_path() -> Callable[..., Path]:
    return straight


@pytest.fixture
def queries() -> tuple[Query, ...]:
    return (Query('default', 'all objects', 1),)


@functools.cache
def _hear_lookups(folder: pathlib.Path) -> None:
    sys.addaudithook(runpy.run_path(str(folder / 'sitecustomize.py'))['refuse'])


@pytest.fixture
def lookups(tmp_path_factory: pytest.TempPathFactory,
            monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Return a file of what this process and those it starts look up; none of it is answered."""
    folder = pathlib.Path(__file__).parent / 'lookups'
    log = tmp_path_factory.mktemp('lookups') / 'log'
    log.touch()
    monkeypatch.setenv('RTRACK_TEST_LOOKUPS', str(log))
    monkeypatch.setenv('PYTHONPATH', str(folder), prepend=os.pathsep)
    _hear_lookups(folder)
    return log
