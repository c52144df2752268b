"""How commands talk to a terminal: results on stdout, progress bars on stderr."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

Item = TypeVar('Item')


def console(stderr: bool = False) -> Console:
    """Return the console for results; a pipe gets lines wide enough for every table."""
    plain = Console(highlight=False, stderr=stderr)
    return plain if plain.is_terminal else Console(highlight=False, stderr=stderr, width=120)


@contextmanager
def progress_bar(*columns: ProgressColumn) -> Iterator[Progress]:
    """Show bars on stderr, where that is a terminal; rich's own columns if none are given."""
    error = Console(stderr=True)
    with Progress(*columns, console=error, disable=not error.is_terminal, transient=True) as bar:
        yield bar


def progress(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    """Yield the items and show how far they are.

    Args:
        items: What to go through.
        what: What is being done, in a word or two.
        total: Number of items, None where it is not known.
    """
    with progress_bar(TextColumn('{task.description:>12}'), BarColumn(), MofNCompleteColumn(),
                      TimeRemainingColumn()) as bar:
        yield from bar.track(items, total=total, description=what)
