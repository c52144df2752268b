"""Puts the questions of the self-test to an engine, by the grounder that is in use."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

from rtrack_ros.engines.base import Capabilities, Engine, Prompt, Reply, SharesImages
from rtrack_ros.frames import Image8
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.language.self_test.pictures import Question

Shown = Callable[[Sequence[Image8]], Sequence[Image8]]


@dataclass(frozen=True)
class Said:
    """What a model wrote about one question.

    Attributes:
        text: Its answer.
        complete: False where it was cut off.
        seconds: How long it took.
    """

    text: str
    complete: bool
    seconds: float


class _Overheard:
    """An engine whose replies are kept; may be shown its images in another order.

    It may say of itself that it writes another coordinate protocol: grammars then allow that one.
    """

    def __init__(self, engine: Engine, shown: Shown, protocol: str) -> None:
        self._engine, self._shown, self._protocol = engine, shown, protocol
        self.reply: Reply | None = None

    def capabilities(self) -> Capabilities:
        facts = self._engine.capabilities()
        return replace(facts, bbox_protocol=self._protocol) if self._protocol else facts

    def infer(self, images: Sequence[Image8], prompt: Prompt, *args: Any, **options: Any) -> Reply:
        self.reply = self._engine.infer(self._shown(images), prompt, *args, **options)
        return self.reply

    def encode(self, images: Sequence[Image8]) -> Any:
        return cast(SharesImages, self._engine).encode(self._shown(images))

    def answer(self, seen: Any, prompt: Prompt, *args: Any, **options: Any) -> Reply:
        self.reply = cast(SharesImages, self._engine).answer(seen, prompt, *args, **options)
        return self.reply

    def close(self) -> None:
        """Do nothing: the engine is somebody else's."""


def ask(engine: Engine, questions: Iterable[Question], limit_s: float, shown: Shown = list,
        protocol: str = '') -> list[Said]:
    """Return what a model says about each question.

    Args:
        engine: The engine that answers.
        questions: In the order asked.
        limit_s: Seconds for one answer.
        shown: Makes of the images of a question those that the engine is shown.
        protocol: Coordinate protocol in which it may answer; empty for the configured one.

    Raises:
        DeadlineError: an answer took longer than the limit.
        EngineError: no text could be produced, or the model was not trained to ground.
    """
    overheard = _Overheard(engine, shown, protocol)
    grounder = Grounder(overheard)
    said = []
    for question in questions:
        # An answer that cannot be read is judged like any other: by its text.
        started = time.perf_counter()
        with suppress(AnswerError):
            grounder.ground(question.pair, Query('self-test', question.sentence, 1), limit_s)
        reply = overheard.reply
        assert reply is not None
        said.append(Said(reply.text, reply.finish == 'stop', time.perf_counter() - started))
    return said
