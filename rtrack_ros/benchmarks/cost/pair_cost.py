"""Processor time of one pair, stage by stage, on one core; ours and the common way.

Counted is the processor time of one thread (OpenCV holds to one thread as in the node), pinned to
one core: from the serialised images, as DDS hands them over, to the serialised array of
detections. Not counted: waiting, what DDS does in threads of its own, and the model. Stages are
exclusive and add up to the whole:

- receive: bytes to message, both images
- intake: message to pixels, the partner by stamp, thermal counts to 8 bits on the RGB grid
- flow: corners, optical flow, camera motion, motion of every box
- siamese: the network that looks for a few of the tracks
- tracking: small images, Kalman states, track life cycle, the list of tracks
- publish: tracks to message to bytes
- other: everything between these

An answer is worked on in the model's thread and counted by itself, per answer, half a second late
and replayed to the present. The common way associates true boxes on every frame, at no cost: the
detector that it needs for them is not counted.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rtrack_ros.benchmarks.cost.stage_clock import StageClock
from rtrack_ros.benchmarks.cost.workload import AnswerScript
from rtrack_ros.language.answers import Answer, Box

STAGES = ('receive', 'intake', 'flow', 'siamese', 'tracking', 'publish', 'other')
WARM_UP = 20
"""Pairs at the start that are worked on and not counted."""


@dataclass(frozen=True)
class RecordedPair:
    """Both images of one instant as serialised ``sensor_msgs/Image``."""

    rgb: bytes
    thermal: bytes


class PairPath(Protocol):
    """A way from serialised images to serialised detections, which counts its stages."""

    def process(self, pair: RecordedPair, boxes: Sequence[Box]) -> bytes | None:
        """Take both images; returns the array, None where no pair came of them.

        Args:
            pair: The images.
            boxes: True boxes of this instant, for a way that has a detector.
        """

    def apply(self, answer: Answer) -> None:
        """Take an answer of the model about an earlier pair."""

    def alive(self) -> int:
        """Return the number of tracks alive."""


@dataclass(frozen=True)
class Spread:
    """Median and 95th percentile, milliseconds."""

    p50: float
    p95: float

    @classmethod
    def of(cls, values: Sequence[float]) -> 'Spread':
        """Return the spread of values; 0 without any."""
        if not values:
            return cls(0.0, 0.0)
        p50, p95 = np.percentile(values, [50, 95])
        return cls(float(p50), float(p95))


@dataclass(frozen=True)
class PathCost:
    """What one way costs under one workload.

    Attributes:
        pairs: Pairs counted.
        tracks: Mean number of tracks alive.
        stages: Processor time per pair by stage.
        total: Processor time per pair.
        wall: Time per pair by the clock on the wall, which a busy machine lengthens.
        answer: Processor time per answer.
    """

    pairs: int
    tracks: float
    stages: Mapping[str, Spread]
    total: Spread
    wall: Spread
    answer: Spread


def measure_path(make: Callable[[StageClock], PairPath], pairs: Sequence[RecordedPair],
                 script: AnswerScript, warm_up: int = WARM_UP) -> PathCost:
    """Send pairs along a way, one after the other, and return what they cost.

    Args:
        make: Returns the way; it is given the clock that its stages are counted by.
        pairs: What is sent.
        script: Answers of the model, and true boxes.
        warm_up: Pairs at the start that are not counted.

    Raises:
        ValueError: nothing would be left to count after the warm-up.
    """
    if len(pairs) <= warm_up:
        raise ValueError(f'{len(pairs)} pairs leave nothing to count after {warm_up} to warm up')
    clock = StageClock()
    spent: list[dict[str, float]] = []
    walls: list[float] = []
    answers: list[float] = []
    alive: list[int] = []
    path = make(clock)
    for index, pair in enumerate(pairs):
        boxes = script.boxes(index)
        begin = time.perf_counter()
        with clock.whole() as stages:
            path.process(pair, boxes)
        wall = (time.perf_counter() - begin) * 1e3
        late = [_answer_ms(path, answer) for answer in script.due(index)]
        if index >= warm_up:
            spent.append(stages)
            walls.append(wall)
            answers += late
            alive.append(path.alive())
    return PathCost(len(spent), float(np.mean(alive)),
                    {name: Spread.of([pair.get(name, 0.0) for pair in spent]) for name in STAGES},
                    Spread.of([sum(pair.values()) for pair in spent]), Spread.of(walls),
                    Spread.of(answers))


def _answer_ms(path: PairPath, answer: Answer) -> float:
    begin = time.thread_time()
    path.apply(answer)
    return (time.thread_time() - begin) * 1e3
