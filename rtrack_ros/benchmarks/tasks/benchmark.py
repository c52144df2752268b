"""The benchmark of the tasks about one object: one run with baselines beside the model."""

from dataclasses import dataclass
from typing import Any, Final

from rtrack_ros.benchmarks.progress import Progress
from rtrack_ros.benchmarks.tasks.locating import follow_targets, locate_scores, scene_plan
from rtrack_ros.benchmarks.tasks.object_crops import galleries
from rtrack_ros.benchmarks.tasks.words import (
    Told,
    Verdict,
    describe_objects,
    describe_scores,
    verify_claims,
    verify_scores,
)
from rtrack_ros.engines.base import Engine
from rtrack_ros.language.describer import Describer
from rtrack_ros.language.locator import Locator
from rtrack_ros.language.splitting import verifier_for
from rtrack_ros.language.verifier import Verifier

OBJECT_TASKS: Final = ('locate', 'verify', 'describe')


@dataclass(frozen=True)
class TaskPlan:
    """How much is asked.

    Attributes:
        tasks: Which of ``OBJECT_TASKS``.
        seed: Seed of the first scene.
        runs: Scenes of each condition in which targets are followed.
        seconds: Length of these.
        scenes: Scenes of which one frame of every condition is asked about closely.
        claims: True sentences for such a frame at most, and false ones.
        objects: Objects of such a frame to describe at most.
        deadline_s: Seconds for one answer.
        negations: Whether the sentences are negated and counterfactual ones.
        split_sentences: See ``language.splitting.verifier_for``.
    """

    tasks: tuple[str, ...] = OBJECT_TASKS
    seed: int = 9_500_000
    runs: int = 2
    seconds: float = 4.0
    scenes: int = 12
    claims: int = 3
    objects: int = 2
    deadline_s: float = 30.0
    negations: bool = False
    split_sentences: str = 'auto'


def run_tasks(engine: Engine, plan: TaskPlan, progress: Progress) -> dict[str, Any]:
    """Return the scores of an engine at the tasks of a plan.

    Args:
        engine: Answers.
        plan: What is asked.
        progress: Shows how far it is.

    Raises:
        TaskError: the engine's model was not trained for one of the tasks.
    """
    model = engine.capabilities()
    result: dict[str, Any] = {'model': model.model, 'engine': model.name,
                              'precision': model.precision, 'first_seed': plan.seed,
                              'negations': plan.negations,
                              'split_sentences': plan.split_sentences}
    verifier = _verifier(engine, plan)
    describer = Describer(engine) if 'describe' in plan.tasks else None
    if 'locate' in plan.tasks:
        result['locate'] = _locate(Locator(engine), plan, progress)
    if verifier or describer:
        result |= _ask_closely(verifier, describer, plan, progress)
    return result


def _verifier(engine: Engine, plan: TaskPlan) -> Verifier | None:
    """Return what verifies; raises what a model says that cannot."""
    if 'verify' not in plan.tasks:
        return None
    return verifier_for(engine, plan.split_sentences) or Verifier(engine)


def _locate(locator: Locator, plan: TaskPlan, progress: Progress) -> dict[str, Any]:
    scenes = scene_plan(plan.runs, plan.seed)
    return locate_scores([item for seed, condition in progress(scenes, 'locate', len(scenes))
                          for item in follow_targets(locator, seed, condition, plan.seconds,
                                                     plan.deadline_s)])


def _ask_closely(verifier: Verifier | None, describer: Describer | None, plan: TaskPlan,
                 progress: Progress) -> dict[str, Any]:
    verdicts: list[Verdict] = []
    told: list[Told] = []
    for number in progress(range(plan.scenes), 'close views', plan.scenes):
        for gallery in galleries(plan.seed + number, plan.claims, plan.objects,
                                 plan.negations):
            if verifier:
                verdicts += verify_claims(verifier, gallery, plan.deadline_s)
            if describer:
                told += describe_objects(describer, gallery, plan.deadline_s)
    return {**({'verify': verify_scores(verdicts)} if verifier else {}),
            **({'describe': describe_scores(told)} if describer else {})}
