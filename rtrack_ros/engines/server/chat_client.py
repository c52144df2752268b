"""One model of a server, asked in the server's dialect."""

from collections.abc import Sequence
from dataclasses import dataclass

from rtrack_ros.engines.base import EngineError, Grammar, OnText, Prompt
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.server.answer import Answer, AnswerReader
from rtrack_ros.engines.server.connection import Request
from rtrack_ros.engines.server.deadline import Deadline
from rtrack_ros.engines.server.dialects import Dialect
from rtrack_ros.engines.server.errors import StatusError
from rtrack_ros.engines.server.models import Server, list_models, names_of
from rtrack_ros.engines.server.requests import chat_body

_NAMES_S = 1.0


@dataclass(frozen=True)
class ChatClient:
    """Puts questions to one model of a server; used by any number of threads.

    Attributes:
        server: The server.
        model: Its name for the model.
        dialect: What it speaks.
        thinks: Whether the model thinks unless it is told not to.
    """

    server: Server
    model: str
    dialect: Dialect
    thinks: bool = False

    def ask(self, prompt: Prompt, images: Sequence[str], grammar: Grammar | None,
            max_tokens: int, deadline: Deadline, on_text: OnText | None = None,
            cancellation: Cancellation | None = None) -> Answer:
        """Return the answer to one question.

        Args:
            prompt: Text and image places.
            images: Data URLs, one for each place.
            grammar: Constraint on the answer, None for free text.
            max_tokens: Upper bound on generated tokens.
            deadline: When it is given up.
            on_text: Called with the text while it grows.
            cancellation: Takes the question back.

        Raises:
            DeadlineError: the deadline passed.
            CancelledError: the question was taken back.
            StatusError: the server refused it, or failed.
            EngineError: it cannot be reached, broke off, or sends something else.
        """
        body = chat_body(self.dialect, self.model, prompt, images, grammar, max_tokens,
                         self.thinks)
        request = Request('POST', self.server.address.path + '/chat/completions', body)
        try:
            answer = self.server.client.exchange(
                request, deadline, AnswerReader(self.server.faults, max_tokens, on_text),
                cancellation)
        except StatusError as error:
            if error.status != 404:
                raise
            raise StatusError(f'{error}; it was asked for {self.model!r} and has: '
                              f'{self._names()}', 404) from error
        answer.sent_bytes = len(body)
        return answer

    def _names(self) -> str:
        try:
            models = list_models(self.server, _NAMES_S)
        except EngineError:
            models = []
        return names_of(models) or 'no list of models'
