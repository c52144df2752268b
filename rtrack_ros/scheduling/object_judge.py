"""Asks the model for a yes or no about one object after another."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from rtrack_ros.engines.cancellation import Cancellation, passed_on
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box, Verdict
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.track import Track


class VerifiesObjects(Protocol):
    """Says whether a sentence is true of one object; ``language.verifier.Verifier`` is one."""

    def verify(self, pair: FramePair, box: Box, sentence: str, deadline_s: float | None = None,
               ) -> float:
        """Return the probability of a yes, in [0, 1]."""


class ObjectJudge:
    """Verifies a sentence on several objects of one pair, each in a close view of both spectra.

    Args:
        verifier: Answers about one object. As many threads may use the judge at once as it allows.
    """

    def __init__(self, verifier: VerifiesObjects) -> None:
        self._verifier = verifier

    def verdicts(self, pair: FramePair, query: Query, objects: Sequence[Track],
                 deadline_s: float | None = None, cancellation: Cancellation | None = None
                 ) -> Iterator[Verdict]:
        """Yield a verdict about each object, as soon as it is there.

        An object about which the model says neither yes nor no gets none.

        Args:
            pair: The pair on which the objects are where their boxes say.
            query: The sentence.
            objects: Tracks as of that pair.
            deadline_s: Seconds after which no verdict is of use; None waits.
            cancellation: Takes the question back.

        Raises:
            CancelledError: the question was taken back.
            EngineError: the engine failed, or time ran out; verdicts so far have been yielded.
        """
        started = time.perf_counter()
        for track in objects:
            left_s = None if deadline_s is None else deadline_s - (time.perf_counter() - started)
            if left_s is not None and left_s <= 0:
                return
            with suppress(AnswerError):
                probability = self._verifier.verify(pair, track.box, query.text, left_s,
                                                    **passed_on(cancellation))
                yield Verdict(pair.stamp_ns, query.id, query.epoch, track.id, probability)
