"""An engine without a model, for tests: it answers what it is told to answer."""

import re
import threading
import time
from collections.abc import Callable, Sequence

from rtrack_ros.engines.base import (
    TASKS,
    CancelledError,
    Capabilities,
    DeadlineError,
    EngineError,
    Grammar,
    OnText,
    Prompt,
    Reply,
)
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import Image8

Script = Callable[[Sequence[Image8], Prompt], str] | Sequence[str]


class ScriptedEngine:
    """Answers from a script; everything around the model can then be tested without one.

    Args:
        script: Texts given in turn, the last one for ever, or a callable of images and prompt;
            an EngineError that the callable raises passes through.
        delay_s: Seconds each answer takes, of which every box takes an equal part.
        image_size: (width, height) in pixels that coordinates of 'abs_resized' refer to.
        bbox_protocol: Coordinate protocol of the script.
        tasks: What the script can be asked, of ``engines.base.TASKS``.
        confidence: What every reply says of itself; see ``engines.base.Reply``.
    """

    def __init__(self, script: Script = ('[]',), delay_s: float = 0.0,
                 image_size: tuple[int, int] = (320, 256),
                 bbox_protocol: str = 'rel1000', tasks: tuple[str, ...] = TASKS,
                 confidence: float | None = None) -> None:
        self._script = script
        self._delay_s = delay_s
        self._capabilities = Capabilities('scripted', 'script', 'none', 'none', bbox_protocol,
                                          image_size, constrained=False, tasks=tasks)
        self._confidence = confidence
        self._closed = False
        self.calls = 0

    def capabilities(self) -> Capabilities:
        """Return what this engine can do."""
        return self._capabilities

    def infer(self, images: Sequence[Image8], prompt: Prompt, grammar: Grammar | None,
              max_tokens: int, deadline_s: float | None = None,
              on_text: OnText | None = None,
              cancellation: Cancellation | None = None) -> Reply:
        """Answer from the script; see ``engines.base.Engine.infer``. A word counts as a token.

        Raises:
            DeadlineError: the delay is longer than the deadline.
            CancelledError: the question was taken back meanwhile.
            EngineError: the engine is closed, or the images do not fit the prompt.
        """
        started = time.perf_counter()
        if self._closed:
            raise EngineError('the engine is closed; load it again')
        prompt.check_images(len(images))
        text = self._next_text(images, prompt)
        taken_back = threading.Event()
        with (cancellation or Cancellation()).stopping_by(taken_back.set):
            if deadline_s is not None and self._delay_s > deadline_s:
                _wait(deadline_s, taken_back)
                raise DeadlineError(f'no answer within {deadline_s} s; allow more time')
            self._write(text, on_text, taken_back)
        words = text.split(' ')
        finish = 'stop' if len(words) <= max_tokens else 'length'
        total_ms = (time.perf_counter() - started) * 1e3
        return Reply(' '.join(words[:max_tokens]), min(len(words), max_tokens), finish,
                     {'total': total_ms}, self._confidence)

    def _write(self, text: str, on_text: OnText | None, taken_back: threading.Event) -> None:
        """Take the time of an answer, telling what is written after every box."""
        ends = [found.end() for found in re.finditer('}', text)]
        for end in ends:
            _wait(self._delay_s / (len(ends) + 1), taken_back)
            if on_text is not None:
                on_text(text[:end])
        _wait(self._delay_s / (len(ends) + 1), taken_back)

    def _next_text(self, images: Sequence[Image8], prompt: Prompt) -> str:
        self.calls += 1
        if callable(self._script):
            return self._script(images, prompt)
        return self._script[min(self.calls, len(self._script)) - 1]

    def close(self) -> None:
        """Refuse further questions."""
        self._closed = True


def _wait(seconds: float, taken_back: threading.Event) -> None:
    if taken_back.wait(seconds):
        raise CancelledError('the question was taken back')
