"""The benchmark of scores: is a published box as often right as its score says?

Our tracker runs over held-out scenes in virtual time, with the answers of the oracle as late as
the latency profile says. A box is judged on its own frame, the one whose stamp its message
carries: that is the claim the score makes. What the world has moved on by the time that somebody
reads the message is for ``rtrack benchmark tracking`` to say.

Boxes of neighbouring frames are alike, so that there are far fewer independent judgements than
boxes; the errors of the single scenes show how much they differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.benchmarks.tracking.drawn_scenes import DrawnScene
from rtrack_ros.benchmarks.tracking.plan import (
    Plan,
    choose_expressions,
    scene_oracle,
    scene_stream,
)
from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.metrics.reliability import (
    RIGHT_IOU,
    Reliability,
    judged_scores,
    measure_reliability,
)
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    GRID,
    INK,
    SOFT,
    as_svg,
    label_axes,
    new_axes,
)
from rtrack_ros.evaluation.sequences import EvaluationSequence, by_frame
from rtrack_ros.evaluation.streaming.baselines import Ours
from rtrack_ros.evaluation.streaming.protocol import Array, replay
from rtrack_ros.frames import FramePair
from rtrack_ros.language.queries import Query
from rtrack_ros.simulation import Expression


class ScoredOurs(Ours):
    """Our tracker, which also notes what it published with which score.

    Args:
        stamps_ns: Stamps of the pairs, to number their frames from 1.
    """

    def __init__(self, stamps_ns: Sequence[int]) -> None:
        super().__init__()
        self._number = {stamp: number for number, stamp in enumerate(stamps_ns, start=1)}
        self.rows: list[MotRow] = []

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Track the pair, publish the confirmed tracks and note them as boxes of its frame."""
        tracks = self.tracker.step(pair, (query,))
        published = self._published(tracks)
        scores = {track.id: track.score for track in tracks}
        self.rows += [MotRow(self._number[pair.stamp_ns], identity, box, scores[identity])
                      for identity, box in published]
        return published


@dataclass(frozen=True)
class SceneScores:
    """What was published on one scene.

    Attributes:
        seed: Seed of the scene.
        scores: Score of every published box, in [0, 1].
        right: Whether each of them was right.
    """

    seed: int
    scores: tuple[float, ...]
    right: tuple[bool, ...]


def follow_scene(plan: Plan, scene: DrawnScene) -> Iterator[EvaluationSequence]:
    """Yield truth and scored boxes of one sentence after another, each box on its own frame."""
    for expression in choose_expressions(scene, plan.sentences):
        yield _follow(plan, scene, expression)


def _follow(plan: Plan, scene: DrawnScene, expression: Expression) -> EvaluationSequence:
    stream = scene_stream(scene, expression)
    ours = ScoredOurs(stream.stamps_ns)
    replay(stream, ours, scene_oracle(scene, expression, plan.faults), plan.profile, plan.cost)
    return EvaluationSequence(stream.truth, by_frame(ours.rows), len(stream.stamps_ns),
                              stream.name)


def judge_scene(seed: int, sequences: Sequence[EvaluationSequence]) -> SceneScores:
    """Return the judged scores of all sentences of a scene."""
    scores, right = judged_scores(sequences)
    return SceneScores(seed, tuple(scores), tuple(right))


@dataclass(frozen=True)
class ScoreReport:
    """Reliability over all scenes.

    Attributes:
        curve: Of all boxes.
        boxes: Their number.
        mean_score: Their mean score; 0 without boxes.
        share_right: Share of them that is right; 0 without boxes.
        brier: Mean squared distance between score and outcome (Brier, Monthly Weather Review
            1950), lower is better; 0 without boxes.
        scene_errors: Expected calibration error by seed of a scene.
    """

    curve: Reliability
    boxes: int
    mean_score: float
    share_right: float
    brier: float
    scene_errors: dict[int, float]

    @property
    def brier_of_constant(self) -> float:
        """Brier score of giving every box the overall share: calibrated, and saying nothing."""
        return self.share_right * (1 - self.share_right)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {'right_iou': RIGHT_IOU, 'judged_on': 'own frame', 'boxes': self.boxes,
                'mean_score': round(self.mean_score, 4), 'share_right': round(self.share_right, 4),
                'brier': round(self.brier, 4),
                'brier_of_constant': round(self.brier_of_constant, 4),
                'scene_errors': {str(seed): round(error, 4)
                                 for seed, error in self.scene_errors.items()},
                **self.curve.as_dict()}


def report_scores(scenes: Sequence[SceneScores], bins: int) -> ScoreReport:
    """Return the reliability over scenes, in ``bins`` bins of equal width."""
    scores = np.array([score for scene in scenes for score in scene.scores], np.float64)
    right = np.array([item for scene in scenes for item in scene.right], bool)
    count = max(len(scores), 1)
    return ScoreReport(
        measure_reliability(scores, right, bins), len(scores), float(scores.sum()) / count,
        float(right.sum()) / count, float(np.sum((scores - right) ** 2)) / count,
        {scene.seed: measure_reliability(scene.scores, scene.right, bins).error
         for scene in scenes})


def reliability_table(report: ScoreReport, title: str) -> Table:
    """Return one row for each bin that holds boxes, with the errors below."""
    table = Table(title=title, title_justify='left', caption=_caption(report),
                  caption_justify='left', header_style='bold', box=SIMPLE_HEAD, pad_edge=False)
    for name in ('mean score', 'right', 'right - score', 'boxes', 'share'):
        table.add_column(name, justify='right', no_wrap=True, min_width=13)
    for item in report.curve.bins:
        table.add_row(f'{item.score:.3f}', f'{item.right:.3f}', f'{item.right - item.score:+.3f}',
                      str(item.boxes), f'{100 * item.boxes / report.boxes:.1f} %')
    table.add_section()
    table.add_row(f'{report.mean_score:.3f}', f'{report.share_right:.3f}',
                  f'{report.share_right - report.mean_score:+.3f}', str(report.boxes), 'all',
                  style='bold')
    return table


def _caption(report: ScoreReport) -> str:
    errors = report.scene_errors.values()
    return (f'right: at IoU {RIGHT_IOU:g} on the frame whose stamp the box carries\n'
            f'expected calibration error {report.curve.error:.3f}, single scenes '
            f'{min(errors):.3f} to {max(errors):.3f}\n'
            f'Brier score {report.brier:.3f}, of the same score for every box '
            f'{report.brier_of_constant:.3f}')


def reliability_plot(report: ScoreReport) -> str:
    """Return the curve of ``reliability_figure`` as SVG."""
    return as_svg(reliability_figure(report))


def reliability_figure(report: ScoreReport) -> Figure:
    """Draw the share of right boxes over their score, and where the boxes are."""
    figure, axes = new_axes(4.8, 4.4)
    score = [item.score for item in report.curve.bins]
    right = [item.right for item in report.curve.bins]
    share = [item.boxes / max(report.boxes, 1) for item in report.curve.bins]
    axes.bar(score, share, width=0.03, color=GRID, label='share of all boxes')
    axes.plot((0, 1), (0, 1), '--', color=SOFT, linewidth=1.2, label='score as it should be')
    axes.plot(score, right, color=ACCENT, linewidth=2.4, marker='o', markersize=5,
              label=f'rtrack_ros, calibration error {report.curve.error:.3f}')
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    label_axes(axes, 'score of published boxes', f'share right at IoU {RIGHT_IOU:g}')
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc='upper left')
    return figure
