"""Answers of a real model about one recording, each asked once and kept."""

import time

from rtrack_ros.engines.base import EngineError
from rtrack_ros.evaluation.streaming.protocol import Inference, Pairs
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.putting import GroundsQueries


class ModelAnswers:
    """Asks a model about the pairs of a recording, about each pair and sentence once.

    Args:
        grounder: The model.
        pairs: The recording.
    """

    def __init__(self, grounder: GroundsQueries, pairs: Pairs) -> None:
        self._grounder, self._pairs = grounder, pairs
        self._heard: dict[tuple[str, int], Inference] = {}

    def about(self, index: int, query: Query) -> Inference:
        """Return the model's answer about the pair of this index, from memory if it is there."""
        key = (query.text, index)
        if key not in self._heard:
            self._heard[key] = self._ask(index, query)
        return self._heard[key]

    def _ask(self, index: int, query: Query) -> Inference:
        pair = self._pairs[index]
        started = time.perf_counter()
        try:
            return Inference(self._grounder.ground(pair, query))
        except (AnswerError, EngineError):
            latency_ms = (time.perf_counter() - started) * 1e3
            return Inference(Answer(pair.stamp_ns, query.id, query.epoch, (), latency_ms), False)
