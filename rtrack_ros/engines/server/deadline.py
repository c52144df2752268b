"""The instant at which a question is given up."""

import math
import time


class Deadline:
    """How long a question may still take, and how long a server may be silent.

    Args:
        seconds: Time for all of it; None where only silence ends it.
        silence_s: Longest silence of the server where there is no such time.
    """

    def __init__(self, seconds: float | None, silence_s: float) -> None:
        self.seconds = seconds
        self.silence_s = silence_s
        self._ends = math.inf if seconds is None else time.monotonic() + seconds
        self._silent_from = time.monotonic()

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._ends

    def heard(self) -> None:
        """Note that the server said something: its silence begins anew."""
        self._silent_from = time.monotonic()

    def left_s(self) -> float:
        """Return for how many seconds one may wait now, more than 0.

        Raises:
            TimeoutError: the time is over.
        """
        ends = (self._silent_from + self.silence_s) if self.seconds is None else self._ends
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError('the deadline passed')
        return left
