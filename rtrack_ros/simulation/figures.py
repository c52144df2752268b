"""Figures: people, cars, cyclists, trees and lamps as flat parts that both cameras can draw.

A figure is a list of parts in metres: x to the right and y up from the point where it meets the
ground. Each part has a colour for the RGB camera and a temperature for the thermal one, so one
description serves both spectra and the truth mask.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.simulation.palette import CLOTHES_TEMPERATURE, SKIN_TEMPERATURE, Colour, shade

Points = NDArray[np.float64]

HEADLIGHT: Colour = (255, 246, 210)
STREET_LAMP: Colour = (250, 240, 200)
LIGHT_COLOURS = (HEADLIGHT, STREET_LAMP)
"""Parts of these colours shine at dusk and at night."""

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 20, endpoint=False)),
                    np.sin(np.linspace(0, 2 * np.pi, 20, endpoint=False))], axis=1)


@dataclass(frozen=True)
class Part:
    """One painted area.

    Attributes:
        points: (N, 2) metres, local to the figure.
        colour: RGB in daylight.
        temperature: Degrees Celsius; None means ambient.
        width: Line width in metres for an open line, 0 for a filled polygon.
    """

    points: Points
    colour: Colour
    temperature: float | None
    width: float = 0.0


@dataclass(frozen=True)
class Look:
    """What an actor looks like, fixed over its life."""

    upper: Colour
    lower: Colour
    skin: Colour
    hair: Colour
    height: float = 1.75
    warmth: float = 0.0


def disc(x: float, y: float, radius_x: float, radius_y: float | None = None) -> Points:
    """Return an ellipse around (x, y) as a polygon of 20 points, metres."""
    return _CIRCLE * (radius_x, radius_y or radius_x) + (x, y)


def limb(x0: float, y0: float, x1: float, y1: float, width0: float, width1: float) -> Points:
    """Return a tapered limb from (x0, y0) to (x1, y1) as four points, metres."""
    along = np.array([x1 - x0, y1 - y0])
    normal = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) / 2
    start, end = np.array([x0, y0]), np.array([x1, y1])
    return np.stack([start + normal * width0, end + normal * width1,
                     end - normal * width1, start - normal * width0])


def person(look: Look, phase: float, facing: str, moving: bool) -> list[Part]:
    """Return a person.

    Args:
        look: Clothes, skin, height.
        phase: Phase of the step in radians.
        facing: 'left', 'right', 'near' or 'far'.
        moving: A standing person keeps the legs together.
    """
    k = look.height / 1.75
    side = {'left': -1.0, 'right': 1.0}.get(facing, 0.0)
    # Short steps: a box that doubled its width with every step would measure legs, not tracking.
    swing = np.sin(phase) * (0.18 if moving else 0.05)
    spread = 0.0 if side else 0.09
    warm, skin_warm = CLOTHES_TEMPERATURE + look.warmth, SKIN_TEMPERATURE + look.warmth / 2
    parts: list[Part] = []
    for sign, tone in ((-1, 0.78), (1, 1.0)):
        foot = sign * (swing * (1 if side else 0.25) + spread)
        lift = max(0.0, sign * np.cos(phase)) * 0.07 if moving else 0.0
        knee = foot * 0.55 + side * 0.05 * abs(swing)
        parts.append(Part(limb(sign * spread, 0.92, knee, 0.48 + lift, 0.19, 0.14),
                          shade(look.lower, tone), warm - 2.0))
        parts.append(Part(limb(knee, 0.52 + lift, foot, 0.06 + lift, 0.14, 0.10),
                          shade(look.lower, tone * 0.95), warm - 3.5))
        parts.append(Part(limb(foot - 0.05 * (side or 0.6), 0.04 + lift,
                               foot + 0.13 * (side or 0.5), 0.04 + lift, 0.09, 0.07),
                          (44, 38, 36), warm - 8.0))
    half = 0.15 if side else 0.23
    torso = np.array([(-half, 1.42), (-half * 0.8, 1.47), (half * 0.8, 1.47), (half, 1.42),
                      (half * 0.82, 0.86), (-half * 0.82, 0.86)])
    parts.append(Part(_arm(-1, half, side, swing), shade(look.upper, 0.72), warm - 1.0))
    parts.append(Part(torso, look.upper, warm))
    parts.append(Part(torso * (0.45, 1) + (half * 0.5, 0), shade(look.upper, 0.86), warm - 0.4))
    parts.append(Part(_arm(1, half, side, swing), shade(look.upper, 0.9), warm - 0.8))
    parts.append(Part(limb(0, 1.42, 0.01 * side, 1.55, 0.11, 0.1), shade(look.skin, 0.85),
                      skin_warm))
    parts.append(Part(disc(0.02 * side, 1.62, 0.095, 0.125), look.skin, skin_warm))
    parts.extend(_hair(look, side, facing, skin_warm))
    return [Part(part.points * k, part.colour, part.temperature, part.width) for part in parts]


def _arm(sign: int, half: float, side: float, swing: float) -> Points:
    shoulder = sign * half * (0.1 if side else 1.0)
    hand = shoulder - sign * swing * (0.9 if side else 0.15) + (0.0 if side else sign * 0.06)
    return limb(shoulder, 1.4, hand, 0.84, 0.12, 0.08)


def _hair(look: Look, side: float, facing: str, temperature: float) -> list[Part]:
    if facing == 'far':
        return [Part(disc(0, 1.64, 0.1, 0.115), look.hair, temperature - 5.0)]
    cap = disc(-0.03 * side, 1.69, 0.1, 0.065)
    return [Part(cap, look.hair, temperature - 5.0)]


_CAR_BODY = np.array([(-2.1, 0.32), (-2.12, 0.72), (-1.95, 0.86), (-1.25, 0.94), (-0.7, 1.42),
                      (0.65, 1.45), (1.3, 0.98), (2.02, 0.84), (2.12, 0.6), (2.08, 0.32)])
_CAR_GLASS = np.array([(-1.08, 0.95), (-0.62, 1.34), (0.58, 1.37), (1.08, 0.97)])


def car(look: Look, facing: str, engine_on: bool) -> list[Part]:
    """Return a car seen from the side, nose towards ``facing`` ('left' or 'right')."""
    flip = np.array([-1.0 if facing == 'left' else 1.0, 1.0])
    hot = 12.0 if engine_on else 0.5
    base = 21.0 + look.warmth
    paint = look.upper
    parts = [
        Part(_CAR_BODY * flip, paint, base),
        Part(np.array([(-2.1, 0.32), (-2.1, 0.55), (2.1, 0.55), (2.08, 0.32)]) * flip,
             shade(paint, 0.7), base - 1.0),
        Part(np.array([(1.15, 0.6), (1.2, 0.98), (2.0, 0.84), (2.08, 0.58)]) * flip,
             shade(paint, 1.1), base + hot * 0.6),
        Part(_CAR_GLASS * flip, (70, 88, 100), base - 5.0),
        Part(np.array([(-0.04, 0.95), (-0.04, 1.37), (0.05, 1.37), (0.05, 0.95)]) * flip,
             shade(paint, 0.8), base),
        Part(disc(1.98, 0.68, 0.11, 0.08) * flip, HEADLIGHT if engine_on else (214, 214, 206),
             base + hot * 0.4),
        Part(disc(-2.04, 0.72, 0.07, 0.08) * flip, (200, 30, 30), base),
    ]
    for x in (-1.32, 1.34):
        parts.append(Part(disc(x, 0.33, 0.33) * flip, (32, 32, 34), base + hot * 0.7))
        parts.append(Part(disc(x, 0.33, 0.17) * flip, (150, 152, 156), base + hot))
    return parts


def cyclist(look: Look, phase: float, facing: str) -> list[Part]:
    """Return a cyclist riding towards ``facing`` ('left' or 'right')."""
    flip = np.array([-1.0 if facing == 'left' else 1.0, 1.0])
    warm, skin = CLOTHES_TEMPERATURE + 1.0 + look.warmth, SKIN_TEMPERATURE
    metal = (60, 62, 70)
    parts = [Part(np.vstack([disc(x, 0.34, 0.33), disc(x, 0.34, 0.33)[:1]]), (26, 26, 28), 19.0,
                  0.055) for x in (-0.52, 0.52)]
    frame = np.array([(-0.52, 0.34), (-0.05, 0.36), (0.4, 0.86), (-0.18, 0.8), (-0.05, 0.36)])
    parts.append(Part(frame, metal, 18.0, 0.05))
    parts.append(Part(np.array([(0.52, 0.34), (0.4, 0.86), (0.44, 1.0)]), metal, 18.0, 0.05))
    for offset, tone in ((np.pi, 0.75), (0.0, 1.0)):
        foot = (-0.05 + 0.16 * np.cos(phase + offset), 0.36 + 0.16 * np.sin(phase + offset))
        knee = (0.16 + 0.06 * np.cos(phase + offset), 0.72 + 0.10 * np.sin(phase + offset))
        parts.append(Part(limb(-0.2, 0.94, *knee, 0.19, 0.14), shade(look.lower, tone), warm))
        parts.append(Part(limb(*knee, *foot, 0.13, 0.09), shade(look.lower, tone * 0.9),
                          warm - 2.0))
    parts.append(Part(limb(-0.2, 0.9, 0.16, 1.42, 0.27, 0.3), look.upper, warm + 1.0))
    parts.append(Part(limb(0.14, 1.36, 0.42, 1.02, 0.11, 0.08), shade(look.upper, 0.85), warm))
    parts.append(Part(disc(0.24, 1.56, 0.1, 0.12), look.skin, skin))
    parts.append(Part(disc(0.22, 1.64, 0.12, 0.07), look.hair, skin - 9.0))
    return [Part(part.points * flip, part.colour, part.temperature, part.width)
            for part in parts]


def tree(seed: int) -> list[Part]:
    """Return a tree of 4 to 5 m with a trunk wide enough to hide part of a person."""
    rng = np.random.default_rng(seed)
    top = rng.uniform(3.6, 4.6)
    green = (int(rng.integers(40, 80)), int(rng.integers(92, 128)), int(rng.integers(36, 60)))
    parts = [Part(limb(0, 0, rng.uniform(-0.1, 0.1), top * 0.62, 0.5, 0.3), (86, 66, 50), None)]
    for _ in range(9):
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9)
        blob = disc(reach * np.cos(angle), top * 0.82 + 0.75 * reach * np.sin(angle),
                    rng.uniform(0.5, 0.95))
        rough = blob + rng.normal(0, 0.05, blob.shape)
        parts.append(Part(rough, shade(green, rng.uniform(0.75, 1.25)), None))
    return parts


def bush(seed: int) -> list[Part]:
    """Return a low bush, about a metre high."""
    rng = np.random.default_rng(seed)
    green = (int(rng.integers(50, 84)), int(rng.integers(96, 124)), int(rng.integers(40, 66)))
    return [Part(disc(x, rng.uniform(0.3, 0.55), rng.uniform(0.4, 0.62), rng.uniform(0.3, 0.5))
                 + rng.normal(0, 0.03, (20, 2)), shade(green, rng.uniform(0.8, 1.2)), None)
            for x in np.linspace(-0.7, 0.7, 5)]


def lamp() -> list[Part]:
    """Return a street lamp of five metres."""
    return [Part(limb(0, 0, 0, 5.0, 0.16, 0.11), (74, 78, 82), None),
            Part(limb(0, 5.0, 0.7, 5.05, 0.1, 0.1), (74, 78, 82), None),
            Part(disc(0.72, 4.97, 0.22, 0.08), STREET_LAMP, 26.0)]
