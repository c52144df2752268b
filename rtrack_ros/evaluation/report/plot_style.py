"""How the plots of this package look: colours, axes and files, drawn without a display."""

import io

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

INK, SOFT, GRID = '#1b2430', '#6b7686', '#e4e8ee'
ACCENT, SECOND = '#2563eb', '#f59e0b'


def new_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches and its only axes."""
    figure = Figure(figsize=(width, height), layout='constrained')
    axes = figure.subplots()
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.spines['bottom'].set_color(GRID)
    axes.tick_params(colors=SOFT, labelsize=9, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def label_axes(axes: Axes, across: str, up: str) -> None:
    """Name what runs across and up."""
    axes.set_xlabel(across, color=SOFT, fontsize=9.5)
    axes.set_ylabel(up, color=SOFT, fontsize=9.5)


def as_svg(figure: Figure) -> str:
    """Return the figure as an SVG text on no background."""
    FigureCanvasSVG(figure)
    stream = io.StringIO()
    # Sentences and names are no formulas: an odd dollar sign would lose the report.
    with matplotlib.rc_context({'text.parse_math': False}):
        for text in figure.findobj(Text):
            text.set_parse_math(False)
        figure.savefig(stream, format='svg', transparent=True, metadata={'Date': None})
    return stream.getvalue()
