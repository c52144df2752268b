"""The task ground: from a sentence and a frame pair to groundings, in one question."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from rtrack_ros.engines.base import Engine
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, OnAnswer
from rtrack_ros.language.coordinates import largest_coordinate
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.parser import AnswerError, written_items
from rtrack_ros.language.prompts import ground_prompt
from rtrack_ros.language.queries import Query
from rtrack_ros.language.task_client import TOKENS_PER_BOX, TaskClient


class Grounder:
    """Asks an engine where the objects of a query are.

    As many threads may use it at once as the engine allows.

    Several queries about one and the same pair cost one encoding of its images where the
    engine can keep it.

    Every grounding has score 1. The probability of a text is mostly that of its coordinates, which
    spreads over neighbours however sure the model is that an object is there.

    Args:
        engine: The engine that answers.
        max_boxes: Most boxes in one answer; raising it lets crowds be answered and makes the
            longest answer slower.
        labels: Words the model may use; None takes the ones its engine declares, if any.

    Raises:
        TaskError: the engine's model was not trained to ground.
        ProtocolError: the engine's model names an unknown coordinate protocol.
        PromptError: the engine's model names an unknown prompt style.
    """

    def __init__(self, engine: Engine, max_boxes: int = 12,
                 labels: Sequence[str] | None = None) -> None:
        self._client = TaskClient(engine, 'ground')
        facts = self._client.capabilities
        self._style = facts.prompt
        self._grammar = answer_grammar(
            max_boxes, labels or facts.labels or None,
            largest_coordinate(facts.bbox_protocol, facts.image_size))
        self._max_tokens = TOKENS_PER_BOX * max_boxes

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None,
               cancellation: Cancellation | None = None) -> Answer:
        """Return the model's answer to ``query`` about ``pair``, boxes in original RGB pixels.

        Args:
            pair: The frame pair asked about, or a crop of it; boxes are pixels of the original
                image either way.
            query: The sentence and its epoch.
            deadline_s: Seconds after which the answer is of no use; None waits.
            on_partial: Called with the answer so far whenever another box is written, from any
                thread, where the engine passes on its text; must return at once. Its boxes are
                those of the answer, unless the answer is refused for what comes after them.
            cancellation: Takes the question back.

        Raises:
            CancelledError: the question was taken back.
            EngineError: no text could be produced.
            AnswerError: the text is not an answer, or was cut off.
        """
        read = partial(self._read, pair, query, time.perf_counter())
        listener = None if on_partial is None else _Listener(read, on_partial)
        reply = self._client.ask([pair], ground_prompt(query.text, self._style), self._grammar,
                                self._max_tokens, deadline_s, listener, cancellation)
        return read(reply.text)

    def _read(self, pair: FramePair, query: Query, started: float, text: str,
              unfinished: bool = False) -> Answer:
        """Return the answer in a text, or the part of it that the text has so far."""
        groundings = self._client.groundings(written_items(text) if unfinished else text, pair)
        latency_ms = (time.perf_counter() - started) * 1e3
        return Answer(pair.stamp_ns, query.id, query.epoch, groundings, latency_ms, pair.region,
                      unfinished)


class _Listener:
    """Takes the growing text of an answer, and passes the answer on with every new box."""

    def __init__(self, read: Callable[..., Answer], on_partial: OnAnswer) -> None:
        self._read, self._on_partial = read, on_partial
        self._ends = 0

    def __call__(self, text: str) -> None:
        """Take the text so far; errors in it are raised when it is complete."""
        ends = text.count('}')
        if ends == self._ends:
            return
        self._ends = ends
        try:
            answer = self._read(text, unfinished=True)
        except AnswerError:
            return
        if answer.groundings:
            self._on_partial(answer)
