"""What two ways of asking are worth to a model: closer looks, and several sentences in one look.

Closer looks: each question is put twice, about the whole pair and about the region that a tracker
would choose around what is meant; boxes are scored on the whole image both times. Shared looks:
the same sentences are asked about one pair, each with images of its own and all with one encoding.
Costs are processor time of the whole process, which other work on the machine does not lengthen.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from rich.table import Table

from rtrack_ros.benchmarks.grounding import Case, cases
from rtrack_ros.benchmarks.progress import Progress, no_progress
from rtrack_ros.boxes import as_boxes, clip, iou
from rtrack_ros.engines.base import Engine
from rtrack_ros.evaluation.metrics.grounding_f1 import (
    GroundedFrame,
    GroundingReport,
    score_groundings,
)
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box, Grounding
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query, clean_query_text
from rtrack_ros.scheduling.region import region_of_interest

_DRIFT = 0.1
"""Standard deviation of a track's edges about the truth, as a share of the box size."""


@dataclass(frozen=True, eq=False)
class _Look:
    """One question, and the region of the image that its tracks would be looked for in."""

    case: Case
    closer: FramePair


def run_crops(engine: Engine, scenes: int, seed: int, sentences: int,
              progress: Progress = no_progress) -> dict[str, Any]:
    """Return F1 and mean IoU with whole images and with crops, on questions that allow a crop.

    Args:
        engine: Answers.
        scenes: Number of scenes.
        seed: Seed of the first.
        sentences: Sentences per frame, one frame per condition and scene.
        progress: Shows how far it is.
    """
    grounder, size = Grounder(engine), engine.capabilities().image_size
    asked: dict[str, list[GroundedFrame]] = {'whole': [], 'crop': []}
    for number in progress(range(scenes), 'crops', scenes):
        for look in _looks(seed + number, sentences, size):
            for view, pair in (('whole', look.case.pair), ('crop', look.closer)):
                asked[view].append(_ask(grounder, look.case, pair))
    return {'model': engine.capabilities().model, 'scenes': scenes, 'first_seed': seed,
            'questions': len(asked['whole']),
            'views': {view: _figures(frames) for view, frames in asked.items()}}


def _looks(seed: int, sentences: int, size: tuple[int, int]) -> Iterator[_Look]:
    """Yield the questions about somebody who is there and whom a crop enlarges."""
    rng = np.random.default_rng((seed, 12))
    for case in cases(seed, sentences):
        truth = as_boxes(case.truth)
        sides = np.tile(truth[:, 2:] - truth[:, :2], 2)
        width, height = case.pair.width, case.pair.height
        followed = clip(truth + rng.normal(0.0, _DRIFT, truth.shape) * sides, width, height)
        region = region_of_interest(followed, (width, height), size)
        if region is not None:
            yield _Look(case, case.pair.crop(region))


def _ask(grounder: Grounder, case: Case, pair: FramePair) -> GroundedFrame:
    try:
        answer = grounder.ground(pair, Query('default', clean_query_text(case.text), 1))
    except AnswerError:
        return GroundedFrame(case.truth, None, case.condition, case.kind)
    return GroundedFrame(case.truth, tuple(item.box for item in answer.groundings),
                         case.condition, case.kind)


def _figures(frames: Sequence[GroundedFrame]) -> dict[str, Any]:
    report: GroundingReport = score_groundings(frames)
    overlaps = [_best_overlap(box, frame.answer or ()) for frame in frames for box in frame.truth]
    return {'all': report.overall.as_dict(), 'mean_iou': round(float(np.mean(overlaps)), 4),
            'by_kind': {kind: score.as_dict() for kind, score in sorted(report.by_kind.items())}}


def _best_overlap(box: Box, answer: Sequence[Box]) -> float:
    return float(iou([box], answer).max()) if answer else 0.0


def run_sharing(engine: Engine, pairs: int, seed: int, sentences: int,
                progress: Progress = no_progress) -> dict[str, Any]:
    """Return the processor time of asking several sentences about a pair, apart and together.

    Args:
        engine: Answers.
        pairs: Number of pairs, from scenes ``seed`` on.
        seed: Seed of the first scene.
        sentences: Sentences asked about each pair.
        progress: Shows how far it is.
    """
    grounder, apart, together = Grounder(engine), 0.0, 0.0
    equal = asked = 0
    for number in progress(range(pairs), 'sharing', pairs):
        several = list(islice(cases(seed + number, sentences), sentences))
        pair = several[0].pair
        queries = [Query(str(index), clean_query_text(case.text), 1)
                   for index, case in enumerate(several)]
        _timed(grounder, [(replace(pair), queries[0])])
        lonely, cost = _timed(grounder, [(replace(pair), query) for query in queries])
        apart += cost
        common, cost = _timed(grounder, [(pair, query) for query in queries])
        together += cost
        asked += len(queries)
        equal += sum(one == other for one, other in zip(lonely, common, strict=True))
    return {'shares_images': engine.capabilities().shares_images, 'pairs': pairs,
            'sentences': sentences, 'apart_ms_per_answer': round(apart / asked * 1e3, 1),
            'together_ms_per_answer': round(together / asked * 1e3, 1),
            'time_ratio': round(together / apart, 3), 'equal_answers': equal, 'answers': asked}


def _timed(grounder: Grounder, asks: Sequence[tuple[FramePair, Query]]
           ) -> tuple[list[tuple[Grounding, ...] | None], float]:
    """Return the boxes of every answer (None for no valid one), and the processor time."""
    started = time.process_time()
    answers: list[tuple[Grounding, ...] | None] = []
    for pair, query in asks:
        try:
            answers.append(grounder.ground(pair, query).groundings)
        except AnswerError:
            answers.append(None)
    return answers, time.process_time() - started


def crops_table(crops: dict[str, Any]) -> Table:
    """Return the result of :func:`run_crops` as a table, one row a kind of sentence."""
    views = crops['views']
    table = Table(title=f"{crops['model']}: {crops['questions']} questions about whole images and "
                        'about crops around what is meant')
    for column in ('', 'whole', 'crop'):
        table.add_column(column, justify='right' if column else 'left')
    table.add_row('F1 at IoU 0.5', *(f"{views[view]['all']['f1']:.3f}" for view in views))
    table.add_row('mean IoU', *(f"{views[view]['mean_iou']:.3f}" for view in views),
                  end_section=True)
    for kind in views['whole']['by_kind']:
        table.add_row(f'F1, "{kind}" sentences',
                      *(f"{views[view]['by_kind'][kind]['f1']:.3f}" for view in views))
    return table


def sharing_line(sharing: dict[str, Any]) -> str:
    """Return the result of :func:`run_sharing` in words."""
    offered = 'shares' if sharing['shares_images'] else 'does not share'
    return (
        f"{sharing['sentences']} sentences about one pair: {sharing['apart_ms_per_answer']} ms of "
        f"processor time per answer apart, {sharing['together_ms_per_answer']} ms together "
        f"({sharing['time_ratio']:.2f} of it; this engine {offered} encodings); "
        f"{sharing['equal_answers']} of {sharing['answers']} answers equal")
