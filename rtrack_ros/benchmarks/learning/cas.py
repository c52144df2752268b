"""What Clipped Advantage Scaling changes: largest gradient and final reward, with and without."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.benchmarks.learning.near_ties import NearTieSettings, compare_scalings
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    INK,
    SECOND,
    as_svg,
    label_axes,
    new_axes,
)

NAMES: Mapping[str, str] = {'none': 'plain GRPO', 'advantage': 'CAS (advantage)',
                            'scale': 'CAS (scale)'}
LAST = 0.1
"""Share of the run whose mean reward counts as final."""

Curves = Mapping[str, Sequence[float]]


def summarise(runs: Sequence[Curves]) -> dict[str, float | None]:
    """Return mean and spread over seeds; near-ties are None where nothing counted them."""
    near = [np.mean(run['near_ties']) for run in runs if run['near_ties']]
    largest = [max(run['gradient_norm']) for run in runs]
    final = [float(np.mean(run['reward'][-max(round(LAST * len(run['reward'])), 1):]))
             for run in runs]
    return {'gradient_largest': round(float(np.mean(largest)), 4),
            'gradient_median': round(float(np.mean([np.median(run['gradient_norm'])
                                                    for run in runs])), 4),
            'reward_first': round(float(np.mean([run['reward'][0] for run in runs])), 4),
            'reward_final': round(float(np.mean(final)), 4),
            'reward_final_lowest': round(min(final), 4),
            'near_ties': round(float(np.mean(near)), 3) if near else None}


def run_small(seeds: int, rates: Sequence[float], steps: int) -> dict[str, Any]:
    """Run the small policy at several learning rates.

    Returns:
        ``curves`` of every rate, scaling and seed, and their ``summary``.
    """
    curves = {str(rate): compare_scalings(range(seeds), replace(
        NearTieSettings(), learning_rate=rate, steps=steps)) for rate in rates}
    return {'curves': curves, 'summary': {
        rate: {name: summarise(runs) for name, runs in by_name.items()}
        for rate, by_name in curves.items()}}


def run_on_model(config: Path, model: Path, source: str, out: Path, seeds: int, steps: int
                 ) -> dict[str, Any]:
    """Run a stage of reinforcement with and without CAS on a real model; same result as above.

    Args:
        config: A configuration of one 'grpo' stage with CAS.
        model: Model folder.
        source: 'simulation' or a RefRT folder.
        out: Where checkpoints and logs go; runs that are there are not repeated.
        seeds: Number of seeds.
        steps: Optimisation steps of each run.
    """
    from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling
    from rtrack_ros.training.stages.run import run_stages
    from rtrack_ros.training.stages.settings import read_stages

    stage = read_stages(config)[0]
    rate = str(stage.trainer['learning_rate'])
    curves: dict[str, list[Curves]] = {}
    for name, scaling in (('none', AdvantageScaling('none')), ('scale', stage.advantages)):
        for seed in range(seeds):
            run = replace(stage, name=f'{name}-{seed}', advantages=scaling, early_stop=None,
                          compute_s=None,
                          trainer={**stage.trainer, 'seed': seed, 'max_steps': steps})
            run_stages([run], model, source, out)
            curves.setdefault(name, []).append(read_curves(out / run.name / 'log.jsonl'))
    return {'curves': {rate: curves}, 'summary': {
        rate: {name: summarise(runs) for name, runs in curves.items()}}}


def read_curves(log: Path) -> Curves:
    """Return the curves of a stage from its log."""
    rows = [json.loads(line) for line in log.read_text(encoding='utf-8').splitlines()]
    names = {'grad_norm': 'gradient_norm', 'reward': 'reward', 'advantages/near_ties': 'near_ties'}
    return {ours: [float(row[theirs]) for row in rows if theirs in row]
            for theirs, ours in names.items()}


def table(result: Mapping[str, Any], title: str) -> Table:
    """Return one row for each learning rate and scaling."""
    shown = Table(title=title, title_justify='left', box=SIMPLE_HEAD)
    for column in ('rate', 'advantages', 'largest gradient', 'median', 'reward first', 'last',
                   'worst seed', 'near-ties'):
        shown.add_column(column, justify='left' if column == 'advantages' else 'right')
    for rate, by_name in result['summary'].items():
        for number, (name, row) in enumerate(by_name.items()):
            shown.add_row('' if number else rate, NAMES[name],
                          f'{row["gradient_largest"]:.2f}', f'{row["gradient_median"]:.2f}',
                          f'{row["reward_first"]:.3f}', f'{row["reward_final"]:.3f}',
                          f'{row["reward_final_lowest"]:.3f}',
                          '-' if row['near_ties'] is None else f'{row["near_ties"]:.2f}',
                          end_section=number == len(by_name) - 1)
    return shown


def plot(by_name: Mapping[str, Sequence[Curves]], curve: str, label: str) -> str:
    """Return an SVG of one curve, every seed thin and their mean thick."""
    figure, axes = new_axes(6.4, 3.4)
    for name, colour in zip(by_name, (INK, SECOND, ACCENT), strict=False):
        rows = np.array([run[curve] for run in by_name[name]])
        for row in rows:
            axes.plot(row, color=colour, linewidth=0.4, alpha=0.35)
        axes.plot(rows.mean(axis=0), color=colour, linewidth=1.6, label=NAMES[name])
    if curve == 'gradient_norm':
        axes.set_yscale('log')
    label_axes(axes, 'gradient step' if curve == 'gradient_norm' else 'rollout', label)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    return as_svg(figure)
