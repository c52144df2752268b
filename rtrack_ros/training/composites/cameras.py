"""What stands between a composed scene and the picture: smoke, exposure, shading, blur, noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8


def veil(rng: np.random.Generator, rgb: Image8, noise: NDArray[np.float32]) -> Image8:
    """Return RGB (h, w, 3) under smoke of any colour that is thick here and thin there.

    Args:
        rng: Chooses density, colour and where the smoke lies.
        rgb: The clear scene.
        noise: Tileable noise of zero mean and unit variance, float32 (n, n).
    """
    height, width = rgb.shape[:2]
    density = (rng.uniform(0.2, 1.0) + rng.uniform(0.05, 0.35) * _cloud(rng, noise, width, height)
               + _ramp(rng, width, height) * rng.uniform(0, 0.7))
    share = np.clip(density, 0, rng.uniform(0.9, 1.0))[..., None].astype(np.float32)
    colour = rng.uniform(85, 205) * np.array([rng.uniform(0.88, 1.05), 1.0,
                                              rng.uniform(0.95, 1.14)])
    tone = colour + rng.uniform(4, 18) * _cloud(rng, noise, width, height)[..., None]
    return np.clip(rgb + share * (tone - rgb), 0, 255).astype(np.uint8)


def _cloud(rng: np.random.Generator, noise: NDArray[np.float32], width: int, height: int
           ) -> NDArray[np.float32]:
    down = int(rng.uniform(0.12, 0.5) * noise.shape[0])
    across = min(down * width // height, noise.shape[1])
    top, left = int(rng.integers(noise.shape[0])), int(rng.integers(noise.shape[1]))
    rolled = np.roll(noise, (top, left), (0, 1))[:down, :across]
    return np.asarray(cv2.resize(rolled, (width, height), interpolation=cv2.INTER_LINEAR))


def _ramp(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Return -1 to 1 in a random direction across the picture, float32 (h, w)."""
    angle = rng.uniform(0, 2 * np.pi)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return np.asarray(down * np.float32(np.sin(angle)) + across * np.float32(np.cos(angle)))


def expose(rng: np.random.Generator, thermal: Image8) -> Image8:
    """Return thermal (h, w) as another camera might show it.

    The curve, gain, level, shading towards the edges (a warm housing), blur and noise change;
    blur and noise are in pixels of the model's input.
    """
    height, width = thermal.shape
    values = (thermal.astype(np.float32) / 255) ** np.float32(rng.uniform(0.6, 1.5))
    gain = np.float32(rng.uniform(0.6, 1.15))
    level = rng.uniform(-0.1, 0.06) if rng.random() < 0.75 else rng.uniform(0.06, 0.3)
    # A place that is white all over would hide all people in it.
    level = min(level, 0.75 - float(np.percentile(values[::8, ::8], 80) * gain))
    values = values * gain + np.float32(level)
    if rng.random() < 0.4:
        edge = np.clip(np.abs(_ramp(rng, width, height)) - rng.uniform(0.2, 0.8), 0, 1)
        values = values + np.float32(rng.uniform(-0.1, 0.3)) * edge
    if rng.random() < 0.5:
        values = np.asarray(cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.3, 0.9))),
                            np.float32)
    noise = rng.standard_normal(values.shape, np.float32) * np.float32(rng.uniform(0, 0.015))
    return np.clip((values + noise) * 255, 0, 255).astype(np.uint8)
