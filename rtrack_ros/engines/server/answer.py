"""An answer as it is read from a server."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Final

from rtrack_ros.engines.base import OnText
from rtrack_ros.engines.likelihood import mean_token_probability
from rtrack_ros.engines.server.body import check_encoding, is_stream, read_whole, refusal
from rtrack_ros.engines.server.connection import Connection
from rtrack_ros.engines.server.deadline import Deadline
from rtrack_ros.engines.server.errors import Faults
from rtrack_ros.engines.server.streaming import EventReader

_READ_BYTES = 65536
_MOST_ANSWER_BYTES = 1 << 20
_CHARACTERS_PER_TOKEN = 64
"""No text that a model is asked for has longer tokens."""

_AFTERWARDS_S = 0.1
"""How long the count of tokens is waited for once the answer is complete."""

_DONE = '[DONE]'
_THOUGHTS: Final = ('reasoning_content', 'reasoning')
_ROUNDING: Final = 1e-3
"""So much above 0 a logarithm of a probability may be by rounding; more is none."""


@dataclass
class Answer:
    """What a server wrote.

    Attributes:
        text: The text.
        finish: Why it ended, in the server's words; None while it has not.
        pieces: Number of pieces in which it came.
        counted: Tokens by the server's count; None where it does not say.
        log_likelihood: Sum over the tokens whose probability it told.
        judged: Number of those tokens.
        untold: Number of tokens listed without one: Edge-LLM knows that of the likeliest alone,
            which a grammar may forbid.
        first_at: ``time.perf_counter()`` of the first piece; None before it.
        sent_bytes: Size of the body of the question.
        thought: Whether the model wrote a thought beside its text.
    """

    text: str = ''
    finish: str | None = None
    pieces: int = 0
    counted: int | None = None
    log_likelihood: float = 0.0
    judged: int = 0
    untold: int = 0
    first_at: float | None = None
    sent_bytes: int = 0
    thought: bool = False

    @property
    def only_thought(self) -> bool:
        """Whether there is a thought and no text."""
        return self.thought and not self.text.strip()

    @property
    def tokens(self) -> int:
        """Number of generated tokens, as well as it can be known."""
        return self.counted or self.judged or self.pieces

    @property
    def confidence(self) -> float | None:
        """Geometric mean probability of the tokens; None where the server does not tell.

        The end of the answer may be missing among them, but no other.
        """
        if not self.judged or self.untold or self.judged < self.tokens - 1:
            return None
        return mean_token_probability(self.log_likelihood, self.tokens)

    def add(self, chunk: dict[str, Any]) -> None:
        """Add what one event tells, or a whole answer.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is not formed as it should be.
        """
        for choice in chunk.get('choices') or ():
            if choice.get('index', 0) == 0:
                self._write(choice.get('delta') or choice.get('message') or {})
                for token in (choice.get('logprobs') or {}).get('content') or ():
                    self._judge(token['logprob'])
                self.finish = choice.get('finish_reason') or self.finish
        counted = (chunk.get('usage') or {}).get('completion_tokens')
        self.counted = self.counted if counted is None else max(int(counted), 0)

    def _judge(self, logprob: float | None) -> None:
        if logprob is None or not -math.inf < float(logprob) <= _ROUNDING:
            self.untold += 1
            return
        self.log_likelihood += min(float(logprob), 0.0)
        self.judged += 1

    def _write(self, message: dict[str, Any]) -> None:
        self.thought = self.thought or any(message.get(key) for key in _THOUGHTS)
        piece = message.get('content')
        if not piece:
            return
        if not isinstance(piece, str):
            raise TypeError(f'content {piece!r}')
        self.text += piece
        self.pieces += 1
        self.first_at = self.first_at or time.perf_counter()


class AnswerReader:
    """Reads the answer to one question.

    Args:
        faults: Puts into words what goes wrong.
        max_tokens: Upper bound on tokens that the server was told.
        on_text: Called with the text whenever it has grown.
    """

    def __init__(self, faults: Faults, max_tokens: int, on_text: OnText | None = None) -> None:
        self._faults, self._max_tokens, self._on_text = faults, max_tokens, on_text
        self._answer = Answer()

    def __call__(self, response: HTTPResponse, connection: Connection) -> Answer:
        """Read a response to its end and return the answer in it.

        Raises:
            EngineError: there is none, or it is not complete.
            OSError: waiting for it ended.
        """
        if response.status != 200:
            raise refusal(response, self._faults)
        check_encoding(response, self._faults)
        self._read(response, connection)
        if self._answer.finish is None:
            raise self._faults.cut(len(self._answer.text))
        if self._answer.only_thought:
            raise self._faults.thought()
        return self._answer

    def _read(self, response: HTTPResponse, connection: Connection) -> None:
        try:
            streams = self._checked(is_stream, response)
        except (ConnectionError, HTTPException) as error:
            raise self._faults.cut(0) from error
        if streams is None:
            kind = response.headers.get_content_type()
            raise self._faults.nonsense(f'{kind}: {response.read1(_READ_BYTES)!r}')
        if streams:
            self._read_stream(response, connection)
        else:
            body = read_whole(response, _MOST_ANSWER_BYTES, self._faults)
            self._take(body.decode('utf-8-sig', 'replace'))

    def _read_stream(self, response: HTTPResponse, connection: Connection) -> None:
        events, unlimited = EventReader(), True
        try:
            while piece := self._checked(response.read1, _READ_BYTES):
                for event in self._checked(events.feed, piece):
                    if event == _DONE:
                        return
                    connection.heard()
                    self._take(event)
                if unlimited and self._answer.finish is not None:
                    connection.limit(Deadline(_AFTERWARDS_S, _AFTERWARDS_S))
                    unlimited = False
        except (OSError, HTTPException) as error:
            if self._answer.finish is not None:
                return
            if isinstance(error, TimeoutError):
                raise
            raise self._faults.cut(len(self._answer.text)) from error
        self._read_last(events)

    def _read_last(self, events: EventReader) -> None:
        """Take what stands in a stream that ended without its mark, where that is whole."""
        for event in events.end():
            try:
                chunk = json.loads(event)
            except ValueError:
                continue
            self._add(chunk)

    def _take(self, event: str) -> None:
        self._add(self._checked(json.loads, event))

    def _add(self, chunk: Any) -> None:
        if _is_error(chunk):
            raise self._faults.in_stream(chunk)
        before = self._answer.pieces
        self._checked(self._answer.add, chunk)
        if len(self._answer.text) > _CHARACTERS_PER_TOKEN * (self._max_tokens + 1):
            raise self._faults.endless(self._max_tokens)
        if self._on_text is not None and self._answer.pieces > before:
            self._on_text(self._answer.text)

    def _checked(self, read: Callable[[Any], Any], content: Any) -> Any:
        """Return what ``read`` makes of the content; what it cannot read is no answer."""
        try:
            return read(content)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise self._faults.nonsense(f'{type(error).__name__}: {error}') from error


def _is_error(chunk: Any) -> bool:
    """Return whether an event tells an error; some servers do so after status 200."""
    if not isinstance(chunk, dict):
        return False
    return bool(chunk.get('error')) or chunk.get('object') == 'error' or (
        'choices' not in chunk and ('message' in chunk or 'detail' in chunk))
