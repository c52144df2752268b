"""How commands talk to a terminal: progress bars and tables, on stderr and stdout."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from rtrack_ros.evaluation.metrics.hota import Scores
from rtrack_ros.evaluation.metrics.presence import Presence

Item = TypeVar('Item')


def console() -> Console:
    """Return the console for results; a pipe gets lines wide enough for every table."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=110)


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


ScoreRow = tuple[str, Scores, Presence]


def score_table(title: str, *groups: Sequence[ScoreRow]) -> Table:
    """Return a table of scores: groups of rows with a line between, the first row in bold."""
    table = Table(title=title, title_justify='left', header_style='bold', box=SIMPLE_HEAD,
                  pad_edge=False)
    table.add_column('', overflow='ellipsis', no_wrap=True, ratio=1)
    for name in ('HOTA', 'DetA', 'AssA', 'IDF1', 'MOTA', 'IDSW', 'presence', 'false alarm',
                 'meant', 'found'):
        table.add_column(name, justify='right', no_wrap=True, min_width=min(len(name), 8))
    for number, group in enumerate(groups):
        for name, scores, presence in group:
            table.add_row(name, *_cells(scores), _percent(presence.f1),
                          _percent(presence.absent_fpr), str(scores.truth_boxes),
                          str(scores.track_boxes), style='' if number else 'bold')
        table.add_section()
    return table


def _cells(scores: Scores) -> list[str]:
    if not scores.truth_boxes:
        return ['-'] * 6  # nobody is meant: presence tells
    figures = (scores.hota, scores.deta, scores.assa, scores.idf1, scores.mota)
    return [f'{value:.1f}' for value in figures] + [str(scores.idsw)]


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'
