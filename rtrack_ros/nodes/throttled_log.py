"""Log lines that may come with every frame, written at most once in a while."""

import time
from collections.abc import Callable
from typing import Any


class ThrottledLog:
    """Writes each kind of line at most once per period, with the number of those left out.

    rclpy's own throttle goes by the line of code that logs, which would let one frequent fault
    hide all others that are reported through the same function.

    Args:
        logger: The node's logger.
        period_s: Least time between two lines of one kind, in seconds.
        clock: Monotone clock in seconds.
    """

    def __init__(self, logger: Any, period_s: float = 5.0,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._period_s = period_s
        self._clock = clock
        self._written: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    # rclpy knows a call by its line of code, and refuses another severity there ever after.

    def info(self, kind: str, text: str) -> None:
        """Write what is no fault, unless a line of this kind was written a moment ago."""
        if line := self._due(kind, text):
            self._logger.info(line)

    def warning(self, kind: str, text: str) -> None:
        """Write a warning, unless one of this kind was written a moment ago."""
        if line := self._due(kind, text):
            self._logger.warning(line)

    def error(self, kind: str, text: str) -> None:
        """Write an error, unless one of this kind was written a moment ago."""
        if line := self._due(kind, text):
            self._logger.error(line)

    def _due(self, kind: str, text: str) -> str:
        """Return the line to be written now, '' where one of its kind was a moment ago."""
        now = self._clock()
        if now - self._written.get(kind, -float('inf')) < self._period_s:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return ''
        self._written[kind] = now
        left_out = self._left_out.pop(kind, 0)
        return f'{text} ({left_out} more like this)' if left_out else text
