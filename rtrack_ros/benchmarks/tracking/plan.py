"""The streaming benchmark: our tracker and its baselines on held-out scenes, on the same answers.

Every scene is drawn once and all methods run over it, sentence by sentence. What a scene yields is
a list of runs whose counts can be pooled with those of any other scene, so that a benchmark that
was stopped can be continued.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from rtrack_ros.benchmarks.tracking.drawn_scenes import DrawnScene
from rtrack_ros.evaluation.metrics.hota import Counts, count_sequence
from rtrack_ros.evaluation.metrics.presence import Presence, measure_presence
from rtrack_ros.evaluation.streaming.baselines import (
    Blocking,
    KalmanOnly,
    Ours,
    PerfectMotion,
    StaticBoxes,
)
from rtrack_ros.evaluation.streaming.bytetrack import ByteTrack
from rtrack_ros.evaluation.streaming.latency import AtOnce, Fixed, LatencyProfile
from rtrack_ros.evaluation.streaming.model_answers import ModelAnswers
from rtrack_ros.evaluation.streaming.oracle import Faults, Oracle
from rtrack_ros.evaluation.streaming.protocol import (
    Answers,
    Method,
    OwnCost,
    ProcessorTime,
    Replay,
    Stream,
    replay,
    score_replay,
)
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.worker import GroundsQueries
from rtrack_ros.simulation import CONDITIONS, Expression, Scene, make_scene
from rtrack_ros.tracking.config import TrackerConfig

OURS, BLOCKING, BYTETRACK, PERFECT = 'ours', 'blocking model', 'ByteTrack', 'perfect motion'
STATIC, KALMAN, AT_THE_STAMP = 'static first box', 'Kalman only', 'ours at the stamp'
WHOLE_ANSWERS = 'ours by whole answers'


def for_now(stream: Stream) -> TrackerConfig:
    """Return the defaults, with boxes for when a stream's next array comes, not for the stamp."""
    return TrackerConfig(lead_s=stream.interval_s)


METHODS: dict[str, Callable[[Stream], Method]] = {
    STATIC: lambda _: StaticBoxes(), BLOCKING: lambda _: Blocking(),
    KALMAN: lambda stream: KalmanOnly(for_now(stream)), BYTETRACK: lambda _: ByteTrack(),
    OURS: lambda stream: Ours(for_now(stream)), AT_THE_STAMP: lambda _: Ours(),
    WHOLE_ANSWERS: lambda stream: Ours(for_now(stream), listens=False),
    PERFECT: PerfectMotion,
}
"""Methods by name, in the order of the table, and how to make one for a stream."""

NO_DELAY = Fixed(0.0)
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


@dataclass(frozen=True)
class Trial:
    """One method with one engine delay on one scene and sentence.

    Attributes:
        answers: 'oracle' or the name of a model.
        method: Name of the method.
        profile: Name of the engine delay.
        sentence: The sentence.
        counts: What it contributes to pooled scores.
        presence: Frames by presence.
        questions: Questions put to the engine.
        delay_s: Mean engine delay.
        pair_ms: Median own work for a pair.
        answer_ms: Median own work for an answer.
        skipped: Pairs that own work left no time for.
        draw: Which draw of the oracle's faults, from 0.
    """

    answers: str
    method: str
    profile: str
    sentence: str
    counts: Counts
    presence: Presence
    questions: int
    delay_s: float
    pair_ms: float
    answer_ms: float
    skipped: int
    draw: int = 0


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
                    yield replace(run_trial(stream, name, answers, method, profile, plan.cost),
                                  draw=draw)


def scene_stream(scene: DrawnScene, expression: Expression) -> Stream:
    """Return a scene as the recording that an expression is asked about."""
    return Stream(f'{scene.seed}+{expression.text}', Query('default', expression.text, 1), scene,
                  scene.stamps_ns, scene.stamps_ns, scene.meant(expression))


def scene_oracle(scene: DrawnScene, expression: Expression, faults: Faults,
                 draw: int = 0) -> Oracle:
    """Return who answers about a scene from its truth; every ``draw`` has other faults."""
    return Oracle(scene.seed, scene.stamps_ns, scene.meant(expression),
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


def run_trial(stream: Stream, answers_name: str, answers: Answers, method: str,
              profile: LatencyProfile, cost: OwnCost) -> Trial:
    """Return what one method makes of a stream.

    Args:
        stream: What happens.
        answers_name: Who answers, for the record.
        answers: The answers.
        method: Name of the method.
        profile: How long the engine takes.
        cost: What own work is charged with.
    """
    outcome = replay(stream, METHODS[method](stream), answers, profile, cost)
    sequence = score_replay(stream, outcome)
    return Trial(answers_name, method, profile.name, stream.name, count_sequence(sequence),
                 measure_presence([sequence]), **_facts(outcome))


def _facts(outcome: Replay) -> dict[str, Any]:
    def middle(values: Sequence[float], scale: float) -> float:
        return round(float(np.median(values)) * scale, 3) if values else 0.0

    return {'questions': outcome.questions, 'skipped': outcome.skipped,
            'delay_s': round(float(np.mean(outcome.delays_s)), 4) if outcome.delays_s else 0.0,
            'pair_ms': middle(outcome.pair_costs_s, 1e3),
            'answer_ms': middle(outcome.answer_costs_s, 1e3)}
