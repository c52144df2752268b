"""How a question is taken back while an engine answers it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Takes one question back, once and for all; any thread may do so at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._stop: Callable[[], object] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the question was taken back."""
        return self._cancelled

    def cancel(self) -> None:
        """Take the question back; returns at once. Of no effect on an answer that is complete."""
        with self._lock:
            self._cancelled = True
            if self._stop is not None:
                self._stop()

    @contextmanager
    def stopping_by(self, stop: Callable[[], object]) -> Iterator[None]:
        """Have ``stop`` called when the question is taken back while the block runs.

        It is called at once where that happened before, and never after the block.

        Args:
            stop: Called from the thread that cancels; must return at once and not raise.
        """
        with self._lock:
            self._stop = stop
            if self._cancelled:
                stop()
        try:
            yield
        finally:
            with self._lock:
                self._stop = None


def passed_on(cancellation: Cancellation | None) -> dict[str, Cancellation]:
    """Return the keyword arguments that hand a cancellation on; none where there is none.

    What is never taken back need not know that it could be.
    """
    return {} if cancellation is None else {'cancellation': cancellation}
