"""The benchmark of the tasks about one object: one run, one table, baselines beside the model."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.engines.base import Engine
from rtrack_ros.evaluation.tasks.locating import follow_targets, locate_scores, scene_plan
from rtrack_ros.evaluation.tasks.portraits import galleries
from rtrack_ros.evaluation.tasks.words import (
    Told,
    Verdict,
    describe_objects,
    describe_scores,
    verify_claims,
    verify_scores,
)
from rtrack_ros.language.describer import Describer
from rtrack_ros.language.locator import Locator
from rtrack_ros.language.verifier import Verifier
from rtrack_ros.simulation import CONDITIONS

OBJECT_TASKS: Final = ('locate', 'verify', 'describe')
Progress = Callable[[Iterable[Any], str, int], Iterator[Any]]


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
    """

    tasks: tuple[str, ...] = OBJECT_TASKS
    seed: int = 9_500_000
    runs: int = 2
    seconds: float = 6.0
    scenes: int = 12
    claims: int = 3
    objects: int = 2
    deadline_s: float = 30.0


def run_tasks(engine: Engine, plan: TaskPlan, progress: Progress) -> dict[str, Any]:
    """Return the scores of an engine at the tasks of a plan.

    Args:
        engine: Answers.
        plan: What is asked.
        progress: Yields items with their description and number, and shows how far it is.

    Raises:
        TaskError: the engine's model was not trained for one of the tasks.
    """
    model = engine.capabilities()
    result: dict[str, Any] = {'model': model.model, 'engine': model.name,
                              'precision': model.precision, 'first_seed': plan.seed}
    verifier = Verifier(engine) if 'verify' in plan.tasks else None
    describer = Describer(engine) if 'describe' in plan.tasks else None
    if 'locate' in plan.tasks:
        result['locate'] = _locate(Locator(engine), plan, progress)
    if verifier or describer:
        result |= _ask_closely(verifier, describer, plan, progress)
    return result


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
        for gallery in galleries(plan.seed + number, plan.claims, plan.objects):
            if verifier:
                verdicts += verify_claims(verifier, gallery, plan.deadline_s)
            if describer:
                told += describe_objects(describer, gallery, plan.deadline_s)
    return {**({'verify': verify_scores(verdicts)} if verifier else {}),
            **({'describe': describe_scores(told)} if describer else {})}


_Column = tuple[str, str, Callable[[Mapping[str, Any]], float | None]]
_COLUMNS: Final[tuple[_Column, ...]] = (
    ('AO', 'locate', lambda row: row['ao']),
    ('SR.50', 'locate', lambda row: row['sr50']),
    ('AO still', 'locate', lambda row: row['static']['ao']),
    ('presence', 'locate', lambda row: _hundredth(row['presence']['f1'])),
    ('verify', 'verify', lambda row: row['accuracy']),
    ('say No', 'verify', lambda row: row['always_no']),
    ('class', 'describe', lambda row: row['category_right']),
    ('upper', 'describe', lambda row: row['upper_right']),
    ('lower', 'describe', lambda row: row['lower_right']),
    ('motion', 'describe', lambda row: row['motion_right']),
    ('all right', 'describe', lambda row: row['all_right']))


def tasks_table(result: Mapping[str, Any]) -> Table:
    """Return the result of :func:`run_tasks`: rows by condition, then by kind of sentence."""
    shown = [column for column in _COLUMNS if column[1] in result]
    table = Table(title=f'{result["model"]} ({result["engine"]}, {result["precision"]}), held-out '
                        f'scenes from seed {result["first_seed"]}', title_justify='left',
                  header_style='bold', box=SIMPLE_HEAD, pad_edge=False,
                  padding=(0, 0, 0, 1))
    table.add_column('', no_wrap=True)
    for name, _, _ in shown:
        table.add_column(name, justify='right', no_wrap=True)
    _add(table, 'all', shown, {task: result[task]['all'] for task in OBJECT_TASKS
                               if task in result})
    if 'describe' in result:
        _add(table, 'usual words', shown,
             {'describe': result['describe']['usual_words']})
    table.add_section()
    for condition in CONDITIONS:
        _add(table, condition, shown,
             {task: result[task]['by_condition'][condition] for task in OBJECT_TASKS
              if condition in result.get(task, {}).get('by_condition', {})})
    table.add_section()
    for kind, row in result.get('verify', {}).get('by_kind', {}).items():
        _add(table, kind, shown, {'verify': row})
    return table


def _add(table: Table, name: str, columns: Sequence[_Column], rows: Mapping[str, Any]) -> None:
    values = (value(rows[task]) if task in rows else None for _, task, value in columns)
    table.add_row(name, *('' if value is None else f'{value:.3f}' for value in values))


def _hundredth(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
