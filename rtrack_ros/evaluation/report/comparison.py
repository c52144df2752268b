"""One page that compares runs over the same set: checkpoints, sensors, methods."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from rtrack_ros.evaluation.metrics.single_object import SingleObjectScores
from rtrack_ros.evaluation.report.comparison_page import PAGE
from rtrack_ros.evaluation.report.plot_style import as_svg, label_axes, new_axes
from rtrack_ros.evaluation.report.task_table import COLUMNS as TASK_COLUMNS
from rtrack_ros.evaluation.report.task_table import overall, under
from rtrack_ros.evaluation.run import Split
from rtrack_ros.evaluation.sets.scores import SetScores
from rtrack_ros.output_files import write_text
from rtrack_ros.simulation import CONDITIONS

THRESHOLDS = [round(0.05 * step, 2) for step in range(1, 20)]
_COLOURS = ('#2563eb', '#f59e0b', '#059669', '#db2777', '#7c3aed', '#0891b2', '#65a30d',
            '#dc2626')
COLUMNS = (('HOTA', 'hota'), ('DetA', 'deta'), ('AssA', 'assa'), ('DetRe', 'detre'),
           ('DetPr', 'detpr'), ('AssRe', 'assre'), ('AssPr', 'asspr'), ('LocA', 'loca'),
           ('MOTA', 'mota'), ('IDF1', 'idf1'))


def write_comparison(path: Path | str, title: str, runs: Sequence[SetScores],
                     notes: Sequence[str] = ()) -> None:
    """Write the page for referring tracking.

    Args:
        path: HTML file to write.
        title: Heading.
        runs: Scores over one and the same set.
        notes: Lines below the heading: what was compared on what.
    """
    conditions = [split.name for split in runs[0].by_condition]
    groups = [('all', [(run, run.overall) for run in runs])]
    groups += [(name, [(run, run.by_condition[place]) for run in runs])
               for place, name in enumerate(conditions)]
    figures = [('HOTA over thresholds', _hota_plot(runs))]
    if conditions:
        figures.append(('HOTA by condition', _condition_plot(runs, conditions)))
    _write(path, title=title, notes=notes, columns=COLUMNS, figures=figures, single=(),
           groups=[(name, [(run, split, _best(splits)) for run, split in splits])
                   for name, splits in groups])


def write_single_comparison(path: Path | str, title: str, runs: Sequence[SingleObjectScores],
                            notes: Sequence[str] = ()) -> None:
    """Write the page for single-object tracking; the arguments are as above."""
    _write(path, title=title, notes=notes, columns=(), groups=(), single=runs,
           figures=[('Success', _success_plot(runs))])


def write_task_comparison(path: Path | str, title: str, runs: Mapping[str, Mapping[str, Any]],
                          notes: Sequence[str] = ()) -> None:
    """Write the page for the tasks about one object.

    Args:
        path: HTML file to write.
        title: Heading.
        runs: What ``run_tasks`` returned, by name of the checkpoint.
        notes: Lines below the heading.
    """
    rows = [(name, overall(result)) for name, result in runs.items()]
    best = [max((value for value in column if value is not None), default=None)
            for column in zip(*(values for _, values in rows), strict=True)]
    shown = [place for place, (heading, _, _) in enumerate(TASK_COLUMNS)
             if heading in ('AO', 'verify', 'all right') and best[place] is not None]
    figures = [(f'{TASK_COLUMNS[place][0]} by condition', _task_plot(runs, place))
               for place in shown]
    _write(path, title=title, notes=notes, columns=(), groups=(), single=(), figures=figures,
           headings=[heading for heading, _, _ in TASK_COLUMNS], tasks=rows,
           best=best if len(rows) > 1 else [])


def _task_plot(runs: Mapping[str, Mapping[str, Any]], column: int) -> Markup:
    return _bars(list(CONDITIONS), TASK_COLUMNS[column][0], {
        name: [under(result, condition)[column] or 0.0 for condition in CONDITIONS]
        for name, result in runs.items()})


def _write(path: Path | str, **content: object) -> None:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    write_text(path, environment.from_string(PAGE).render(**content))


def _best(splits: Sequence[tuple[SetScores, Split]]) -> dict[str, float]:
    """Return the best value of each column, where more than one run has it."""
    if len(splits) < 2:
        return {}
    return {field: max(getattr(split.scores, field) for _, split in splits)
            for _, field in COLUMNS}


def _hota_plot(runs: Sequence[SetScores]) -> Markup:
    figure, axes = new_axes(5.6, 3.3)
    for place, run in enumerate(runs):
        scores = run.overall.scores
        axes.plot(THRESHOLDS, scores.hota_alpha, color=_COLOURS[place % len(_COLOURS)],
                  linewidth=1.8, label=f'{run.name}  {scores.hota:.1f}')
    axes.set_ylim(0, 100)
    axes.set_xlim(0.05, 0.95)
    label_axes(axes, 'IoU threshold', 'HOTA')
    axes.legend(frameon=False, fontsize=9)
    return _image(as_svg(figure))


def _condition_plot(runs: Sequence[SetScores], conditions: Sequence[str]) -> Markup:
    return _bars(conditions, 'HOTA', {
        run.name: [split.scores.hota for split in run.by_condition] for run in runs})


def _bars(conditions: Sequence[str], up: str, values: Mapping[str, Sequence[float]]) -> Markup:
    """Return bars side by side: a group for each condition, a colour for each run."""
    figure, axes = new_axes(5.6, 3.3)
    width = 0.8 / len(values)
    for place, (name, heights) in enumerate(values.items()):
        axes.bar([column + (place + 0.5) * width - 0.4 for column in range(len(conditions))],
                 heights, width * 0.92, color=_COLOURS[place % len(_COLOURS)], label=name)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.grid(axis='x', visible=False)
    label_axes(axes, '', up)
    axes.legend(frameon=False, fontsize=9)
    return _image(as_svg(figure))


def _success_plot(runs: Sequence[SingleObjectScores]) -> Markup:
    figure, axes = new_axes(5.6, 3.3)
    for place, run in enumerate(runs):
        axes.plot([step / 100 for step in range(101)], run.success,
                  color=_COLOURS[place % len(_COLOURS)], linewidth=1.8,
                  label=f'{run.name}  AO {run.ao:.3f}')
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    label_axes(axes, 'overlap threshold', 'share of frames above')
    axes.legend(frameon=False, fontsize=9)
    return _image(as_svg(figure))


def _image(svg: str) -> Markup:
    """Return a plot as an image; each SVG then has its own name space."""
    return Markup('<img alt="" src="data:image/svg+xml;base64,'
                  f'{base64.b64encode(svg.encode()).decode()}">')
