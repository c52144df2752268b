"""Splits the time of one thread into stages, from outside the code that is timed.

Functions are replaced by timed ones wherever a module of this package refers to them, and put
back afterwards: the tracker carries no instruments. A stage that runs inside another stops the
clock of the outer one, so that the stages of a pair add up to its whole.
"""

import functools
import inspect
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

OTHER = 'other'
"""The stage of whatever belongs to no other."""


class Method(NamedTuple):
    """A method to be timed: its class and its name."""

    owner: type
    name: str


Timed = Callable[..., Any] | Method


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

    @contextmanager
    def installed(self, stages: Mapping[str, Sequence[Timed]]) -> Iterator[None]:
        """Time these functions and methods while the block runs.

        Args:
            stages: What to time, by the name of the stage that it counts for.
        """
        with ExitStack() as stack:
            for name, timed in stages.items():
                for target in timed:
                    for owner, attribute in _places(target):
                        stack.enter_context(patch.object(
                            owner, attribute, self._timed(owner, attribute, name)))
            yield

    def _timed(self, owner: Any, attribute: str, name: str) -> Any:
        original = inspect.getattr_static(owner, attribute)
        plain = original.__func__ if isinstance(original, classmethod) else original

        @functools.wraps(plain)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return plain(*args, **kwargs)

        return classmethod(timed) if isinstance(original, classmethod) else timed

    def _turn(self) -> None:
        """Credit the time since the last change to the innermost open stage."""
        now_ns = self._now_ns()
        if self._open:
            name = self._open[-1]
            self._spent_ns[name] = self._spent_ns.get(name, 0) + now_ns - self._since_ns
        self._since_ns = now_ns


def _places(target: Timed) -> list[tuple[Any, str]]:
    """Return every (module or class, attribute) of this package under which it is called."""
    if isinstance(target, Method):
        return [(target.owner, target.name)]
    modules = [module for name, module in list(sys.modules.items())
               if name.split('.')[0] == 'rtrack_ros']
    return [(module, attribute) for module in modules
            for attribute, value in list(vars(module).items()) if value is target]
