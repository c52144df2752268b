"""The still world: sky, buildings, road or yard, and the trees and lamps people pass behind.

A backdrop is wider than the picture by the reach of the pan, in both spectra: RGB in daylight,
and the thermal one as an offset in degrees from the ambient ground temperature.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.simulation import figures
from rtrack_ros.simulation.figures import Part
from rtrack_ros.simulation.world import Camera

_TILE = 512


@dataclass(frozen=True, eq=False)
class Occluder:
    """A still thing that hides what is behind it: (x, z) in metres and its parts."""

    x: float
    z: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The still world.

    Attributes:
        rgb: uint8 (H, W + 2 margin, 3).
        warmth: float32 (H, W + 2 margin), degrees above ambient.
        margin: Pixels beyond the picture on each side.
        occluders: Trees, bushes and lamps.
    """

    rgb: NDArray[np.uint8]
    warmth: NDArray[np.float32]
    margin: int
    occluders: tuple[Occluder, ...]


def noise_tile(rng: np.random.Generator, size: int = _TILE, octaves: int = 5
               ) -> NDArray[np.float32]:
    """Return smooth tileable noise, float32 (size, size), zero mean, about unit variance."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = 4 * 2 ** octave
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        wrapped = np.pad(coarse, 2, mode='wrap')
        factor = size // cells
        fine = cv2.resize(wrapped, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        total += fine[2 * factor:-2 * factor, 2 * factor:-2 * factor] / 1.7 ** octave
    return (total / total.std()).astype(np.float32)


def draw_backdrop(rng: np.random.Generator, place: str, camera: Camera) -> Backdrop:
    """Return the backdrop of a 'road' or a 'yard' for a camera."""
    margin = int(camera.focal * camera.pan_amplitude) + 4
    width = camera.width + 2 * margin
    noise = noise_tile(rng)
    rgb = np.zeros((camera.height, width, 3), np.float32)
    warmth = np.zeros((camera.height, width), np.float32)
    _paint_sky(rng, rgb, warmth, noise, camera)
    _paint_hedge(rng, rgb, warmth, noise, camera)
    _paint_buildings(rng, rgb, warmth, camera)
    _paint_ground(rng, rgb, warmth, noise, camera, place, margin)
    return Backdrop(rgb=np.clip(rgb, 0, 255).astype(np.uint8), warmth=warmth, margin=margin,
                    occluders=_draw_occluders(rng, place, camera))


def _paint_sky(rng: np.random.Generator, rgb: NDArray[np.float32], warmth: NDArray[np.float32],
               noise: NDArray[np.float32], camera: Camera) -> None:
    rows = int(camera.horizon) + 1
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    top = np.array([96, 142, 196], np.float32) + rng.uniform(-18, 18)
    low = np.array([196, 212, 224], np.float32) + rng.uniform(-14, 14)
    clouds = cv2.resize(noise, (rgb.shape[1], rows * 3))[:rows]
    cover = np.clip(clouds - rng.uniform(0.0, 0.9), 0, 1.2)[:, :, None] / 1.2
    rgb[:rows] = (top * (1 - down) + low * down) * (1 - cover) + 238 * cover
    warmth[:rows] = -16.0 + 6.0 * down[:, :, 0] + 3.0 * cover[:, :, 0]


def _paint_hedge(rng: np.random.Generator, rgb: NDArray[np.float32],
                 warmth: NDArray[np.float32], noise: NDArray[np.float32], camera: Camera) -> None:
    first = int(camera.horizon + camera.elevation * camera.focal / 26.0)
    profile = cv2.resize(noise[:1], (rgb.shape[1], 1), interpolation=cv2.INTER_CUBIC)[0]
    tops = camera.horizon - 8 - 9 * rng.uniform(0.4, 1.5) * np.clip(profile + 1.2, 0, 3)
    rows = np.arange(rgb.shape[0])[:, None]
    inside = (rows >= tops[None, :]) & (rows < first)
    grain = np.resize(noise, warmth.shape)
    green = np.array([74, 96, 72], np.float32) * rng.uniform(0.8, 1.2)
    rgb[inside] = (green * (1 + 0.16 * grain[:, :, None]))[inside]
    warmth[inside] = (-3.0 + 0.4 * grain)[inside]


def _paint_buildings(rng: np.random.Generator, rgb: NDArray[np.float32],
                     warmth: NDArray[np.float32], camera: Camera) -> None:
    base = int(camera.horizon + camera.elevation * camera.focal / 26.0)
    x = -int(rng.integers(0, 60))
    while x < rgb.shape[1]:
        wide = int(rng.integers(70, 190))
        tall = int(rng.uniform(0.35, 1.05) * camera.horizon)
        top = max(0, base - tall)
        tone = np.array([150, 134, 120], np.float32) * rng.uniform(0.55, 1.25)
        tone = tone + rng.uniform(-16, 16, 3)
        left, right = max(x, 0), min(x + wide, rgb.shape[1])
        if rng.random() < 0.82 and right > left:
            rgb[top:base, left:right] = tone
            warmth[top:base, left:right] = rng.uniform(-2.0, 2.0)
            _paint_windows(rng, rgb, warmth, (left, top, right, base))
        x += wide + int(rng.integers(0, 40))


def _paint_windows(rng: np.random.Generator, rgb: NDArray[np.float32],
                   warmth: NDArray[np.float32], area: tuple[int, int, int, int]) -> None:
    left, top, right, base = area
    step_x, step_y = int(rng.integers(16, 26)), int(rng.integers(20, 30))
    for row in range(top + 8, base - 18, step_y):
        for column in range(left + 6, right - 12, step_x):
            light = rng.uniform(0.5, 1.15)
            rgb[row:row + 12, column:column + 9] = np.array([72, 86, 102], np.float32) * light
            warmth[row:row + 12, column:column + 9] += rng.uniform(-1.5, 2.5)


def _paint_ground(rng: np.random.Generator, rgb: NDArray[np.float32],
                  warmth: NDArray[np.float32], noise: NDArray[np.float32], camera: Camera,
                  place: str, margin: int) -> None:
    first = int(camera.horizon + camera.elevation * camera.focal / 26.0)
    rows = np.arange(first, camera.height, dtype=np.float32)[:, None]
    z = camera.elevation * camera.focal / np.maximum(rows - camera.horizon, 1.0)
    columns = np.arange(rgb.shape[1], dtype=np.float32)[None, :] - margin - camera.width / 2
    x = columns * z / camera.focal
    depth = np.broadcast_to(z, x.shape)
    grain = _sample(noise, x * 60, depth * 60) / (1 + depth / 9)
    broad = _sample(noise, x * 6, depth * 6)
    colour, warm = (_road if place == 'road' else _yard)(rng, x, depth, broad)
    texture = 1 + 0.10 * grain[:, :, None] + 0.05 * broad[:, :, None]
    haze = np.clip(depth / 90, 0, 0.3)[:, :, None]
    rgb[first:] = colour * texture * (1 - haze) + 190 * haze
    warmth[first:] = warm + 0.35 * grain + 0.5 * broad


def _sample(tile: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]
            ) -> NDArray[np.float32]:
    return np.asarray(cv2.remap(tile, np.mod(x, _TILE - 1).astype(np.float32),
                                np.mod(y, _TILE - 1).astype(np.float32), cv2.INTER_LINEAR),
                      dtype=np.float32)


def _road(rng: np.random.Generator, x: NDArray[np.float32], z: NDArray[np.float32],
          broad: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    asphalt = np.array([92, 92, 95], np.float32) * rng.uniform(0.75, 1.15)
    paving = np.array([158, 150, 140], np.float32) * rng.uniform(0.8, 1.1)
    grass = np.array([92, 122, 66], np.float32) * rng.uniform(0.8, 1.15)
    colour = np.empty((*x.shape, 3), np.float32)
    colour[:] = asphalt
    warm = np.full(x.shape, 2.0, np.float32)
    near, far = z < 9.6, z > 15.8
    colour[near | far], warm[near | far] = paving, 0.5
    joints = (np.mod(x, 1.2) < 0.05) | (np.mod(z, 1.2) < 0.06)
    colour[(near | far) & joints] *= 0.82
    colour[z > 20.5], warm[z > 20.5] = grass, -2.0
    colour[((z > 9.6) & (z < 9.8)) | ((z > 15.6) & (z < 15.8))] = 176
    dashes = (np.abs(z - 12.7) < 0.08) & (np.mod(x, 4.0) < 2.0)
    colour[dashes] = 226
    crossing = rng.uniform(-3, 3)
    zebra = (np.abs(x - crossing) < 1.6) & (z > 9.9) & (z < 15.5) & (np.mod(z, 1.1) < 0.55)
    colour[zebra] = 214
    return colour, warm - 0.4 * broad


def _yard(rng: np.random.Generator, x: NDArray[np.float32], z: NDArray[np.float32],
          broad: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    gravel = np.array([150, 142, 128], np.float32) * rng.uniform(0.75, 1.1)
    grass = np.array([86, 118, 62], np.float32) * rng.uniform(0.8, 1.2)
    share = 1 / (1 + np.exp(-(broad * 1.5 + rng.uniform(-1.5, 1.0)) * 3))
    colour = gravel * share[:, :, None] + grass * (1 - share[:, :, None])
    slope = rng.uniform(-0.25, 0.25)
    path = np.abs(z - 11 - slope * x) < 1.2
    colour[path] = np.array([176, 166, 150], np.float32) * rng.uniform(0.85, 1.1)
    warm = np.where(path, 1.0, 1.5 * share - 1.5).astype(np.float32)
    return colour.astype(np.float32), warm


def _draw_occluders(rng: np.random.Generator, place: str, camera: Camera) -> tuple[Occluder, ...]:
    found: list[Occluder] = []
    for _ in range(int(rng.integers(1, 4))):
        z = rng.uniform(9.2, 10.0) if place == 'road' else rng.uniform(7.5, 14.0)
        if rng.random() < 0.35:
            z = rng.uniform(18.0, 21.0)
        x = rng.uniform(-1.1, 1.1) * camera.width / 2 / camera.focal * z
        kind = rng.random()
        seed = int(rng.integers(1 << 30))
        parts = (figures.tree(seed) if kind < 0.5 else
                 figures.bush(seed) if kind < 0.75 else figures.lamp())
        found.append(Occluder(x, z, tuple(parts)))
    return tuple(found)
