"""The streaming benchmark: our tracker and its baselines on held-out scenes, on the same answers.

Every scene is drawn once and all methods run over it, sentence by sentence. What a scene yields is
a list of runs whose counts can be pooled with those of any other scene, so that a benchmark that
was stopped can be continued.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from rtrack_ros.benchmarks.tracking.drawn_scenes import DrawnScene
from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.sequences import by_frame
from rtrack_ros.evaluation.streaming.judging import JudgingOracle, SimulatedDetector
from rtrack_ros.evaluation.streaming.latency import AtOnce, Fixed, LatencyProfile
from rtrack_ros.evaluation.streaming.model_answers import ModelAnswers
from rtrack_ros.evaluation.streaming.oracle import Faults
from rtrack_ros.evaluation.streaming.protocol import Answers, OwnCost, ProcessorTime, Stream
from rtrack_ros.evaluation.streaming.trials import (
    BLOCKING,
    BYTETRACK,
    KALMAN,
    METHODS,
    NO_DELAY,
    OURS,
    PERFECT,
    WITH_DETECTOR,
    Trial,
    run_trial,
)
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.putting import GroundsQueries
from rtrack_ros.simulation import CONDITIONS, Expression, Scene, make_scene

_SWEPT = (BLOCKING, KALMAN, BYTETRACK, OURS, PERFECT)
_CONDITIONS_PER_SCENE = 2


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes:
        profile: Engine delay of the table.
        scenes: Number of held-out scenes.
        first_seed: Seed of the first; the others follow it.
        seconds: Length of a scene.
        fps: Frames per second.
        sentences: Sentences per scene, each of another kind.
        methods: Names of the methods.
        delays_s: Fixed engine delays of the sweep.
        sweep_scenes: Number of scenes that the sweep runs on, the first ones.
        model_scenes: Number of scenes that a real model answers about, the first ones.
        faults: Of the oracle.
        draws: Times that its faults are drawn, on every scene; the sweep has the first draw.
        cost: What own work is charged with.
    """

    profile: LatencyProfile
    scenes: int
    first_seed: int
    seconds: float = 12.0
    fps: int = 30
    sentences: int = 3
    methods: tuple[str, ...] = tuple(METHODS)
    delays_s: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
    sweep_scenes: int = 4
    model_scenes: int = 4
    faults: Faults = field(default_factory=Faults)
    draws: int = 1
    cost: OwnCost = field(default_factory=ProcessorTime)

    def scene(self, number: int) -> Scene:
        """Return a scene, counted from 0; its weather changes once, and all kinds come in turn."""
        names = [CONDITIONS[(number * _CONDITIONS_PER_SCENE + part) % len(CONDITIONS)]
                 for part in range(_CONDITIONS_PER_SCENE)]
        return make_scene(self.first_seed + number, self.seconds, conditions=names, fps=self.fps)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {'profile': self.profile.name, 'first_seed': self.first_seed,
                'seconds': self.seconds, 'fps': self.fps, 'sentences': self.sentences,
                'methods': list(self.methods), 'delays_s': list(self.delays_s),
                'sweep_scenes': self.sweep_scenes, 'model_scenes': self.model_scenes,
                'oracle': asdict(self.faults), 'draws': self.draws,
                'own_cost': 'measured' if isinstance(self.cost, ProcessorTime)
                else self.cost.seconds}


def choose_expressions(scene: DrawnScene, number: int) -> list[Expression]:
    """Return sentences of ``number`` different kinds, drawn from the seed of the scene alone."""
    rng = np.random.default_rng((scene.seed, 23))
    kinds = sorted({item.kind for item in scene.truth.expressions})
    chosen = [kinds[int(pick)] for pick in rng.permutation(len(kinds))[:number]]
    return [_draw([item for item in scene.truth.expressions if item.kind == kind], rng)
            for kind in chosen]


def _draw(expressions: Sequence[Expression], rng: np.random.Generator) -> Expression:
    return expressions[int(rng.integers(len(expressions)))]


def run_scene(plan: Plan, number: int, scene: DrawnScene,
              models: dict[str, GroundsQueries | None]) -> Iterator[Trial]:
    """Yield the trials of one scene.

    Args:
        plan: What to run.
        number: The scene's number, from 0.
        scene: The scene, drawn.
        models: Who answers, by name; None stands for the oracle.
    """
    for expression in choose_expressions(scene, plan.sentences):
        stream = scene_stream(scene, expression)
        for name, model in models.items():
            if model is not None and number >= plan.model_scenes:
                continue
            swept = number < plan.sweep_scenes and (model is None or len(models) == 1)
            for draw in range(plan.draws if model is None else 1):
                answers: Answers = (ModelAnswers(model, scene) if model is not None
                                    else scene_oracle(scene, expression, plan.faults, draw))
                for method, profile in combinations(plan, swept and draw == 0):
                    if model is not None and method in WITH_DETECTOR:
                        continue
                    yield replace(run_trial(stream, name, answers, method, profile, plan.cost,
                                            scene_detector(scene, plan.faults)), draw=draw)


def scene_stream(scene: DrawnScene, expression: Expression) -> Stream:
    """Return a scene as the recording that an expression is asked about."""
    return Stream(f'{scene.seed}+{expression.text}', Query('default', expression.text, 1), scene,
                  scene.stamps_ns, scene.stamps_ns, scene.meant(expression))


def scene_detector(scene: DrawnScene, faults: Faults) -> SimulatedDetector:
    """Return a detector of all objects in view, at 10 Hz and 30 ms late."""
    objects = by_frame(MotRow(index + 1, item.id, item.box)
                       for index, frame in enumerate(scene.truth.frames)
                       for item in frame.objects)
    words = {item.id: item.category for frame in scene.truth.frames for item in frame.objects}
    return SimulatedDetector(scene.stamps_ns, objects, scene.size, scene.seed, faults, words=words)


def scene_oracle(scene: DrawnScene, expression: Expression, faults: Faults,
                 draw: int = 0) -> JudgingOracle:
    """Return who answers about a scene from its truth; every ``draw`` has other faults."""
    return JudgingOracle(scene.seed, scene.stamps_ns, scene.meant(expression),
                         scene.others(expression), scene.size, faults, draw)


def combinations(plan: Plan, swept: bool) -> list[tuple[str, LatencyProfile]]:
    """Return the methods and engine delays to run on one sentence, none of them twice."""
    table: list[tuple[str, LatencyProfile]] = [(method, plan.profile) for method in plan.methods]
    table += [(method, AtOnce(plan.profile)) for method in (BYTETRACK, OURS)
              if method in plan.methods]
    table += [(OURS, NO_DELAY)] if OURS in plan.methods else []
    if swept:
        table += [(method, Fixed(delay_s)) for delay_s in plan.delays_s
                  for method in plan.methods if method in _SWEPT]
        table += [(OURS, AtOnce(Fixed(delay_s))) for delay_s in plan.delays_s
                  if delay_s and OURS in plan.methods]
    return list(dict.fromkeys(table))
