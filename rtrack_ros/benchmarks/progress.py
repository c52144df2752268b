"""How a benchmark says how far it is: the command hands in a progress bar, a test nothing."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Progress = Callable[[Iterable[Any], str, int], Iterator[Any]]
"""Yields items with their description and number, and shows how far it is."""


def no_progress(items: Iterable[Any], what: str, total: int) -> Iterator[Any]:
    """Yield the items and show nothing."""
    yield from items
