"""Many backgrounds out of few emptied places: mixed, warmed otherwise, with skylines and posts.

A model that has seen two places knows their people by where they stand. Places are therefore cut
along a line and joined with another, and what stands in them is warm or cold by chance.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8
from rtrack_ros.training.composites.composition import Canvas
from rtrack_ros.training.composites.places import Place

_MIXED = 0.55
_TONED = 0.7
_SKYLINE = 0.45
_POSTS = (0.55, 0.2, 0.15, 0.1)
"""Share of frames with 0, 1, 2, 3 posts or trunks behind people."""
_AT_EDGE = 0.35
_THINGS = (0.5, 0.22, 0.16, 0.12)


def vary_place(rng: np.random.Generator, place: Place, others: Sequence[Place],
               noise: NDArray[np.float32]) -> Place:
    """Return a place of which only the geometry is known.

    Args:
        rng: Chooses what is changed.
        place: An emptied place without objects.
        others: Places of the same size to mix in.
        noise: Tileable noise of zero mean and unit variance, float32 (n, n).
    """
    rgb, heat = place.rgb.astype(np.float32), place.thermal.astype(np.float32)
    if rng.random() < _MIXED:
        other_rgb, other_heat = _part(rng, others[int(rng.integers(len(others)))])
        share = _side(rng, heat.shape)
        rgb = rgb + share[..., None] * (other_rgb - rgb)
        heat = heat + share * (_tone(rng, other_heat) - heat)
    if rng.random() < _TONED:
        heat = _tone(rng, heat)
        rgb = rgb * (rng.uniform(0.6, 1.25) * rng.uniform(0.9, 1.1, 3)).astype(np.float32)
    if rng.random() < _SKYLINE:
        rgb, heat = _skyline(rng, rgb, heat, noise)
    return replace(place, rgb=np.clip(rgb, 0, 255).astype(np.uint8),
                   thermal=np.clip(heat, 0, 255).astype(np.uint8))


def _part(rng: np.random.Generator, place: Place
          ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a random part of a place, mirrored or not, at the size of the whole."""
    height, width = place.thermal.shape
    across, down = (int(span * rng.uniform(0.4, 1.0)) for span in (width, height))
    left, top = (int(rng.integers(0, span + 1)) for span in (width - across, height - down))
    step = -1 if rng.random() < 0.5 else 1
    area = np.s_[top:top + down, left:left + across]
    rgb, heat = (cv2.resize(np.ascontiguousarray(image[area][:, ::step]), (width, height))
                 for image in (place.rgb, place.thermal))
    return rgb.astype(np.float32), heat.astype(np.float32)


def _side(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a mask, float32 (h, w) in [0, 1], of what lies on one side of a random line."""
    height, width = shape
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    through = rng.uniform((0.25 * width, 0.25 * height), (0.75 * width, 0.75 * height))
    distance = (columns - through[0]) * np.cos(angle) + (rows - through[1]) * np.sin(angle)
    return np.clip(distance / rng.uniform(1, 40) + 0.5, 0, 1).astype(np.float32)


def _tone(rng: np.random.Generator, heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return heat on another scale; one in eight times what was warm is cold."""
    low = rng.uniform(0, 55)
    high = rng.uniform(low + 25, 255)
    share = np.clip(heat / 255, 0, 1) ** rng.uniform(0.6, 1.4)
    if rng.random() < 0.125:
        share = 1 - share
    return np.asarray(low + (high - low) * share, np.float32)


def _skyline(rng: np.random.Generator, rgb: NDArray[np.float32], heat: NDArray[np.float32],
             noise: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Paint a rugged band of trees or houses across, at the height of heads or above."""
    height, width = heat.shape
    middle, thick = rng.uniform(0.1, 0.55) * height, rng.uniform(14, 70)
    left, top = (int(value) for value in rng.integers(0, 200, 2))
    grain = cv2.resize(noise[top:top + 160, left:left + 213], (width, height))
    rows = np.arange(height, dtype=np.float32)[:, None]
    band = np.clip(1.4 - np.abs(rows - middle + 12 * grain[:1]) / thick, 0, 1)
    share = band * np.clip(0.5 + rng.uniform(0.2, 1.0) * grain, 0, 1)
    warmth, colour = rng.uniform(60, 255), rng.uniform(20, 190, 3)
    texture = grain[..., None] * rng.uniform(5, 25)
    return (rgb + share[..., None] * (colour + texture - rgb),
            heat + share * (warmth + texture[..., 0] - heat))


def place_things(rng: np.random.Generator, canvas: Canvas) -> None:
    """Paint posts, and warm things that are no people: machines, windows, fires."""
    for _ in range(int(rng.choice(len(_POSTS), p=_POSTS))):
        _paint(rng, canvas, _post(rng, canvas.thermal.shape), (0, 190))
    for _ in range(int(rng.choice(len(_THINGS), p=_THINGS))):
        _paint(rng, canvas, _thing(rng, canvas.thermal.shape), (90, 255))


def _post(rng: np.random.Generator, shape: tuple[int, ...]) -> Image8:
    """Return the mask of a post, a trunk or the edge of a wall: upright, ending anywhere."""
    height, width = shape
    mask = np.zeros((height, width), np.uint8)
    thick = rng.uniform(3, 70)
    column = rng.uniform(-10, width + 10)
    if rng.random() < _AT_EDGE:  # where it looks like a person half out of the picture
        column = rng.uniform(-0.8, 0) * thick + (width if rng.random() < 0.5 else 0)
    top, bottom = rng.uniform(-60, 0.5 * height), rng.uniform(0.45 * height, 1.2 * height)
    lean = rng.uniform(-25, 25)
    corners = np.array([[column, top], [column + thick, top], [column + thick + lean, bottom],
                        [column + lean, bottom]])
    cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
    return mask


def _thing(rng: np.random.Generator, shape: tuple[int, ...]) -> Image8:
    height, width = shape
    mask = np.zeros((height, width), np.uint8)
    across, down = (int(value) for value in rng.uniform((8, 8), (130, 70)))
    left, top = int(rng.integers(0, width - across)), int(rng.integers(0, height - down))
    if rng.random() < 0.5:
        cv2.ellipse(mask, (left + across // 2, top + down // 2), (across // 2, down // 2),
                    float(rng.uniform(0, 180)), 0, 360, 255, -1)
    else:
        cv2.rectangle(mask, (left, top), (left + across, top + down), 255, -1)
    return mask


def _paint(rng: np.random.Generator, canvas: Canvas, mask: Image8, warmth: tuple[float, float]
           ) -> None:
    """Lay a thing of one colour, warmer above or below, over the canvas."""
    sigma = float(rng.uniform(0.7, 4))
    left, top, across, down = cv2.boundingRect(mask)
    edge = int(3 * sigma) + 1
    area = np.s_[max(top - edge, 0):top + down + edge, max(left - edge, 0):left + across + edge]
    soft = cv2.GaussianBlur(mask[area], (0, 0), sigma).astype(np.float32) / 255
    upper, lower = (float(value) for value in rng.uniform(0.6, 1.3, 2))
    slope = np.linspace(upper, lower, mask.shape[0], dtype=np.float32)[area[0], None]
    warm, colour = float(rng.uniform(*warmth)) * slope, rng.uniform(20, 230, 3)
    heat, rgb = canvas.thermal[area], canvas.rgb[area]
    veil = float(rng.uniform(0, 0.95)) * soft[..., None]
    canvas.thermal[area] = np.clip(heat + soft * (warm - heat), 0, 255)
    canvas.rgb[area] = np.clip(rgb + veil * (colour * slope[..., None] - rgb), 0, 255)
