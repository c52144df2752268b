"""Splits the time of one thread into stages.

A stage that runs inside another stops the clock of the outer one, so that the stages of a pair add
up to its whole. What is timed is either a block or the calls of an object that is handed to the
code under test in place of the original: the tracker carries no instruments.
"""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

OTHER = 'other'
"""The stage of whatever belongs to no other."""

Subject = TypeVar('Subject')


class StageClock:
    """Adds up time by stage.

    Args:
        now_ns: A clock in nanoseconds. The default is the processor time of the calling thread:
            what other processes do on the machine is not in it, and neither is waiting.
    """

    def __init__(self, now_ns: Callable[[], int] = time.thread_time_ns) -> None:
        self._now_ns = now_ns
        self._spent_ns: dict[str, int] = {}
        self._open: list[str] = []
        self._since_ns = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block for a stage, less what stages inside it count."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    @contextmanager
    def whole(self) -> Iterator[dict[str, float]]:
        """Count one pair; afterwards the yielded dict holds milliseconds by stage."""
        self._spent_ns.clear()
        spent: dict[str, float] = {}
        with self.stage(OTHER):
            yield spent
        spent.update((name, value * 1e-6) for name, value in self._spent_ns.items())

    def timed(self, name: str, subject: Subject) -> Subject:
        """Return a stand-in for ``subject`` whose calls count for a stage."""
        return cast(Subject, _Timed(self, name, subject))

    def _turn(self) -> None:
        """Credit the time since the last change to the innermost open stage."""
        now_ns = self._now_ns()
        if self._open:
            name = self._open[-1]
            self._spent_ns[name] = self._spent_ns.get(name, 0) + now_ns - self._since_ns
        self._since_ns = now_ns


class _Timed:
    """Passes everything on to an object and times its calls."""

    def __init__(self, clock: StageClock, name: str, subject: object) -> None:
        self._clock, self._name, self._subject = clock, name, subject

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._subject, attribute)
        if not callable(value):
            return value

        @functools.wraps(value)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self._clock.stage(self._name):
                return value(*args, **kwargs)

        return timed
