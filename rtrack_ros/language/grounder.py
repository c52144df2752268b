"""One question to the model about one frame pair, from sentence to groundings."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from rtrack_ros.engines.base import Engine, Prompt, Reply, SharesImages
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.coordinates import check_protocol
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.language.prompts import ground_prompt
from rtrack_ros.language.queries import Query

# A tokenizer that spells every digit needs about 35 tokens for one box.
_TOKENS_PER_BOX = 40


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
        ProtocolError: the engine's model names a coordinate protocol nobody here can read.
        PromptError: the engine's model names a prompt style nobody here can write.
    """

    def __init__(self, engine: Engine, max_boxes: int = 12,
                 labels: Sequence[str] | None = None) -> None:
        self._engine = engine
        self._capabilities = engine.capabilities()
        check_protocol(self._capabilities.bbox_protocol)
        ground_prompt('', self._capabilities.prompt)
        self._grammar = answer_grammar(max_boxes, labels or self._capabilities.labels or None)
        self._max_tokens = _TOKENS_PER_BOX * max_boxes
        self._seen: tuple[FramePair, Any] | None = None

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
        prompt = ground_prompt(query.text, self._capabilities.prompt)
        reply = self._ask(pair, prompt, deadline_s)
        if reply.finish != 'stop':
            raise AnswerError(f'the answer is incomplete (finish {reply.finish!r} after '
                              f'{reply.tokens} tokens); allow fewer boxes per answer')
        groundings = parse_answer(reply.text, self._capabilities.bbox_protocol,
                                  (pair.width, pair.height), self._capabilities.image_size)
        latency_ms = (time.perf_counter() - started) * 1e3
        return Answer(pair.stamp_ns, query.id, query.epoch,
                      tuple(_on_the_whole(item, pair.region) for item in groundings), latency_ms,
                      pair.region)

    def _ask(self, pair: FramePair, prompt: Prompt, deadline_s: float | None) -> Reply:
        """Ask the engine, about images it has seen already where this is the pair of before."""
        if not self._capabilities.shares_images:
            return self._engine.infer(pair.images(), prompt, self._grammar, self._max_tokens,
                                      deadline_s)
        engine, started = cast(SharesImages, self._engine), time.perf_counter()
        if self._seen is None or self._seen[0] is not pair:
            self._seen = (pair, engine.encode(pair.images()))
        left_s = None if deadline_s is None else deadline_s - (time.perf_counter() - started)
        return engine.answer(self._seen[1], prompt, self._grammar, self._max_tokens, left_s)


def _on_the_whole(grounding: Grounding, region: Region | None) -> Grounding:
    """Return a grounding in a crop as one in the image; whole pixels keep the shift exact."""
    if region is None:
        return grounding
    x1, y1, x2, y2 = grounding.box
    left, top = region[:2]
    return replace(grounding, box=(x1 + left, y1 + top, x2 + left, y2 + top))
