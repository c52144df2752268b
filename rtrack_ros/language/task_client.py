"""The client of all tasks: puts one question to an engine and checks the reply."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from rtrack_ros.engines.base import (
    Capabilities,
    Engine,
    Grammar,
    OnText,
    Prompt,
    Reply,
    SharesImages,
    TaskError,
)
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Box, Grounding
from rtrack_ros.language.coordinates import check_protocol, model_from_pixels
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.language.prompts import ground_prompt

TOKENS_PER_BOX = 40
"""A tokenizer that spells every digit needs about 35 tokens for one box."""


class TaskClient:
    """Puts the questions of one task to an engine. Used by one thread at a time.

    Several questions in turn about the same frame pairs cost one encoding of their images where
    the engine can keep it.

    Args:
        engine: The engine that answers.
        task: What it is asked for, of ``engines.base.TASKS``.

    Attributes:
        capabilities: Those of the engine.

    Raises:
        TaskError: the engine's model was not trained for the task.
        ProtocolError: the engine's model names an unknown coordinate protocol.
        PromptError: the engine's model names an unknown prompt style.
    """

    def __init__(self, engine: Engine, task: str) -> None:
        self._engine = engine
        self.capabilities: Capabilities = engine.capabilities()
        _check_task(self.capabilities, task)
        check_protocol(self.capabilities.bbox_protocol)
        ground_prompt('', self.capabilities.prompt)
        self._seen: tuple[tuple[FramePair, ...], Any] | None = None

    def ask(self, pairs: Sequence[FramePair], prompt: Prompt, grammar: Grammar, max_tokens: int,
            deadline_s: float | None = None, on_text: OnText | None = None) -> Reply:
        """Return a complete reply to a prompt about the images of some pairs.

        Args:
            pairs: Whole pairs or crops, in the order of the prompt.
            prompt: With places for two images of each.
            grammar: What may be answered.
            max_tokens: Upper bound on generated tokens.
            deadline_s: Seconds after which the answer is of no use, encoding included.
            on_text: Gets the text while it is written, see ``engines.base.Engine.infer``.

        Raises:
            EngineError: no text could be produced.
            AnswerError: the text was cut off.
        """
        reply = self._reply(tuple(pairs), prompt, grammar, max_tokens, deadline_s, on_text)
        if reply.finish != 'stop':
            raise AnswerError(f'the answer is incomplete (finish {reply.finish!r} after '
                              f'{reply.tokens} tokens); let the grammar allow less')
        return reply

    def _reply(self, pairs: tuple[FramePair, ...], prompt: Prompt, grammar: Grammar,
               max_tokens: int, deadline_s: float | None, on_text: OnText | None) -> Reply:
        """Ask the engine; images of the same pairs as before are not encoded again."""
        if not self.capabilities.shares_images:
            return self._engine.infer(_images(pairs), prompt, grammar, max_tokens, deadline_s,
                                      on_text)
        engine, started = cast(SharesImages, self._engine), time.perf_counter()
        if self._seen is None or not _same(self._seen[0], pairs):
            self._seen = (pairs, engine.encode(_images(pairs)))
        left_s = None if deadline_s is None else deadline_s - (time.perf_counter() - started)
        return engine.answer(self._seen[1], prompt, grammar, max_tokens, left_s, on_text)

    def groundings(self, text: str, pair: FramePair) -> tuple[Grounding, ...]:
        """Return the boxes of an answer about a pair, in pixels of the original RGB image.

        Raises:
            AnswerError: the text is not a list of boxes.
        """
        found = parse_answer(text, self.capabilities.bbox_protocol, (pair.width, pair.height),
                             self.capabilities.image_size)
        return tuple(_on_the_whole(item, pair.region) for item in found)

    def written(self, box: Box, pair: FramePair) -> Box:
        """Return a box in pixels of a pair as the model writes it, not rounded."""
        return model_from_pixels(box, self.capabilities.bbox_protocol, (pair.width, pair.height),
                                 self.capabilities.image_size)


def _check_task(capabilities: Capabilities, task: str) -> None:
    if task not in capabilities.tasks:
        known = ', '.join(capabilities.tasks)
        raise TaskError(f'the model {capabilities.model} was not trained to {task} (only to '
                        f'{known}); give one whose rtrack.json lists {task!r} under tasks, or '
                        'train one, see docs/training.md')


def _images(pairs: Sequence[FramePair]) -> list[Any]:
    return [image for pair in pairs for image in pair.images()]


def _same(first: Sequence[FramePair], second: Sequence[FramePair]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def _on_the_whole(grounding: Grounding, region: Region | None) -> Grounding:
    """Return a grounding in a crop as one in the image; whole pixels keep the shift exact."""
    if region is None:
        return grounding
    x1, y1, x2, y2 = grounding.box
    left, top = region[:2]
    return replace(grounding, box=(x1 + left, y1 + top, x2 + left, y2 + top))
