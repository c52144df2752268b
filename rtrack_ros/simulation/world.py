"""The camera and the actors that move on the ground in front of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.simulation import figures
from rtrack_ros.simulation.figures import Look, Part
from rtrack_ros.simulation.palette import CLOTHES, HAIR, SKIN

MOVING_SPEED = 0.25
"""Metres per second above which an actor is said to move."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along the ground and may pan.

    Attributes:
        width: Image width in pixels.
        height: Image height in pixels.
        focal: Focal length in pixels.
        elevation: Height above the ground in metres.
        horizon: Image row of the horizon in pixels.
        pan_amplitude: Largest pan angle in radians, 0 for a still camera.
        pan_period: Seconds of one pan forth and back.
        pan_phase: Where in the pan the scene begins, radians.
    """

    width: int
    height: int
    focal: float
    elevation: float
    horizon: float
    pan_amplitude: float
    pan_period: float
    pan_phase: float

    def pan(self, seconds: float) -> float:
        """Return the shift of the picture in pixels at a time."""
        angle = 2 * np.pi * seconds / self.pan_period + self.pan_phase
        return float(self.focal * self.pan_amplitude * np.sin(angle))

    def project(self, x: float, z: float, seconds: float) -> tuple[float, float, float]:
        """Return (column, row of the ground contact, pixels per metre) of a ground point.

        Args:
            x: Metres to the right of the camera.
            z: Metres ahead.
            seconds: Time, for the pan.
        """
        scale = self.focal / z
        column = self.width / 2 + x * scale - self.pan(seconds)
        return column, self.horizon + self.elevation * scale, scale


@dataclass(frozen=True, eq=False)
class Actor:
    """A person, car or cyclist that sentences refer to.

    Attributes:
        id: Positive, unique in the scene.
        category: 'person', 'car' or 'cyclist'.
        upper: Colour word of the jacket or the paint.
        lower: Colour word of the trousers; empty for cars.
        look: What is painted.
        times: (N,) seconds of the way points.
        places: (N, 2) metres, x to the right and z ahead.
        stride: Radians of the step cycle per metre.
    """

    id: int
    category: str
    upper: str
    lower: str
    look: Look
    times: NDArray[np.float64]
    places: NDArray[np.float64]
    stride: float

    def place(self, seconds: float) -> tuple[float, float]:
        """Return (x, z) in metres at a time; still before the first and after the last point."""
        return (float(np.interp(seconds, self.times, self.places[:, 0])),
                float(np.interp(seconds, self.times, self.places[:, 1])))

    def velocity(self, seconds: float) -> tuple[float, float]:
        """Return (vx, vz) in metres per second at a time."""
        (x0, z0), (x1, z1) = self.place(seconds - 0.05), self.place(seconds + 0.05)
        return (x1 - x0) / 0.1, (z1 - z0) / 0.1

    def facing(self, seconds: float) -> str:
        """Return 'left', 'right', 'near' or 'far'; a standing actor keeps its last direction."""
        vx, vz = self.velocity(seconds)
        if np.hypot(vx, vz) < MOVING_SPEED:
            vx, vz = self._last_direction(seconds)
        if self.category != 'person' or abs(vx) >= 0.7 * abs(vz):
            return 'left' if vx < 0 else 'right'
        return 'near' if vz < 0 else 'far'

    def moving(self, seconds: float) -> bool:
        """Return whether the actor moves at a time."""
        return float(np.hypot(*self.velocity(seconds))) >= MOVING_SPEED

    def parts(self, seconds: float) -> list[Part]:
        """Return the painted parts at a time, metres, local to the ground contact."""
        x, z = self.place(seconds)
        phase = (abs(x) + abs(z)) * self.stride
        facing, moving = self.facing(seconds), self.moving(seconds)
        if self.category == 'car':
            return figures.car(self.look, facing, moving)
        if self.category == 'cyclist':
            return figures.cyclist(self.look, phase, facing)
        return figures.person(self.look, phase, facing, moving)

    def _last_direction(self, seconds: float) -> tuple[float, float]:
        steps = np.diff(self.places, axis=0)
        long = np.hypot(steps[:, 0], steps[:, 1]) > 0.2
        before = np.flatnonzero(long & (self.times[:-1] <= seconds))
        chosen = before[-1] if before.size else (int(np.argmax(long)) if long.any() else 0)
        return float(steps[chosen, 0]), float(steps[chosen, 1])


def draw_camera(rng: np.random.Generator, size: tuple[int, int]) -> Camera:
    """Return a random camera: robot or mast height, still (60 %) or panning slowly."""
    width, height = size
    still = rng.random() < 0.6
    return Camera(width=width, height=height, focal=width * rng.uniform(0.9, 1.15),
                  elevation=rng.uniform(1.9, 3.4), horizon=height * rng.uniform(0.26, 0.38),
                  pan_amplitude=0.0 if still else rng.uniform(0.05, 0.16),
                  pan_period=rng.uniform(10.0, 20.0), pan_phase=rng.uniform(0, 2 * np.pi))


def populate(rng: np.random.Generator, place: str, seconds: float, camera: Camera) -> list[Actor]:
    """Return the actors of a scene; every seed gives others.

    Args:
        rng: Source of random numbers.
        place: 'road' (cars pass, people on both pavements, some cross) or 'yard' (open ground).
        seconds: Length of the scene.
        camera: Used to let actors enter and leave at the picture's edge.
    """
    people = int(rng.integers(2, 6))
    cars, cyclists = (int(rng.integers(1, 4)), int(rng.integers(0, 3))) if place == 'road' else (
        int(rng.integers(0, 2)), int(rng.integers(0, 2)))
    actors: list[Actor] = []
    for category, count in (('person', people), ('car', cars), ('cyclist', cyclists)):
        for _ in range(count):
            actors.append(_draw_actor(rng, len(actors) + 1, category, place, seconds, camera))
    return actors


def _draw_actor(rng: np.random.Generator, number: int, category: str, place: str, seconds: float,
                camera: Camera) -> Actor:
    names = list(CLOTHES)
    upper, lower = str(rng.choice(names)), str(rng.choice(['black', 'blue', 'grey', 'white', 'red',
                                                           'green']))
    look = Look(upper=CLOTHES[upper], lower=CLOTHES[lower],
                skin=SKIN[rng.integers(len(SKIN))], hair=HAIR[rng.integers(len(HAIR))],
                height=rng.uniform(1.55, 1.92), warmth=rng.uniform(-1.5, 1.5))
    times, places = _draw_path(rng, category, place, seconds, camera)
    return Actor(id=number, category=category, upper=upper,
                 lower='' if category == 'car' else lower, look=look, times=times, places=places,
                 stride={'person': 4.2, 'cyclist': 2.4}.get(category, 0.0) * rng.uniform(0.9, 1.1))


_SPEED = {'person': (0.8, 1.9), 'car': (3.0, 8.0), 'cyclist': (2.2, 4.5)}


def _draw_path(rng: np.random.Generator, category: str, place: str, seconds: float,
               camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    speed = rng.uniform(*_SPEED[category])
    if category == 'person' and (place == 'yard' or rng.random() < 0.35):
        return _wander(rng, speed, seconds, camera)
    depth = {'person': (6.0, 9.0) if rng.random() < 0.6 else (16.5, 20.0),
             'car': (10.5, 15.0), 'cyclist': (8.8, 16.0)}[category]
    z = rng.uniform(*depth)
    if category == 'car' and rng.random() < (0.7 if place == 'yard' else 0.2):
        x = rng.uniform(-0.4, 0.4) * camera.width / camera.focal * z
        return np.array([0.0, seconds]), np.array([(x, z), (x + 1e-6 * rng.choice([-1, 1]), z)])
    return _pass_by(rng, speed, z, seconds, camera)


def _half_view(z: float, camera: Camera) -> float:
    return camera.width / 2 / camera.focal * z


def _pass_by(rng: np.random.Generator, speed: float, z: float, seconds: float, camera: Camera
             ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    side = rng.choice([-1.0, 1.0])
    edge = _half_view(z, camera) + 3.0
    middle = rng.uniform(0.1, 0.9) * seconds
    offset = rng.uniform(-0.5, 0.5) * edge
    times = middle + np.array([-(edge + offset * side), edge - offset * side]) / speed
    places = np.array([(-side * edge, z), (side * edge, z + rng.uniform(-0.6, 0.6))])
    if rng.random() < 0.3:
        return _with_stop(rng, times, places)
    return times, places


def _with_stop(rng: np.random.Generator, times: NDArray[np.float64], places: NDArray[np.float64]
               ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    share, pause = rng.uniform(0.35, 0.65), rng.uniform(1.5, 4.0)
    halt = places[0] + share * (places[1] - places[0])
    at = times[0] + share * (times[1] - times[0])
    return (np.array([times[0], at, at + pause, times[1] + pause]),
            np.stack([places[0], halt, halt, places[1]]))


def _wander(rng: np.random.Generator, speed: float, seconds: float, camera: Camera
            ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times, places = [0.0], []
    z = rng.uniform(6.0, 17.0)
    outside = rng.random() < 0.35
    reach = _half_view(z, camera)
    places.append((rng.choice([-1, 1]) * (reach + 1.0) if outside else
                   rng.uniform(-0.85, 0.85) * reach, z))
    while times[-1] < seconds:
        if rng.random() < 0.25:
            times.append(times[-1] + rng.uniform(1.0, 3.5))
            places.append(places[-1])
            continue
        z = float(np.clip(places[-1][1] + rng.uniform(-5, 5), 5.5, 18.0))
        target = (rng.uniform(-1.1, 1.1) * _half_view(z, camera), z)
        length = float(np.hypot(target[0] - places[-1][0], target[1] - places[-1][1]))
        times.append(times[-1] + max(length, 0.3) / speed)
        places.append(target)
    return np.array(times), np.array(places)
