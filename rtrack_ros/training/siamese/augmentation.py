"""Pairs of patches as other cameras would show them: mirrored, blurred, brighter, noisy, blind.

The simulated world is sharper and cleaner than cameras are, and its two moments are exposed alike.
The amounts are our choice.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8
from rtrack_ros.tracking.appearance.siamese import SIDE
from rtrack_ros.training.siamese.pairs import Pairs

MIRRORED_SHARE = 0.5
BLURRED_SHARE = 0.5
_SHARPNESS = (0.3, 0.9)
_GAIN, _OFFSET = 0.12, 8.0
_TEMPLATE_NOISE, _SEARCH_NOISE = 4.0, 5.0
THERMAL_LOSS, RGB_LOSS = 0.06, 0.04


def augment(rng: np.random.Generator, pairs: Pairs) -> Pairs:
    """Return the pairs, changed so that what is said of them stays true; uint8 as before."""
    pairs = _mirrored(pairs, rng.random(len(pairs)) < MIRRORED_SHARE)
    both = np.concatenate([pairs.templates, pairs.searches], axis=3)
    for row in np.flatnonzero(rng.random(len(pairs)) < BLURRED_SHARE):
        both[row] = _blurred(both[row], rng.uniform(*_SHARPNESS))
    templates, searches = both[..., :2].astype(np.float32), both[..., 2:].astype(np.float32)
    levels = (len(pairs), 1, 1, 2)
    searches *= np.exp(rng.normal(0, _GAIN, levels)).astype(np.float32)
    searches += rng.normal(0, _OFFSET, levels).astype(np.float32)
    _add_noise(rng, templates, _TEMPLATE_NOISE)
    _add_noise(rng, searches, _SEARCH_NOISE)
    _lose_sensor(rng, templates, searches)
    return Pairs(_as_image(templates), _as_image(searches), pairs.places, pairs.visibility)


def _mirrored(pairs: Pairs, which: NDArray[np.bool_]) -> Pairs:
    templates, searches = pairs.templates.copy(), pairs.searches.copy()
    places = pairs.places.copy()
    for patches in (templates, searches):
        patches[which] = patches[which, :, ::-1]
    places[which, 0] *= -1
    return Pairs(templates, searches, places, pairs.visibility)


def _blurred(patch: Image8, sharpness: float) -> NDArray[np.uint8]:
    """Return a patch (SIDE, SIDE, C) that was ``sharpness * SIDE`` pixels wide in between."""
    side = round(SIDE * sharpness)
    small = cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIDE, SIDE)), np.uint8)


def _add_noise(rng: np.random.Generator, patches: NDArray[np.float32], most: float) -> None:
    """Add white noise to patches (N, SIDE, SIDE, 2), of up to ``most`` grey levels each."""
    noise = rng.standard_normal(patches.shape, np.float32)
    patches += noise * rng.uniform(0, most, (len(patches), 1, 1, 1)).astype(np.float32)


def _lose_sensor(rng: np.random.Generator, templates: NDArray[np.float32],
                 searches: NDArray[np.float32]) -> None:
    """Blacken one spectrum of some pairs, as a silent camera does."""
    draw = rng.random(len(templates))
    for channel, lost in ((1, draw < THERMAL_LOSS), (0, draw > 1 - RGB_LOSS)):
        templates[lost, :, :, channel] = 0
        searches[lost, :, :, channel] = 0


def _as_image(patches: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(patches), 0, 255).astype(np.uint8)
