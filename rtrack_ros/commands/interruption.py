"""Ctrl-C and the end by a service manager are one thing: what was done is finished and kept."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, and take SIGINT where a shell had it ignored."""
    def leave(number: int, frame: Any) -> None:
        # Cleaning up is not interrupted by whoever is impatient.
        for ending in before:
            signal.signal(ending, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {ending: signal.getsignal(ending) for ending in (signal.SIGINT, signal.SIGTERM)}
    for ending in before:
        signal.signal(ending, leave)
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
