"""The plot of the streaming benchmark: HOTA over the delay of the engine."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rtrack_ros.evaluation.report.plot_style import ACCENT, INK, SECOND, SOFT, label_axes, new_axes
from rtrack_ros.evaluation.streaming.pooling import Row

STYLES = {'rtrack_ros': (ACCENT, '-', 2.8), 'Kalman only': (SECOND, '-', 1.8),
          'ByteTrack': (INK, '--', 1.8), 'blocking model': (SOFT, '-', 1.8),
          'perfect motion': (SOFT, ':', 1.8), 'rtrack_ros, no delay': (ACCENT, ':', 1.8)}


def write_delay_plot(rows: Sequence[Row], path: Path) -> Path:
    """Write the plot of ``delay_figure`` and return the path, whose suffix chooses the format."""
    delay_figure(rows).savefig(path, facecolor='white')
    return path


def delay_figure(rows: Sequence[Row]) -> Figure:
    """Draw streaming HOTA over engine delay, one line a method.

    Args:
        rows: Methods at fixed delays, and ours with answers as rare that come at once.
    """
    figure, axes = new_axes(7.6, 3.8)
    delay_s = {row.profile: row.delay_s for row in rows}
    for name, (colour, line, width) in STYLES.items():
        points = sorted((delay_s[row.engine], row.scores.hota) for row in rows
                        if row.label == name)
        if points:
            delays, scores = zip(*points, strict=True)
            axes.plot(delays, scores, line, color=colour, linewidth=width, marker='o',
                      markersize=4, label=name)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    label_axes(axes, 'engine delay, s', 'streaming HOTA')
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc='upper left',
                bbox_to_anchor=(1.0, 1.0))
    return figure
