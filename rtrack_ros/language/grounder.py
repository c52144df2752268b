"""One question to the model about one frame pair, from sentence to groundings."""

import time
from collections.abc import Sequence

from rtrack_ros.engines.base import Engine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.asking import TOKENS_PER_BOX, Asker
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import ground_prompt
from rtrack_ros.language.queries import Query


class Grounder:
    """Asks an engine where the objects of a query are. Used by one thread at a time.

    Several queries in turn about one and the same pair cost one encoding of its images where the
    engine can keep it.

    Every grounding has score 1: the probability of a text is mostly that of its coordinates, which
    spread over neighbours however sure the model is that somebody is there.

    Args:
        engine: The engine that answers.
        max_boxes: Most boxes in one answer; raising it lets crowds be answered and makes the
            longest answer slower.
        labels: Words the model may use; None takes the ones its engine declares, if any.

    Raises:
        TaskError: the engine's model was not trained to ground.
        ProtocolError: the engine's model names a coordinate protocol nobody here can read.
        PromptError: the engine's model names a prompt style nobody here can write.
    """

    def __init__(self, engine: Engine, max_boxes: int = 12,
                 labels: Sequence[str] | None = None) -> None:
        self._asker = Asker(engine, 'ground')
        self._style = self._asker.capabilities.prompt
        self._grammar = answer_grammar(max_boxes,
                                       labels or self._asker.capabilities.labels or None)
        self._max_tokens = TOKENS_PER_BOX * max_boxes

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None) -> Answer:
        """Return the model's answer to ``query`` about ``pair``, boxes in original RGB pixels.

        Args:
            pair: The frame pair asked about, or a crop of it; boxes are pixels of the original
                image either way.
            query: The sentence and its epoch.
            deadline_s: Seconds after which the answer is of no use; None waits.

        Raises:
            EngineError: no text could be produced.
            AnswerError: the text is no answer, or was cut off.
        """
        started = time.perf_counter()
        reply = self._asker.ask([pair], ground_prompt(query.text, self._style), self._grammar,
                                self._max_tokens, deadline_s)
        groundings = self._asker.groundings(reply.text, pair)
        latency_ms = (time.perf_counter() - started) * 1e3
        return Answer(pair.stamp_ns, query.id, query.epoch, groundings, latency_ms, pair.region)
