"""The interface of all engines: images and a prompt under a grammar in, text with timings out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import Image8
from rtrack_ros.limits import estimated_tokens

TASKS: Final = ('ground', 'locate', 'verify', 'describe')
"""What a model may be asked: where are the objects that a sentence means, where is this target
now, is this object what a sentence says, and what is this object."""

USES: Final = ('auto', 'always', 'never')
"""When to do something that costs time: 'auto' does it where the model says that it gains."""

OnText = Callable[[str], object]
"""Called with the text of an answer so far, repeatedly while it is written."""


class EngineError(RuntimeError):
    """An engine could not start or answer; the message names the remedy.

    Attributes:
        ask_again_after_s: Seconds for which the engine wants to be left alone; 0 where it does
            not say.
    """

    ask_again_after_s: float = 0.0


class TaskError(EngineError):
    """A model is asked for a task it was not trained for."""


class DeadlineError(EngineError):
    """No answer came within the deadline; the engine itself works."""


class CancelledError(EngineError):
    """The question was taken back before its answer was complete; the engine itself works."""


@dataclass(frozen=True)
class Prompt:
    """A prompt in the order the model reads it.

    Attributes:
        parts: Text pieces and image places; ``None`` stands for the next image.
    """

    parts: tuple[str | None, ...]

    @property
    def images(self) -> int:
        """Number of images the prompt has places for."""
        return sum(part is None for part in self.parts)

    def check_images(self, count: int) -> None:
        """Refuse a number of images that the prompt does not have places for.

        Raises:
            EngineError: there are more or fewer.
        """
        if count != self.images:
            raise EngineError(f'the prompt has places for {self.images} images and got {count}; '
                              'pass one image for each place')


@dataclass(frozen=True)
class Grammar:
    """One constraint in the notations that engines understand; all accept the same texts."""

    regex: str
    ebnf: str
    json_schema: str


@dataclass(frozen=True)
class Reply:
    """What an engine returned.

    Attributes:
        text: The decoded answer, special tokens removed.
        tokens: Number of generated tokens.
        finish: 'stop' when complete, 'length' when cut, 'error' otherwise.
        timings: Milliseconds by stage, at least 'total'.
        confidence: Geometric mean probability of the chosen tokens in [0, 1], the end of the
            answer included and the grammar not: ``confidence ** tokens`` is the probability with
            which the model alone writes this answer. None where unknown.
        sent_bytes: Size of the question as it went to a server; 0 where none is asked.
    """

    text: str
    tokens: int
    finish: str
    timings: dict[str, float] = field(default_factory=dict)
    confidence: float | None = None
    sent_bytes: int = 0


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do, for logs, status and the choice of prompts.

    Attributes:
        name: Engine name, for example 'openvino'.
        model: Model name.
        device: Device in words.
        precision: Weight precision, for example 'int8'.
        bbox_protocol: How the model writes coordinates: 'rel1000' or 'abs_resized'.
        image_size: (width, height) in pixels to which every image is resized before the model.
        constrained: Whether the grammar is enforced while decoding.
        labels: Words the model was trained to use as labels; empty where any word may come.
        prompt: Style of the prompt the model was trained with.
        crops: Whether the model gains from being asked about an enlarged part of the image.
        refine: Whether its answers gain from refinement: asking again about every box, enlarged.
        shares_images: Whether the engine is a ``SharesImages``: several prompts about the same
            images cost one encoding of them.
        tasks: What the model was trained for, of ``TASKS``.
        accuracy: How far its answers can be trusted; None where it was not measured.
        concurrency: How many questions at once are of use, each asked by a thread of its own; 1
            where the engine must be used by one thread at a time.
        longest_back_off_s: Longest pause before it is asked again while it fails; short where a
            question in vain costs nothing.
        family: Name of the model's family, see ``engines.families``; empty where it is of none.
        niceness: Scheduling niceness of the threads that compute, -20 to 19; None where a server
            computes, or threads have none of their own.
        split_sentences: Whether the model does better when a sentence that denies or relates
            is asked as two, see ``language.splitting``.
    """

    name: str
    model: str
    device: str
    precision: str
    bbox_protocol: str
    image_size: tuple[int, int]
    constrained: bool
    labels: tuple[str, ...] = ()
    prompt: str = 'brief'
    crops: bool = False
    refine: bool = False
    shares_images: bool = False
    tasks: tuple[str, ...] = ('ground',)
    accuracy: AnswerAccuracy | None = None
    concurrency: int = 1
    longest_back_off_s: float = 5.0
    family: str = ''
    niceness: int | None = None
    split_sentences: bool = False


