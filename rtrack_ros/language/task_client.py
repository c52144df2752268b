"""The client of all tasks: puts one question to an engine and checks the reply."""

import threading
import time
from collections import deque
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
from rtrack_ros.engines.cancellation import Cancellation, passed_on
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Box, Grounding
from rtrack_ros.language.coordinates import check_protocol, model_from_pixels
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.language.prompts import ground_prompt

TOKENS_PER_BOX = 40
"""A tokenizer that spells every digit needs about 35 tokens for one box."""


class TaskClient:
    """Puts the questions of one task to an engine, from as many threads as that allows.

    Several questions in turn or at once about the same frame pairs cost one encoding of their
    images where the engine can keep it.

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
        # Held while images are encoded: who asks about the same ones waits and encodes nothing.
        self._encoding = threading.Lock()
        self._seen: deque[tuple[tuple[FramePair, ...], Any]] = deque(
            maxlen=self.capabilities.concurrency)

    def ask(self, pairs: Sequence[FramePair], prompt: Prompt, grammar: Grammar, max_tokens: int,
            deadline_s: float | None = None, on_text: OnText | None = None,
            cancellation: Cancellation | None = None) -> Reply:
        """Return a complete reply to a prompt about the images of some pairs.

        Args:
            pairs: Whole pairs or crops, in the order of the prompt.
            prompt: With places for two images of each.
            grammar: What may be answered.
            max_tokens: Upper bound on generated tokens.
            deadline_s: Seconds after which the answer is of no use, encoding included.
            on_text: Gets the text while it is written, see ``engines.base.Engine.infer``.
            cancellation: Takes the question back.

        Raises:
            CancelledError: the question was taken back.
            EngineError: no text could be produced.
            AnswerError: the text was cut off.
        """
        started, taken_back = time.perf_counter(), passed_on(cancellation)
        if self.capabilities.shares_images:
            engine = cast(SharesImages, self._engine)
            seen = self._encoded(engine, tuple(pairs))
            left_s = None if deadline_s is None else deadline_s - (time.perf_counter() - started)
            reply = engine.answer(seen, prompt, grammar, max_tokens, left_s, on_text, **taken_back)
        else:
            reply = self._engine.infer(_images(pairs), prompt, grammar, max_tokens, deadline_s,
                                       on_text, **taken_back)
        if reply.finish != 'stop':
            raise AnswerError(f'the answer is incomplete (finish {reply.finish!r} after '
                              f'{reply.tokens} tokens); let the grammar allow less')
        return reply

    def _encoded(self, engine: SharesImages, pairs: tuple[FramePair, ...]) -> Any:
        """Return what the engine sees in some pairs, encoded once."""
        with self._encoding:
            for known, seen in self._seen:
                if _same(known, pairs):
                    return seen
            seen = engine.encode(_images(pairs))
            self._seen.append((pairs, seen))
            return seen

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
