"""Scores of a checkpoint on held-out scenes: F1 of single answers, HOTA of tracking."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rtrack_ros.benchmarks.grounding import Case, cases
from rtrack_ros.benchmarks.learning.batch_answers import BatchAnswers, BatchGrounder
from rtrack_ros.benchmarks.learning.streaming_score import ScenePlan
from rtrack_ros.benchmarks.tracking.drawn_scenes import DrawnScene
from rtrack_ros.evaluation.metrics.grounding_f1 import GroundedFrame, score_groundings
from rtrack_ros.evaluation.metrics.hota import pool_counts

SENTENCES: Final = 2
"""As in ``rtrack benchmark grounding``."""


class HeldOut:
    """Questions and recordings that every checkpoint is asked about, drawn once.

    Args:
        scenes: Scenes of single questions: of each, ``SENTENCES`` about one frame of every
            condition.
        first_seed: Seed of the first of them.
        plan: The recordings that are tracked.
        folder: Keeps the frames of the recordings.
    """

    def __init__(self, scenes: int, first_seed: int, plan: ScenePlan, folder: Path) -> None:
        self._plan = plan
        self._cases: list[Case] = [
            case for number in range(scenes)
            for case in cases(first_seed + number, SENTENCES)]
        self._scenes: list[DrawnScene] = [
            plan.draw(seed, condition, folder / f'{seed}-{condition}-{plan.seconds:g}s')
            for seed, condition in plan.scenes()]

    def measure(self, model: Path) -> dict[str, Any]:
        """Return the scores of a model folder: F1 in [0, 1], HOTA and its parts in percent."""
        grounder = BatchGrounder(model)
        frames = self._answered(grounder)
        report = score_groundings(frames)
        empty = [frame for frame in frames if not frame.truth]
        tracked = pool_counts([self._plan.follow(stream, BatchAnswers(
            grounder, stream.pairs, self._plan.stride))
            for scene in self._scenes for stream in self._plan.streams(scene)])
        return {**report.overall.as_dict(),
                'by_condition': {name: score.f1 for name, score in report.by_condition.items()},
                'by_kind': {name: score.f1 for name, score in report.by_kind.items()},
                'false_when_nobody': _share([bool(frame.answer) for frame in empty]),
                'hota': round(tracked.hota, 2), 'deta': round(tracked.deta, 2),
                'assa': round(tracked.assa, 2)}

    def _answered(self, grounder: BatchGrounder) -> list[GroundedFrame]:
        asked = [(case.pair, case.text) for case in self._cases]
        return [GroundedFrame(case.truth, None if said is None else
                              tuple(item.box for item in said), case.condition, case.kind)
                for case, said in zip(self._cases, grounder.ground(asked), strict=True)]


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / max(len(values), 1), 4)
