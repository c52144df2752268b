"""Ctrl-C and the end by a service manager are one thing: what was done is finished and kept."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupted_by_sigterm() -> Iterator[Callable[[], None]]:
    """Turn SIGTERM into KeyboardInterrupt, and take SIGINT where a shell had it ignored.

    Yields:
        A function that lets neither interrupt any more: the work is done, and is to be finished.
    """
    def finish() -> None:
        for ending in before:
            signal.signal(ending, signal.SIG_IGN)

    def leave(number: int, frame: Any) -> None:
        # Cleaning up is not interrupted by whoever is impatient.
        finish()
        raise KeyboardInterrupt

    before = {ending: signal.getsignal(ending) for ending in (signal.SIGINT, signal.SIGTERM)}
    for ending in before:
        signal.signal(ending, leave)
    try:
        yield finish
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
