"""Partial answers: a thread passes on boxes of an answer while the model writes the others."""

import threading
from contextlib import suppress

from rtrack_ros.language.answers import Answer, OnAnswer


class PartialAnswers:
    """Passes on answers that are still being written, in a thread of its own.

    The model never waits for the receiver. If the receiver takes longer than the next box, only
    the newest partial answer to each query is passed on; it holds all boxes before.

    Args:
        on_partial: Called with the newest partial answer to a query.
    """

    def __init__(self, on_partial: OnAnswer) -> None:
        self._on_partial = on_partial
        self._wake = threading.Condition()
        self._newest: dict[str, Answer] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._work, name='listening', daemon=True)
        self._thread.start()

    def put(self, answer: Answer) -> None:
        """Take a partial answer, from any thread; returns at once."""
        with self._wake:
            self._newest[answer.query_id] = answer
            self._wake.notify()

    def discard(self, query_id: str) -> None:
        """Drop what has not been passed on to a query: the whole answer is here."""
        with self._wake:
            self._newest.pop(query_id, None)

    def close(self, timeout_s: float) -> bool:
        """Stop; returns whether the thread ended in time."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (answer := self._take()) is not None:
            # The whole answer follows and fails the same way; it is counted there.
            with suppress(Exception):
                self._on_partial(answer)

    def _take(self) -> Answer | None:
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._newest)
            return None if self._closed else self._newest.pop(next(iter(self._newest)))
