"""How commands talk to a terminal: results on stdout, progress bars on stderr.

What comes from data sets, recordings and users is shown harmlessly, see ``foreign_text``. What
rich itself writes, colours and moving bars, is left as it is.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment

from rtrack_ros.foreign_text import harmless

Item = TypeVar('Item')


def console(stderr: bool = False) -> Console:
    """Return the console for results; a pipe gets lines wide enough for every table."""
    file = _unfiltered(sys.stderr if stderr else sys.stdout)
    made = Console(highlight=False, file=file)
    if not made.is_terminal:
        made = Console(highlight=False, file=file, width=120)
    made.push_render_hook(_HarmlessHook())
    return made


class HarmlessStream:
    """A text stream that lets through nothing a terminal would obey, nor what it cannot encode."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text; returns its length."""
        encoding = getattr(self.stream, 'encoding', None) or 'utf-8'
        self.stream.write(harmless(text).encode(encoding, 'replace').decode(encoding))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def harmless_output() -> Iterator[None]:
    """Let ``print`` write harmlessly, to stdout and stderr, until the end of the context."""
    before = sys.stdout, sys.stderr
    sys.stdout = HarmlessStream(sys.stdout)
    sys.stderr = HarmlessStream(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _unfiltered(stream: Any) -> TextIO:
    found: TextIO = stream.stream if isinstance(stream, HarmlessStream) else stream
    return found


class _HarmlessHook(RenderHook):
    """Makes texts harmless after they were laid out, and leaves rich's own codes."""

    def process_renderables(self, renderables: list[ConsoleRenderable]
                            ) -> list[ConsoleRenderable]:
        return [_Harmless(renderables)]


class _Harmless:
    def __init__(self, parts: Sequence[ConsoleRenderable]) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for part in self._parts:
            for segment in console.render(part, options):
                yield segment if segment.control else Segment(harmless(segment.text),
                                                              segment.style)


@contextmanager
def progress_bar(*columns: ProgressColumn) -> Iterator[Progress]:
    """Show bars on stderr, where that is a terminal; rich's own columns if none are given."""
    error = Console(file=_unfiltered(sys.stderr))
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
