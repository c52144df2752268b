"""The plot of the benchmark of the pipeline: age and HOTA over the share of the processor."""

from collections.abc import Callable, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rtrack_ros.benchmarks.pipeline.plays import COMMON, OURS, PlayResult
from rtrack_ros.evaluation.report.plot_style import (
    ACCENT,
    GRID,
    INK,
    SECOND,
    SOFT,
    as_svg,
    label_axes,
)

_COLOURS: Final = {OURS: ACCENT, COMMON: SECOND}
_NAMES: Final = {OURS: 'rtrack_ros', COMMON: 'ApproximateTime, blocking model'}


def share_plot(plays: Sequence[PlayResult]) -> str:
    """Return age and HOTA over the share as SVG, see ``share_figure``."""
    return as_svg(share_figure(plays))


def share_figure(plays: Sequence[PlayResult]) -> Figure:
    """Draw age of the newest array, and HOTA, over the share of every core; a line a way."""
    figure = Figure(figsize=(8.4, 3.8), layout='constrained')
    ages, scores = figure.subplots(1, 2)
    for axes in (ages, scores):
        axes.spines[['top', 'right', 'left']].set_visible(False)
        axes.spines['bottom'].set_color(GRID)
        axes.tick_params(colors=SOFT, labelsize=9, length=0)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
    for way in dict.fromkeys(play.way for play in plays):
        own = [play for play in plays if play.way == way]
        _line(ages, own, lambda play: play.age_ms(99), f'{_NAMES[way]}, p99', '-', _COLOURS[way])
        _line(ages, own, lambda play: play.age_ms(50), f'{_NAMES[way]}, p50', ':', _COLOURS[way])
        _line(scores, own, lambda play: play.hota, _NAMES[way], '-', _COLOURS[way])
    label_axes(ages, 'share of every core, %', 'age of the newest array, ms')
    label_axes(scores, 'share of every core, %', 'streaming HOTA')
    for axes in (ages, scores):
        axes.set_ylim(bottom=0)
    # Beside the lines there is no room for it that they leave free for certain.
    figure.legend(*ages.get_legend_handles_labels(), loc='outside lower center', ncols=2,
                  frameon=False, fontsize=8, labelcolor=INK)
    return figure


def _line(axes: Axes, plays: Sequence[PlayResult],
          value: Callable[[PlayResult], float | None], label: str, line: str, colour: str) -> None:
    points = sorted((100 * play.share.got, height) for play in plays
                    if (height := value(play)) is not None)
    if points:
        shares, heights = zip(*points, strict=True)
        axes.plot(shares, heights, line, color=colour, marker='o', markersize=4, label=label)
