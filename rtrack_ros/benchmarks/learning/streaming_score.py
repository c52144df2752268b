"""HOTA of this package's tracker with the answers of a model, on short held-out scenes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from rtrack_ros.benchmarks.tracking.drawn_scenes import DrawnScene, draw
from rtrack_ros.benchmarks.tracking.plan import scene_stream
from rtrack_ros.evaluation.metrics.hota import Counts, count_sequence
from rtrack_ros.evaluation.streaming.baselines import Ours
from rtrack_ros.evaluation.streaming.latency import Fixed
from rtrack_ros.evaluation.streaming.protocol import (
    Answers,
    FixedTime,
    Pairs,
    Stream,
    replay,
    score_replay,
)
from rtrack_ros.frames import FramePair
from rtrack_ros.simulation import CONDITIONS, make_scene

PRESENT: Final = 0.2


@dataclass(frozen=True)
class ScenePlan:
    """Which scenes are tracked, and how.

    Attributes:
        rounds: Scenes of each condition; every scene shows one condition from end to end.
        first_seed: Seed of the first scene; the others follow it.
        seconds: Length of a scene.
        fps: Frames per second.
        sentences: Sentences for each scene, drawn from those that mean an object in at least
            ``PRESENT`` of it: HOTA of a sentence that means none is 0 whatever is answered.
        answer_s: Seconds that an answer takes; the tracker asks again when it has one.
    """

    rounds: int = 3
    first_seed: int = 9_501_000
    seconds: float = 6.0
    fps: int = 10
    sentences: int = 3
    answer_s: float = 0.5

    def scenes(self) -> list[tuple[int, str]]:
        """Return (seed, condition) of every scene, conditions in turn."""
        return [(self.first_seed + number, CONDITIONS[number % len(CONDITIONS)])
                for number in range(self.rounds * len(CONDITIONS))]

    @property
    def stride(self) -> int:
        """Frames from one question to the next."""
        return max(round(self.answer_s * self.fps), 1)

    def draw(self, seed: int, condition: str, folder: Path | None = None) -> DrawnScene:
        """Return a scene drawn to its end, from ``folder`` where it is there already."""
        scene = make_scene(seed, self.seconds, conditions=(condition,), fps=self.fps)
        return draw(scene, scene, folder)

    def streams(self, scene: DrawnScene) -> list[Stream]:
        """Return the scene as a recording for each of its sentences."""
        rng = np.random.default_rng((scene.seed, 29))
        wanted = PRESENT * len(scene)
        present = [item for item in scene.truth.expressions
                   if sum(map(bool, item.ids)) >= wanted]
        chosen = rng.permutation(len(present))[:self.sentences]
        return [scene_stream(scene, present[int(pick)]) for pick in chosen]

    def follow(self, stream: Stream, answers: Answers) -> Counts:
        """Return what the tracker's run over a stream contributes to pooled scores.

        Own work costs nothing, so that the result is the same on every machine.
        """
        outcome = replay(stream, Ours(), answers, Fixed(self.answer_s), FixedTime(0.0))
        return count_sequence(score_replay(stream, outcome))


class WithoutThermal:
    """A recording whose thermal camera is silent.

    Args:
        pairs: The recording.
    """

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int, /) -> FramePair:
        return replace(self._pairs[index], thermal=None)


def without_thermal(stream: Stream) -> Stream:
    """Return a stream with its thermal camera silent; truth stays."""
    return replace(stream, pairs=WithoutThermal(stream.pairs))


def relative_gain(new: float, old: float) -> float | None:
    """Return by what share a score rose, None where there was none."""
    return None if old <= 0 else round(new / old - 1, 4)


def mean_of(values: Sequence[float]) -> float:
    """Return the mean of scores, to four decimals."""
    return round(sum(values) / len(values), 4)
