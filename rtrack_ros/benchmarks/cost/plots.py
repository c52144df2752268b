"""The plot of the pipeline benchmark: stages by workload, delays, memory over the soak."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rtrack_ros.benchmarks.cost.live import LiveCost
from rtrack_ros.benchmarks.cost.pair_cost import STAGES, PathCost
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    GRID,
    INK,
    SECOND,
    SOFT,
    as_svg,
    label_axes,
)

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.cost.benchmark import Cell

STAGE_COLOURS = {'receive': '#94a3b8', 'intake': '#38bdf8', 'flow': ACCENT,
                 'siamese': '#818cf8', 'tracking': SECOND, 'publish': '#f472b6',
                 'other': '#cbd5e1'}
FRAME_MS = 1e3 / 30


def cost_plot(cells: 'Sequence[Cell]', plays: Mapping[str, LiveCost], soak: LiveCost | None
              ) -> str:
    """Return what was measured as SVG, see ``cost_figure``."""
    return as_svg(cost_figure(cells, plays, soak))


def cost_figure(cells: 'Sequence[Cell]', plays: Mapping[str, LiveCost], soak: LiveCost | None
                ) -> Figure:
    """Draw what was measured, one panel a part; a part that was not run has none.

    Raises:
        ValueError: no part was run.
    """
    drawn: list[Callable[[Axes], None]] = []
    if cells:
        drawn.append(lambda axes: _stages(axes, cells))
    if plays:
        drawn.append(lambda axes: _delays(axes, plays))
    if soak is not None:
        drawn.append(lambda axes: _memory(axes, soak))
    if not drawn:
        raise ValueError('nothing was measured that could be drawn')
    figure = Figure(figsize=(8.4, 3.4 * len(drawn)), layout='constrained')
    for draw, axes in zip(drawn, np.atleast_1d(figure.subplots(len(drawn))), strict=True):
        _style(axes)
        draw(axes)
    return figure


def _style(axes: Axes) -> None:
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.spines['bottom'].set_color(GRID)
    axes.tick_params(colors=SOFT, labelsize=8.5, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _stages(axes: Axes, cells: 'Sequence[Cell]') -> None:
    """Stack the stages of our way, and of the common way beside it, for every workload."""
    places = np.arange(float(len(cells)))
    _stack(axes, places - 0.2, [cell.ours for cell in cells], 1.0)
    known = [(place, cell.common) for place, cell in zip(places, cells, strict=True)
             if cell.common is not None]
    if known:
        _stack(axes, np.array([place for place, _ in known]) + 0.2,
               [cost for _, cost in known], 0.5)
    axes.set_xticks(places, [f'{load.tracks}/{load.queries}\n{load.size[1]}p'
                             for load in (cell.workload for cell in cells)])
    axes.grid(axis='x', visible=False)
    axes.set_ylim(top=1.25 * axes.get_ylim()[1])
    label_axes(axes, 'tracks/queries and image height; right and pale: the common ROS way',
               'processor time per pair, ms')
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, ncols=4, loc='upper left')


def _stack(axes: Axes, places: NDArray[np.floating], costs: Sequence[PathCost], alpha: float
           ) -> None:
    floor = np.zeros(len(costs))
    for name in STAGES:
        height = np.array([cost.stages[name].p50 for cost in costs])
        axes.bar(places, height, 0.38, floor, color=STAGE_COLOURS[name], alpha=alpha,
                 label=name if alpha == 1.0 else None)
        floor += height


def _delays(axes: Axes, plays: Mapping[str, LiveCost]) -> None:
    """Draw the share of arrays that is out by a time after the stamp."""
    for (name, cost), colour in zip(plays.items(), (ACCENT, SECOND, SOFT, INK), strict=False):
        delays = np.sort(cost.delays_ms)
        if len(delays):
            axes.plot(delays, np.arange(1, len(delays) + 1) / len(delays), color=colour,
                      linewidth=1.8, label=f'{name}: p50 {cost.delay_ms(50):.1f} ms, '
                                           f'p99 {cost.delay_ms(99):.1f} ms')
    axes.axvline(FRAME_MS, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), label='one frame')
    axes.axhline(0.99, color=SOFT, linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set_xlim(left=0)
    label_axes(axes, 'image stamp to published array, ms', 'share of arrays')
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc='upper left')


def _memory(axes: Axes, soak: LiveCost) -> None:
    usage = soak.usage
    axes.plot([sample.time_s / 60 for sample in usage], [sample.rss_mib for sample in usage],
              color=ACCENT, linewidth=1.6)
    axes.set_ylim(0, 1.15 * max((sample.rss_mib for sample in usage), default=1.0))
    label_axes(axes, 'time, min', 'resident memory of the node, MiB')
