"""The benchmark of the intake: which thermal image a pair gets, how old, and at what cost.

Beside it stands the common ROS way, ``ApproximateTime`` of message_filters, written anew.

Images arrive by a clock of the benchmark, so that the same happens on every machine; only the cost
is measured. What an image shows is known, and so the true age of a thermal image can be told from
the one that stamps claim.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rtrack_ros.benchmarks.cost.ros_baseline import (
    RGB,
    THERMAL,
    ApproximateTime,
    stretched_thermal,
)
from rtrack_ros.intake.config import IntakeConfig, SyncConfig
from rtrack_ros.intake.encodings import ThermalImage
from rtrack_ros.intake.receiving import Intake

_START_MS = 100_000
_LOOK_MS = 5
_RGB_HZ = 30.0
_SHOTS = 8


@dataclass(frozen=True)
class Situation:
    """How two cameras deliver.

    Attributes:
        name: Row of the table.
        thermal_hz: Rate of the thermal camera; RGB has 30.
        late_ms: By how much later thermal images are delivered than RGB images.
        offset_ms: By how much thermal stamps are ahead of the truth.
        dropped: Share of the images of both cameras that are lost.
        jitter_ms: Every stamp is off by up to this much.
        advice: Settings that the status message names.
    """

    name: str
    thermal_hz: float = 30.0
    late_ms: float = 0.0
    offset_ms: float = 0.0
    dropped: float = 0.0
    jitter_ms: float = 0.0
    advice: dict[str, Any] = field(default_factory=dict)


SITUATIONS = (
    Situation('30/30'),
    Situation('30/9', thermal_hz=9),
    Situation('30/9, 100 ms late', thermal_hz=9, late_ms=100, advice={'max_wait_ms': 110.0}),
    Situation('30/30, stamps 120 ms ahead', offset_ms=120, advice={'thermal_offset_ms': '120'}),
    Situation('30/30, 20 % dropped', dropped=0.2),
    Situation('30/30, jitter 15 ms', jitter_ms=15))


@dataclass(frozen=True)
class Arrival:
    """One image as it arrives.

    Attributes:
        at_ms: When it arrives.
        stream: ``RGB`` or ``THERMAL``.
        stamp_ms: What its stamp claims.
        taken_ms: When it was taken.
    """

    at_ms: float
    stream: int
    stamp_ms: float
    taken_ms: float


@dataclass(frozen=True)
class Leaving:
    """One RGB image as it leaves, all in milliseconds.

    Attributes:
        waited_ms: Since its arrival.
        age_ms: From the instant of its thermal image to its own, truly; None without one.
        fresh: Whether the thermal image is said to be of its own instant.
    """

    waited_ms: float
    age_ms: float | None
    fresh: bool


def arrivals(situation: Situation, seconds: float, seed: int) -> list[Arrival]:
    """Return the images of both cameras in the order of their arrival."""
    rng, found = np.random.default_rng(seed), []
    for stream, rate, late_ms in ((RGB, _RGB_HZ, 0.0),
                                  (THERMAL, situation.thermal_hz, situation.late_ms)):
        for index in range(round(seconds * rate)):
            taken_ms = _START_MS + index * 1e3 / rate
            stamp_ms = taken_ms + rng.uniform(-1, 1) * situation.jitter_ms
            stamp_ms += situation.offset_ms if stream == THERMAL else 0.0
            if rng.random() >= situation.dropped:
                at_ms = taken_ms + late_ms + 8.0 + rng.uniform(0.0, 4.0)
                found.append(Arrival(at_ms, stream, round(stamp_ms, 3), taken_ms))
    return sorted(found, key=lambda arrival: arrival.at_ms)


class _Clock:
    now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    time_ns = monotonic_ns


class _Log:
    def warning(self, kind: str, text: str) -> None:
        pass


class Pictures:
    """A few different pictures of each camera, in turn: noise, as every sensor has.

    Args:
        size: (width, height) of RGB; thermal has the same.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        rng, (width, height) = np.random.default_rng(0), size
        slope = np.linspace(7000, 7800, height)[:, None]
        rgb = [rng.integers(0, 200, (height, width, 3)).astype(np.uint8)
               for _ in range(_SHOTS)]
        raw = [(slope + rng.normal(0, 3, (height, width))).astype(np.uint16)
               for _ in range(_SHOTS)]
        self._next = itertools.cycle(rgb), itertools.cycle(raw)

    def take(self, stream: int) -> Any:
        """Return the next picture of ``RGB`` or ``THERMAL``."""
        return next(self._next[stream])


