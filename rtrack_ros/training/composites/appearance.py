"""How warm and how bright a pasted person is, part by part, as clothes and cameras make it.

Two clips show a dozen people. What is warm on a person differs: a face stands out, a thick jacket
is nearly as cold as the ground, trousers lie between.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8
from rtrack_ros.training.composites.cutouts import Cutout

_HEIGHTS = (0.0, 0.12, 0.17, 0.46, 0.54, 1.0)
"""Shares of the height of a body: head, torso and legs begin and end at two of these each."""
_MIN_CONTRAST = 32.0
"""Grey levels between a person and what is behind; less cannot be found in smoke or darkness."""
_AS_SEEN = 0.25
_DYED = 0.45


def warm(rng: np.random.Generator, cutout: Cutout, behind: float) -> Cutout:
    """Return a person with another warmth of head, torso and legs; a quarter as they were seen.

    Args:
        rng: Chooses.
        cutout: At the size in which it is pasted.
        behind: Mean grey level of the place behind, from which the person stands out.
    """
    thermal = cutout.thermal.astype(np.float32)
    body = cutout.alpha > 0.5
    mean = float(thermal[body].mean())
    shape = np.full((len(thermal), 1), mean, np.float32)
    contrast = 1.0
    if rng.random() >= _AS_SEEN:
        level = float(rng.uniform(70, 215))
        shape = level * _profile(rng, cutout, ((0.95, 1.8), (0.5, 1.15), (0.7, 1.2)))
        contrast = float(rng.uniform(0.5, 1.3))
    thermal = shape + contrast * (thermal - mean)
    lead = float(thermal[body].mean()) - behind
    if abs(lead) < _MIN_CONTRAST:
        wanted = float(rng.uniform(_MIN_CONTRAST, 90))
        thermal = thermal - lead + (wanted if behind < 185 else -wanted)
    return replace(cutout, thermal=np.clip(thermal, 0, 255).astype(np.uint8))


def dress(rng: np.random.Generator, cutout: Cutout) -> Cutout:
    """Return a person in other light, or in clothes of another colour that is not named then."""
    light = _profile(rng, cutout, ((0.8, 1.2), (0.75, 1.25), (0.7, 1.3)))[..., None]
    rgb = np.clip(cutout.rgb * light, 0, 255).astype(np.uint8)
    if rng.random() >= _DYED:
        return replace(cutout, rgb=rgb)
    return replace(cutout, rgb=_dye(rng, rgb), colour=-1)


def _profile(rng: np.random.Generator, cutout: Cutout,
             spans: tuple[tuple[float, float], ...]) -> NDArray[np.float32]:
    """Return a factor for each row of a cutout, float32 (h, 1), drawn part by part."""
    parts = np.repeat([rng.uniform(*span) for span in spans], 2)
    _, top, _, bottom = cutout.box
    rows = (np.arange(cutout.alpha.shape[0]) - top) / max(bottom - top, 1)
    return np.interp(rows, _HEIGHTS, parts).astype(np.float32)[:, None]


def _dye(rng: np.random.Generator, rgb: Image8) -> Image8:
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 180)) % 180
    hsv[..., 1:] = np.clip(hsv[..., 1:] * rng.uniform((0.2, 0.6), (1.5, 1.6)), 0, 255)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)