def check_time_left(deadline_s: float | None) -> None:
    """Refuse a question whose time is over before it is asked.

    Raises:
        DeadlineError: it is.
    """
    if deadline_s is not None and deadline_s <= 0:
        raise DeadlineError('no time was left to answer once the images were encoded; allow more '
                            'time')


def is_used(name: str, use: str, gains: bool) -> bool:
    """Return whether something is done with a model.

    Args:
        name: What it is, for the message.
        use: One of ``USES``.
        gains: What the model's ``Capabilities`` say.

    Raises:
        ValueError: ``use`` is none of them.
    """
    if use not in USES:
        raise ValueError(f'{name} must be one of {", ".join(USES)}; got {use!r}')
    return gains if use == 'auto' else use == 'always'


class Engine(Protocol):
    """A served or embedded model, used by at most ``Capabilities.concurrency`` threads at once."""

    def capabilities(self) -> Capabilities:
        """Return what this engine can do."""

    def infer(self, images: Sequence[Image8], prompt: Prompt, grammar: Grammar | None,
              max_tokens: int, deadline_s: float | None = None,
              on_text: OnText | None = None,
              cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt.

        Args:
            images: uint8 (h, w, 3) RGB, in prompt order, any size; the engine resizes.
            prompt: Text and image places.
            grammar: Constraint on the answer, None for free text.
            max_tokens: Upper bound on generated tokens.
            deadline_s: Seconds after which the answer is of no use.
            on_text: Called while the answer is written, from any thread; must return at once.
                An engine that has no text before the end never calls it.
            cancellation: Takes the question back when it is cancelled, from any thread.

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: no answer could be produced; the engine stays usable.
        """

    def close(self) -> None:
        """Release memory; the engine cannot be used afterwards."""


class CountsTokens(Protocol):
    """An engine that has the tokenizer of its model."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has, from any thread, also while it answers."""


def token_counter(engine: Engine) -> Callable[[str], int]:
    """Return what counts the tokens of a text: the engine, or an estimate where it cannot."""
    return getattr(engine, 'count_tokens', estimated_tokens)


class SharesImages(Engine, Protocol):
    """An engine that encodes images once for any number of prompts about them.

    An engine inherits it explicitly and has ``infer`` with that.
    """

    def infer(self, images: Sequence[Image8], prompt: Prompt, grammar: Grammar | None,
              max_tokens: int, deadline_s: float | None = None,
              on_text: OnText | None = None,
              cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt; see ``Engine.infer``.

        It equals ``answer(encode(images), ...)``; encoding is taken off the deadline. Timings are
        those of ``answer``.

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: the prompt and the images do not fit, or there is no answer; the engine
                stays usable unless it was closed.
        """
        prompt.check_images(len(images))
        started = time.perf_counter()
        seen = self.encode(images)
        left_s = None if deadline_s is None else deadline_s - (time.perf_counter() - started)
        return self.answer(seen, prompt, grammar, max_tokens, left_s, on_text, cancellation)

    def encode(self, images: Sequence[Image8]) -> Any:
        """Return what the model sees in ``images``; only this engine can read it.

        Raises:
            EngineError: the images could not be encoded; the engine stays usable.
        """

    def answer(self, seen: Any, prompt: Prompt, grammar: Grammar | None, max_tokens: int,
               deadline_s: float | None = None, on_text: OnText | None = None,
               cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt about encoded images; otherwise as ``infer``.

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: no answer could be produced; the engine stays usable.
        """
