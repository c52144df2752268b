"""The plot of ``rtrack benchmark engine``."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rtrack_ros.benchmarks.engine.benchmark import SENTENCES
from rtrack_ros.benchmarks.engine.table import name_of
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    GRID,
    INK,
    SECOND,
    SOFT,
    as_svg,
    label_axes,
)

_SHADES = (ACCENT, '#818cf8', '#cbd5e1')
_BAR = 0.8


def engine_plot(result: dict[str, Any]) -> str:
    """Return the result of ``benchmark.run_engines`` as SVG: an answer, and several sentences."""
    return as_svg(engine_figure(result))


def engine_figure(result: dict[str, Any]) -> Figure:
    """Draw times of all engines, one row an engine: of an answer, and of several sentences."""
    engines = [(name_of(label, one), one) for label, one in result['engines'].items()]
    figure = Figure(figsize=(10.5, 1.4 + 0.62 * len(engines)), layout='constrained')
    left, right = figure.subplots(1, 2, sharey=True)
    for axes in (left, right):
        axes.spines[['top', 'right', 'left']].set_visible(False)
        axes.spines['bottom'].set_color(GRID)
        axes.tick_params(colors=SOFT, labelsize=9, length=0)
        axes.grid(axis='x', color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
    _draw_answers(left, engines)
    _draw_sentences(right, engines)
    left.invert_yaxis()  # shared: the first engine stands on top
    return figure


def _draw_answers(axes: Axes, engines: list[tuple[str, dict[str, Any]]]) -> None:
    rows = range(len(engines))
    axes.barh(rows, [one['ms_p50'] for _, one in engines], _BAR / 2, color=ACCENT, label='median')
    axes.scatter([one['ms_p95'] for _, one in engines], rows, color=SECOND, marker='|', s=160,
                 linewidths=2.5, label='19 of 20 are faster')
    axes.scatter([one['first_ms_p50'] for _, one in engines], rows, color=INK, marker='.', s=40,
                 zorder=3, label='first text')
    axes.set_yticks(list(rows), [name for name, _ in engines], color=INK)
    axes.legend(frameon=False, fontsize=8.5)
    label_axes(axes, 'ms of an answer', '')


def _draw_sentences(axes: Axes, engines: list[tuple[str, dict[str, Any]]]) -> None:
    height = _BAR / len(SENTENCES)
    for place, (number, shade) in enumerate(zip(SENTENCES, _SHADES, strict=True)):
        rows = [row + (place - (len(SENTENCES) - 1) / 2) * height for row in range(len(engines))]
        axes.barh(rows, [one['sentences_ms'][str(number)] for _, one in engines], height,
                  color=shade, label=f'{number} sentence{"s" * (number > 1)}')
    axes.legend(frameon=False, fontsize=8.5)
    label_axes(axes, 'ms of several sentences about one pair', '')
