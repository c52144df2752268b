"""What the thermal camera brings: tracking with both sensors against RGB alone, same scenes."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.benchmarks.learning.cache import kept
from rtrack_ros.benchmarks.learning.streaming_score import (
    ScenePlan,
    relative_gain,
    without_thermal,
)
from rtrack_ros.evaluation.metrics.hota import pool_counts
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    INK,
    SOFT,
    as_svg,
    label_axes,
    new_axes,
)
from rtrack_ros.evaluation.streaming.model_answers import ModelAnswers
from rtrack_ros.scheduling.putting import GroundsQueries
from rtrack_ros.simulation import CONDITIONS

BOTH, RGB = 'both', 'rgb only'
ALL: Final = 'all'
ASKED = 0.10
"""Relative gain in HOTA over all conditions that RTrack's paper reports (arXiv 2602.22033)."""

Trial = dict[str, Any]
"""'condition', 'view', 'sentence' and 'counts' of one run of the tracker."""


def run_scene(plan: ScenePlan, number: int, grounder: GroundsQueries) -> Iterator[Trial]:
    """Yield a trial of each sentence and view of a scene, counted from 0."""
    seed, condition = plan.scenes()[number]
    for stream in plan.streams(plan.draw(seed, condition)):
        for view, shown in ((BOTH, stream), (RGB, without_thermal(stream))):
            counts = plan.follow(shown, ModelAnswers(grounder, shown.pairs))
            yield {'condition': condition, 'view': view, 'sentence': stream.name,
                   'counts': counts}


def finished_scene(folder: Path, plan: ScenePlan, model: str, number: int,
                   grounder: GroundsQueries) -> list[Trial]:
    """Return the trials of a scene, from ``folder`` where they are there already.

    Raises:
        DataError: they were run with other settings.
    """
    trials: list[Trial] = kept(folder / f'scene_{number:03d}.json',
                               {'plan': asdict(plan), 'model': model},
                               lambda: list(run_scene(plan, number, grounder)))
    return trials


def summarise(trials: Sequence[Trial]) -> dict[str, Any]:
    """Return HOTA, DetA and AssA in percent by condition and view, and the relative gain."""
    rows: dict[str, Any] = {}
    for condition in (ALL, *CONDITIONS):
        chosen = [trial for trial in trials if condition in (ALL, trial['condition'])]
        if not chosen:
            continue
        views = {view: _scores([trial['counts'] for trial in chosen if trial['view'] == view])
                 for view in (BOTH, RGB)}
        rows[condition] = {**views, 'gain': relative_gain(views[BOTH]['hota'],
                                                          views[RGB]['hota'])}
    return rows


def _scores(counts: Sequence[Any]) -> dict[str, float]:
    scores = pool_counts(counts)
    return {'hota': round(scores.hota, 2), 'deta': round(scores.deta, 2),
            'assa': round(scores.assa, 2), 'truth_boxes': scores.truth_boxes}


def thermal_table(rows: dict[str, Any], title: str) -> Table:
    """Return one row for each condition."""
    table = Table(title=title, title_justify='left', box=SIMPLE_HEAD)
    for column in ('', 'HOTA both', 'HOTA RGB only', 'gain', 'DetA both', 'DetA RGB only',
                   'true boxes'):
        table.add_column(column, justify='right' if column else 'left')
    for name, row in rows.items():
        both, rgb = row[BOTH], row[RGB]
        gain = '-' if row['gain'] is None else f'{100 * row["gain"]:+.0f} %'
        table.add_row(name, f'{both["hota"]:.1f}', f'{rgb["hota"]:.1f}', gain,
                      f'{both["deta"]:.1f}', f'{rgb["deta"]:.1f}', str(both['truth_boxes']),
                      end_section=name == ALL)
    return table


def thermal_plot(rows: dict[str, Any]) -> str:
    """Return an SVG of HOTA by condition, with and without the thermal camera."""
    figure, axes = new_axes(6.4, 3.2)
    names = list(rows)
    for shift, view, colour in ((-0.19, RGB, SOFT), (0.19, BOTH, ACCENT)):
        axes.bar([place + shift for place in range(len(names))],
                 [rows[name][view]['hota'] for name in names], 0.36, color=colour, label=view)
    axes.set_xticks(range(len(names)), names)
    label_axes(axes, '', 'HOTA')
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    return as_svg(figure)
