"""Weather: how light, smoke and heat change what each camera sees.

Every effect is a function of the clean picture and of random numbers of its frame, so that a
frame depends on nothing but the seed and its index.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.simulation.backdrop import noise_tile
from rtrack_ros.simulation.palette import AMBIENT

CONDITIONS: tuple[str, ...] = ('day', 'dusk', 'night', 'smoke', 'glare', 'crossover')
"""Names of the conditions a scene can show."""

COUNTS_PER_DEGREE = 100.0
"""Raw thermal counts per degree; a count is kelvin x 100, as a radiometric Lepton gives."""

Light = tuple[float, float, float]
"""Column, row and radius in pixels of a lamp or headlight."""


@dataclass(frozen=True, eq=False)
class Weather:
    """What a scene's weather needs from frame to frame.

    Attributes:
        smoke: Tileable smoke texture, float32 (512, 512).
        grain: Sensor noise, float32 (1024, 1024), unit variance.
        fixed_pattern: Column noise of the thermal sensor, float32 (w,), degrees.
        strength: 0 mild to 1 severe.
        drift: Smoke motion in pixels per second (x, y).
        sun: Column and row of the glare as shares of the picture.
    """

    smoke: NDArray[np.float32]
    grain: NDArray[np.float32]
    fixed_pattern: NDArray[np.float32]
    strength: float
    drift: tuple[float, float]
    sun: tuple[float, float]


def draw_weather(rng: np.random.Generator, thermal_width: int) -> Weather:
    """Return a random weather."""
    return Weather(smoke=noise_tile(rng, octaves=4),
                   grain=rng.standard_normal((1024, 1024)).astype(np.float32),
                   fixed_pattern=(rng.standard_normal(thermal_width) * 0.08).astype(np.float32),
                   strength=float(rng.uniform(0.2, 1.0)),
                   drift=(float(rng.uniform(-40, 40)), float(rng.uniform(-14, 4))),
                   sun=(float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.1, 0.6))))


def light_rgb(image: NDArray[np.uint8], condition: str, weather: Weather, seconds: float,
              lights: list[Light], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the RGB picture under a condition, with sensor noise; shape unchanged."""
    if condition == 'night':
        lit = _night(image, weather, lights)
    elif condition == 'dusk':
        gain = 0.55 - 0.25 * weather.strength
        lit = cv2.LUT(image, _tone((gain * 1.12, gain * 0.92, gain * 0.86)))
        lit = _glow(lit, lights, 70.0)
    elif condition == 'smoke':
        lit = _smoke(image, weather, seconds)
    elif condition == 'glare':
        lit = _glare(image, weather)
    else:
        lit = image
    sigma = {'night': 5.0, 'dusk': 3.5}.get(condition, 2.0)
    return _add_grain(np.asarray(lit, np.uint8), weather, sigma, rng)


def heat_thermal(degrees: NDArray[np.float32], condition: str, weather: Weather,
                 rng: np.random.Generator) -> NDArray[np.uint16]:
    """Return raw counts of a picture in degrees Celsius, uint16 (h, w), shape unchanged."""
    field = degrees
    if condition == 'smoke':
        keep = 1.0 - 0.25 * weather.strength
        field = field * keep + (AMBIENT['smoke'] + 2.0) * (1 - keep)
    noisy = (cv2.GaussianBlur(field, (3, 3), 0.8) + weather.fixed_pattern
             + 0.12 * _crop(weather.grain, field.shape, rng))
    return np.clip((noisy + 273.15) * COUNTS_PER_DEGREE, 0, 65535).astype(np.uint16)


def _tone(gains: tuple[float, float, float]) -> NDArray[np.uint8]:
    ramp = np.arange(256, dtype=np.float32)
    return np.stack([np.clip(ramp * gain, 0, 255) for gain in gains], axis=1
                    )[:, None, :].transpose(1, 0, 2).astype(np.uint8)


def _night(image: NDArray[np.uint8], weather: Weather, lights: list[Light]
           ) -> NDArray[np.uint8]:
    gain = 0.16 - 0.10 * weather.strength
    dark = cv2.LUT(image, _tone((gain * 0.85, gain * 0.9, gain * 1.1)))
    return _glow(np.asarray(dark, np.uint8), lights, 190.0)


def _glow(image: NDArray[np.uint8], lights: list[Light], power: float) -> NDArray[np.uint8]:
    if not lights:
        return image
    height, width = image.shape[:2]
    small = np.zeros((height // 8, width // 8), np.float32)
    for column, row, radius in lights:
        cv2.circle(small, (int(column / 8), int(row / 8)), max(1, int(radius / 8)), power, -1)
    spread = cv2.GaussianBlur(small, (0, 0), 2.5) + 0.6 * cv2.GaussianBlur(small, (0, 0), 0.8)
    halo = np.clip(cv2.resize(spread, (width, height)), 0, 255).astype(np.uint8)
    tint = cv2.merge([halo, cv2.convertScaleAbs(halo, alpha=0.9),
                      cv2.convertScaleAbs(halo, alpha=0.68)])
    return np.asarray(cv2.add(image, tint), np.uint8)


def _smoke(image: NDArray[np.uint8], weather: Weather, seconds: float) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    shift = (int(weather.drift[0] * seconds / 4) % 512, int(weather.drift[1] * seconds / 4) % 512)
    rolled = np.roll(weather.smoke, (shift[1], shift[0]), (0, 1))
    cloud = cv2.resize(rolled[:height // 4, :width // 4], (width, height))
    density = 0.45 + 0.42 * weather.strength + 0.22 * cloud
    alpha = np.clip(density, 0.05, 0.985)[:, :, None]
    tone = 176 + 14 * cloud[:, :, None]
    return np.clip(image * (1 - alpha) + tone * alpha, 0, 255).astype(np.uint8)


def _glare(image: NDArray[np.uint8], weather: Weather) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    rows, columns = np.ogrid[:height // 4, :width // 4]
    distance = np.hypot(columns * 4 - weather.sun[0] * width, rows * 4 - weather.sun[1] * height)
    reach = width * (0.10 + 0.16 * weather.strength)
    bloom = 330.0 * np.exp(-(distance / reach) ** 1.5) + 60.0 * np.exp(-distance / (3 * reach))
    veil = np.clip(cv2.resize(bloom.astype(np.float32), (width, height)), 0, 255)
    return np.asarray(cv2.add(image, cv2.merge([veil.astype(np.uint8)] * 3)), np.uint8)


def _crop(grain: NDArray[np.float32], shape: tuple[int, ...], rng: np.random.Generator
          ) -> NDArray[np.float32]:
    top = int(rng.integers(0, max(1, grain.shape[0] - shape[0])))
    left = int(rng.integers(0, max(1, grain.shape[1] - shape[1])))
    tile = grain[top:top + shape[0], left:left + shape[1]]
    if tile.shape != tuple(shape[:2]):
        tile = np.tile(tile, (shape[0] // tile.shape[0] + 1, shape[1] // tile.shape[1] + 1))
    return tile[:shape[0], :shape[1]]


def _add_grain(image: NDArray[np.uint8], weather: Weather, sigma: float,
               rng: np.random.Generator) -> NDArray[np.uint8]:
    grain = cv2.convertScaleAbs(_crop(weather.grain, image.shape[:2], rng), alpha=sigma)
    sign = rng.random() < 0.5
    triple = cv2.merge([grain, grain, grain])
    half = cv2.subtract(image, triple) if sign else cv2.add(image, triple)
    return np.asarray(half, np.uint8)
