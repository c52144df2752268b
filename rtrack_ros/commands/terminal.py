"""How commands talk to a terminal: progress bars and tables, on stderr and stdout."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from rtrack_ros.evaluation.hota import Scores
from rtrack_ros.evaluation.presence import Presence

Item = TypeVar('Item')


def console() -> Console:
    """Return the console for results; what a program reads goes to stdout undecorated."""
    return Console(highlight=False)


def progress(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    """Yield the items and show a bar on stderr meanwhile, where that is a terminal.

    Args:
        items: What to go through.
        what: What is being done, in a word or two.
        total: Number of items, None where it is not known.
    """
    columns = (TextColumn('{task.description:>12}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())
    error = Console(stderr=True)
    with Progress(*columns, console=error, disable=not error.is_terminal,
                  transient=True) as bar:
        yield from bar.track(items, total=total, description=what)


def score_table(rows: Iterable[tuple[str, Scores, Presence]], title: str) -> Table:
    """Return a table of scores, one row per split; the first one is the headline."""
    table = Table(title=title, title_justify='left', header_style='bold')
    table.add_column('')
    for name in ('HOTA', 'DetA', 'AssA', 'LocA', 'MOTA', 'IDF1', 'IDSW', 'presence F1',
                 'absent FPR', 'boxes true / found'):
        table.add_column(name, justify='right')
    for number, (name, scores, presence) in enumerate(rows):
        figures = [f'{value:.1f}' for value in (scores.hota, scores.deta, scores.assa,
                                                scores.loca, scores.mota, scores.idf1)]
        table.add_row(name, *figures, str(scores.idsw), _percent(presence.f1),
                      _percent(presence.absent_fpr),
                      f'{scores.truth_boxes} / {scores.track_boxes}',
                      style='bold' if number == 0 else '')
    return table


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'
