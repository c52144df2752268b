"""How well a model grounds sentences on held-out scenes, and what each sensor is worth to it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from rtrack_ros.benchmarks.progress import Progress, no_progress
from rtrack_ros.engines.base import Engine, EngineError
from rtrack_ros.evaluation.metrics.answer_accuracy import TooFewAnswersError, measure_accuracy
from rtrack_ros.evaluation.metrics.grounding_f1 import GroundedFrame, score_groundings
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query, clean_query_text
from rtrack_ros.language.refine import make_grounder
from rtrack_ros.scheduling.putting import GroundsQueries
from rtrack_ros.simulation import CONDITIONS, make_scene

VIEWS = ('both', 'rgb only', 'thermal only')
SCENE_SECONDS = 12.0


@dataclass(frozen=True, eq=False)
class Case:
    """A frame pair, a sentence, the boxes it means and those of the other objects in view."""

    pair: FramePair
    text: str
    truth: tuple[Box, ...]
    condition: str
    kind: str
    others: tuple[Box, ...]


def cases(seed: int, sentences: int, negations: bool = False) -> Iterator[Case]:
    """Yield one frame of every condition of a scene with ``sentences`` random sentences each.

    The draw depends on the seed alone and prefers no sentence to another. With ``negations`` they
    are negated or counterfactual ones.
    """
    scene = make_scene(seed, SCENE_SECONDS, conditions=CONDITIONS, fps=2)
    rng = np.random.default_rng((seed, 11))
    span = len(scene) // len(CONDITIONS)
    expressions = scene.negations if negations else scene.expressions
    for part in range(len(CONDITIONS)):
        index = part * span + int(rng.integers(span))
        frame = scene.frame(index)
        pair = frame.pair()
        boxes = {item.id: item.box for item in frame.objects}
        for pick in rng.choice(len(expressions), sentences, replace=False):
            expression = expressions[int(pick)]
            meant = expression.ids[index]
            yield Case(pair, expression.text, tuple(boxes[name] for name in sorted(meant)),
                       frame.condition, expression.kind,
                       tuple(boxes[name] for name in sorted(boxes.keys() - set(meant))))


def run_grounding(engine: Engine, scenes: int, seed: int, sentences: int, deadline_s: float,
                  refine: str = 'auto', progress: Progress = no_progress, negations: bool = False,
                  split_sentences: str = 'auto') -> dict[str, Any]:
    """Return F1 at IoU 0.5 by view, condition and kind, latency and accuracy of the answers.

    Args:
        engine: Answers.
        scenes: Number of held-out scenes.
        seed: Seed of the first.
        sentences: Sentences per frame.
        deadline_s: Seconds for one answer.
        refine: See ``language.refine.make_grounder``.
        progress: Shows how far it is.
        negations: Whether negated and counterfactual sentences are asked instead of ordinary ones.
        split_sentences: See ``language.refine.make_grounder``.
    """
    grounder = make_grounder(engine, refine=refine, split_sentences=split_sentences)
    asked: dict[str, list[GroundedFrame]] = {view: [] for view in VIEWS}
    latencies: list[float] = []
    for number in progress(range(scenes), 'grounding', scenes):
        for case in cases(seed + number, sentences, negations):
            for view in VIEWS:
                frame, latency_ms = _ask(grounder, case, view, deadline_s)
                asked[view].append(frame)
                latencies.append(latency_ms)
    capabilities = engine.capabilities()
    result: dict[str, Any] = {
        'model': capabilities.model, 'engine': capabilities.name,
        'precision': capabilities.precision, 'refine': refine, 'scenes': scenes,
        'first_seed': seed, 'negations': negations, 'split_sentences': split_sentences,
        'answers': len(latencies), 'latency_ms_p50': round(float(np.percentile(latencies, 50)), 1),
        'latency_ms_p95': round(float(np.percentile(latencies, 95)), 1), 'views': {}}
    for view, frames in asked.items():
        report = score_groundings(frames)
        result['views'][view] = {
            'all': report.overall.as_dict(),
            'by_condition': {name: score.as_dict() for name, score in
                             sorted(report.by_condition.items())},
            'by_kind': {name: score.as_dict() for name, score in sorted(report.by_kind.items())},
            'false_answers_when_nobody': _false_alarms(frames)}
    with suppress(TooFewAnswersError):
        result['accuracy'] = asdict(measure_accuracy(asked['both']))
    return result


def _ask(grounder: GroundsQueries, case: Case, view: str, deadline_s: float
         ) -> tuple[GroundedFrame, float]:
    pair = case.pair
    if view == 'rgb only':
        pair = FramePair(pair.stamp_ns, pair.rgb, None)
    elif view == 'thermal only':
        pair = FramePair(pair.stamp_ns, np.zeros_like(pair.rgb), pair.thermal)
    try:
        answer = grounder.ground(pair, Query('default', clean_query_text(case.text), 1),
                                 deadline_s)
    except (AnswerError, EngineError):
        return _grounded(case, None), 0.0
    return _grounded(case, tuple(item.box for item in answer.groundings)), answer.latency_ms


def _grounded(case: Case, said: tuple[Box, ...] | None) -> GroundedFrame:
    return GroundedFrame(case.truth, said, case.condition, case.kind, case.others)


def _false_alarms(frames: list[GroundedFrame]) -> float:
    """Return the share of frames with nobody meant on which something was answered."""
    empty = [frame for frame in frames if not frame.truth]
    return round(sum(bool(frame.answer) for frame in empty) / max(len(empty), 1), 4)


def grounding_table(result: dict[str, Any]) -> Table:
    """Return the result of :func:`run_grounding` as a table, one row a condition or kind."""
    views = result['views']
    table = Table(title=f"{result['model']} ({result['engine']}, {result['precision']}), second "
                        f"look: {result['refine']}; F1 at IoU 0.5, {result['scenes']} "
                        'held-out scenes')
    for column in ('', *VIEWS):
        table.add_column(column, justify='left' if not column else 'right')
    table.add_row('all', *(f"{views[view]['all']['f1']:.3f}" for view in VIEWS), end_section=True)
    for group in ('by_condition', 'by_kind'):
        names = list(views['both'][group])
        for name in names:
            table.add_row(name, *(f"{views[view][group][name]['f1']:.3f}" for view in VIEWS),
                          end_section=name == names[-1])
    table.add_row('false answers when nobody is meant',
                  *(f"{views[view]['false_answers_when_nobody']:.3f}" for view in VIEWS))
    return table


def latency_line(result: dict[str, Any]) -> str:
    """Return how long the answers of :func:`run_grounding` took."""
    return (f"answer latency p50 {result['latency_ms_p50']} ms, p95 {result['latency_ms_p95']} ms "
            f"over {result['answers']} answers")
