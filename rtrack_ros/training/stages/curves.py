"""The curves of a stage as one SVG, from its log."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from rtrack_ros.training.training_log import read_entries

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVES: Final = {'loss': 'loss', 'eval_loss': 'held-out loss', 'reward': 'reward',
                 'grad_norm': 'gradient norm', 'advantages/near_ties': 'near-tied groups',
                 'completions/mean_length': 'tokens of an answer', 'entropy': 'entropy'}
SMOOTHED: Final = 15
"""Log entries that the thick line averages."""


def read_log(log: Path) -> dict[str, list[tuple[int, float]]]:
    """Return (step, value) of every figure in a log, later entries of a step over earlier ones."""
    found: dict[str, dict[int, float]] = {}
    for entry in read_entries(log):
        for name, value in entry.items():
            known = isinstance(value, int | float) and math.isfinite(value)
            if known and name not in ('step', 'stage'):
                found.setdefault(name, {})[entry['step']] = float(value)
    return {name: sorted(values.items()) for name, values in found.items()}


def draw_curves(figures: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """Return ``curves_figure`` as SVG."""
    from rtrack_ros.evaluation.report.plot_style import as_svg

    return as_svg(curves_figure(figures))


def curves_figure(figures: Mapping[str, Sequence[tuple[int, float]]]) -> 'Figure':
    """Draw a panel for each of ``CURVES`` that the log holds at two steps or more."""
    from rtrack_ros.evaluation.report.plot_style import ACCENT, INK, label_axes, new_axes

    shown = [name for name in CURVES if len(figures.get(name, ())) > 1]
    figure, first = new_axes(5.6, 2.4 * max(len(shown), 1))
    first.remove()
    for place, name in enumerate(shown, start=1):
        axes = figure.add_subplot(len(shown), 1, place)
        steps, values = np.array(figures[name]).T
        axes.plot(steps, values, color=ACCENT, linewidth=0.6, alpha=0.5)
        width = min(SMOOTHED, len(values))
        axes.plot(steps[width - 1:], np.convolve(values, np.ones(width) / width, 'valid'),
                  color=INK, linewidth=1.6)
        label_axes(axes, 'optimisation step', CURVES[name])
    return figure
