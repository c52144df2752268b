"""Supervised training continued against reinforcement, from the same weights at equal compute.

Every arm is one stage of ``rtrack train`` that ends when its process has spent a number of
processor seconds on training (``training.stages.compute_budget``); its seed is that of the
trainer and of the questions. What an arm reached is kept beside it, so that a run that was
stopped goes on.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.benchmarks.learning.cache import kept
from rtrack_ros.benchmarks.learning.streaming_score import mean_of, relative_gain
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    INK,
    SOFT,
    as_svg,
    label_axes,
    new_axes,
)
from rtrack_ros.training.stages.settings import StageSettings

START, SUPERVISED, REINFORCED = 'start', 'SFT continued', 'SFT + GSPO with CAS'
ASKED: Final = 0.05
"""Relative gain of reinforcement over equal-compute supervision that is looked for."""
SHOWN: Final = ('f1', 'precision', 'recall', 'false_when_nobody', 'hota', 'deta', 'assa')
ENDLESS: Final = 1_000_000
"""Optimisation steps that no budget reaches."""

Measure = Callable[[Path], dict[str, Any]]


@dataclass(frozen=True)
class Budget:
    """What an arm may spend.

    Attributes:
        compute_s: Processor seconds of training.
        seeds: Number of seeds, from 0.
    """

    compute_s: float
    seeds: int


def arms(stages: dict[str, StageSettings], budget: Budget) -> Iterator[tuple[str, StageSettings]]:
    """Yield the name of a method and the stage of a seed, seed by seed.

    Args:
        stages: One stage for each method, by name.
        budget: What each may spend.
    """
    for seed in range(budget.seeds):
        for method, stage in stages.items():
            yield method, replace(
                stage, name=f'{stage.name}-{seed}', early_stop=None, compute_s=budget.compute_s,
                data=replace(stage.data, seed=stage.data.seed + seed),
                trainer={**stage.trainer, 'seed': seed, 'max_steps': ENDLESS})


@dataclass(frozen=True, eq=False)
class Course:
    """What all arms have in common.

    Attributes:
        model: Folder of the weights that they start from.
        source: 'simulation', or a folder of data.
        out: Folder of the run.
        measure: Returns the scores of a model folder.
        settings: What the scores depend on beside the budget, plain values.
    """

    model: Path
    source: str
    out: Path
    measure: Measure
    settings: Mapping[str, Any]

    def start(self) -> dict[str, Any]:
        """Return the scores of the weights that all arms start from, measured once."""
        return dict(kept(self.out / 'start.json', self.settings, lambda: {
            'method': START, 'compute_s': 0.0, 'steps': 0, **self.measure(self.model)}))

    def run(self, method: str, stage: StageSettings) -> dict[str, Any]:
        """Train and measure an arm; return its scores, those on the disk if it is finished.

        Raises:
            DataError: the arm on the disk was run with other settings.
        """
        return dict(kept(self.out / stage.name / 'scores.json',
                         {**self.settings, 'compute_s': stage.compute_s},
                         lambda: self._train(method, stage)))

    def _train(self, method: str, stage: StageSettings) -> dict[str, Any]:
        from rtrack_ros.training.stages.run import run_stages

        folder = run_stages([stage], self.model, self.source, self.out)
        return {'method': method, **spent_on(self.out / stage.name / 'log.jsonl'),
                **self.measure(folder)}


def spent_on(log: Path) -> dict[str, Any]:
    """Return the processor seconds and steps that the log of a stage tells of."""
    rows = [json.loads(line) for line in log.read_text(encoding='utf-8').splitlines()]
    return {'compute_s': max(row['compute_s'] for row in rows if 'compute_s' in row),
            'steps': max(row['step'] for row in rows)}


def summarise(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean, lowest and highest score by method, and the gain of reinforcement."""
    methods: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        methods.setdefault(run['method'], []).append(run)
    rows = {method: _over_seeds(group) for method, group in methods.items()}
    gains = {}
    if {SUPERVISED, REINFORCED} <= rows.keys():
        gains = {name: relative_gain(rows[REINFORCED][name]['mean'],
                                     rows[SUPERVISED][name]['mean']) for name in ('f1', 'hota')}
    return {'rows': rows, 'gain_over_supervised': gains, 'asked': ASKED}


def _over_seeds(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean, lowest and highest of every score of a method."""
    scores = {name: [run[name] for run in runs] for name in (*SHOWN, 'compute_s', 'steps')}
    return {'seeds': len(runs), **{name: {
        'mean': mean_of(values), 'lowest': min(values), 'highest': max(values)}
        for name, values in scores.items()}}


def reinforcement_table(summary: dict[str, Any], title: str) -> Table:
    """Return one row for each method, means over seeds with the lowest and the highest."""
    table = Table(title=title, title_justify='left', box=SIMPLE_HEAD)
    for column in ('', 'seeds', 'CPU s', 'steps', 'F1 at IoU 0.5', 'precision', 'recall',
                   'false when none meant', 'HOTA', 'DetA', 'AssA'):
        table.add_column(column, justify='right' if column else 'left')
    for method, row in summary['rows'].items():
        table.add_row(
            method, str(row['seeds']), f'{row["compute_s"]["mean"]:.0f}',
            f'{row["steps"]["mean"]:.0f}', _spread(row['f1'], 3),
            *(f'{row[name]["mean"]:.3f}' for name in ('precision', 'recall',
                                                      'false_when_nobody')),
            _spread(row['hota'], 1), *(f'{row[name]["mean"]:.1f}' for name in ('deta', 'assa')))
    return table


def verdict(summary: dict[str, Any]) -> str:
    """Return in a sentence whether reinforcement gained what is looked for."""
    gains = summary['gain_over_supervised']
    if not gains or None in gains.values():
        return 'no gain can be told before both methods have an arm that found an object'
    said = ', '.join(f'{name.upper()} {100 * gain:+.1f} %' for name, gain in gains.items())
    reached = all(gain >= ASKED for gain in gains.values())
    return (f'reinforcement against supervision at equal compute: {said}; '
            f'{"at least" if reached else "NOT the"} {100 * ASKED:.0f} % looked for')


def _spread(score: dict[str, float], digits: int) -> str:
    low, high = (f'{score[name]:.{digits}f}' for name in ('lowest', 'highest'))
    mean = f'{score["mean"]:.{digits}f}'
    return mean if low == high else f'{mean} ({low}-{high})'


def reinforcement_plot(runs: Sequence[dict[str, Any]]) -> str:
    """Return an SVG of every arm: F1 of single answers across, HOTA of tracking up."""
    figure, axes = new_axes(5.2, 3.6)
    for method, colour in ((START, INK), (SUPERVISED, SOFT), (REINFORCED, ACCENT)):
        chosen = [run for run in runs if run['method'] == method]
        axes.scatter([run['f1'] for run in chosen], [run['hota'] for run in chosen],
                     color=colour, s=42, label=method, zorder=3)
    label_axes(axes, 'F1 at IoU 0.5', 'HOTA')
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    return as_svg(figure)