def through_intake(images: Sequence[Arrival], sync: SyncConfig, pictures: Pictures
                   ) -> tuple[list[Leaving], float, str]:
    """Return how RGB images leave the intake, its processor time in seconds, and its message."""
    clock = _Clock()
    intake, spent, left = Intake(IntakeConfig(sync), _Log(), clock), 0.0, []
    taken = {_ns(image.stamp_ms): image for image in images if image.stream == RGB}
    warm = {_ns(image.stamp_ms) - round(sync.offset_ms * 1e6): image.taken_ms
            for image in images if image.stream == THERMAL}
    for at_ms, image in _with_looks(images):
        clock.now_ns = _ns(at_ms)
        picture: Any = None if image is None else pictures.take(image.stream)
        begin = time.process_time()
        if image is None and not intake.waiting:
            continue
        if image is not None and image.stream == RGB:
            intake.take_rgb(_ns(image.stamp_ms), picture)
        elif image is not None:
            intake.take_thermal(_ns(image.stamp_ms), ThermalImage(picture, False))
        received = intake.poll()
        spent += time.process_time() - begin
        for pair in (item.pair for item in received):
            own = taken[pair.stamp_ns]
            stamp_ns = pair.thermal_stamp_ns
            left.append(Leaving(at_ms - own.at_ms, None if stamp_ns is None else
                                own.taken_ms - warm[stamp_ns], pair.thermal_fresh))
    return left, spent, intake.thermal_status(clock.now_ns).sentence


def through_approximate_time(images: Sequence[Arrival], pictures: Pictures
                             ) -> tuple[list[Leaving], float]:
    """Return how RGB images leave the common way, and its processor time in seconds."""
    pairing: ApproximateTime[tuple[Arrival, Any]] = ApproximateTime()
    left, spent = [], 0.0
    for image in images:
        pixels = pictures.take(image.stream)
        begin = time.process_time()
        pair = pairing.add(image.stream, _ns(image.stamp_ms), (image, pixels))
        if pair is not None:
            height, width = pair[0][1].shape[:2]
            stretched_thermal(pair[1][1], (width, height))
        spent += time.process_time() - begin
        if pair is not None:
            rgb, thermal = pair[0][0], pair[1][0]
            left.append(Leaving(image.at_ms - rgb.at_ms, rgb.taken_ms - thermal.taken_ms, True))
    return left, spent


def run_intake(seconds: float = 20.0, seed: int = 0, size: tuple[int, int] = (640, 480),
               situations: Sequence[Situation] = SITUATIONS) -> dict[str, Any]:
    """Return the figures of all situations for JSON.

    Args:
        seconds: Length of every play.
        seed: Of jitter, drops and delays.
        size: (width, height) of both cameras' images.
        situations: What is played.
    """
    pictures, rows = Pictures(size), []
    for situation in situations:
        images = arrivals(situation, seconds, seed)
        sent = sum(image.stream == RGB for image in images)
        left, spent, message = through_intake(images, SyncConfig(), pictures)
        rows.append({'situation': situation.name, 'way': 'rtrack_ros', 'status': message,
                     **_figures(left, sent, spent)})
        if situation.advice:
            told = replace(SyncConfig(), **situation.advice)
            left, spent, message = through_intake(images, told, pictures)
            named = ', '.join(f'{name} {value}' for name, value in situation.advice.items())
            rows.append({'situation': situation.name, 'way': f'rtrack_ros, {named}',
                         'status': message, **_figures(left, sent, spent)})
        left, spent = through_approximate_time(images, pictures)
        rows.append({'situation': situation.name, 'way': 'ApproximateTime', 'status': '',
                     **_figures(left, sent, spent)})
    return {'seconds': seconds, 'seed': seed, 'size': list(size), 'rows': rows}


def _with_looks(images: Sequence[Arrival]) -> Iterator[tuple[float, Arrival | None]]:
    """Yield the images at their times, and in between the times at which the node looks again."""
    now_ms = images[0].at_ms
    for image in images:
        while now_ms + _LOOK_MS < image.at_ms:
            now_ms += _LOOK_MS
            yield now_ms, None
        now_ms = image.at_ms
        yield now_ms, image


def _figures(left: Sequence[Leaving], sent: int, spent_s: float) -> dict[str, float | None]:
    ages = np.array([item.age_ms for item in left if item.age_ms is not None])
    waits = np.array([item.waited_ms for item in left])
    return {'published': len(left) / sent, 'with_thermal': len(ages) / sent,
            'fresh': sum(item.fresh for item in left) / sent,
            'age_ms_p50': _percentile(np.abs(ages), 50),
            'age_ms_p95': _percentile(np.abs(ages), 95),
            'wait_ms_p50': _percentile(waits, 50), 'wait_ms_p95': _percentile(waits, 95),
            'cpu_ms': 1e3 * spent_s / len(left) if left else None}


def _percentile(values: Any, percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 2) if len(values) else None


def _ns(milliseconds: float) -> int:
    return round(milliseconds * 1e6)
