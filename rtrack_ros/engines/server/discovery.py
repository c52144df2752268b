"""What a server is: which model to ask, in which dialect, and whether it holds to a grammar."""

import json
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from rtrack_ros.engines.base import EngineError, Grammar, Prompt
from rtrack_ros.engines.server.answer import Answer
from rtrack_ros.engines.server.chat_client import ChatClient
from rtrack_ros.engines.server.deadline import Deadline
from rtrack_ros.engines.server.dialects import (
    AUTO,
    DIALECTS,
    Dialect,
    dialect_of_owner,
    find_dialect,
)
from rtrack_ros.engines.server.errors import StatusError
from rtrack_ros.engines.server.models import ServedModel, Server, choose_model, list_models

LOG: Final = logging.getLogger(__name__)

Result = TypeVar('Result')

_ASK_AGAIN_S = 0.2
_WORD: Final = 'zq'

PROBE_PROMPT: Final = Prompt(('Say yes.',))
PROBE_GRAMMAR: Final = Grammar(_WORD, f'root ::= "{_WORD}"', json.dumps({'enum': [_WORD]}))
"""Allows one word that no model writes by itself."""

PROBE_TOKENS: Final = 8
MOST_CONCURRENCY: Final = 16
"""Each question in flight has a thread here, whatever number a server names."""


@dataclass(frozen=True)
class Discovery:
    """What was found out about a server.

    Attributes:
        chat: Asks its model.
        model: The model's entry in its list.
        constrained: Whether it holds to a grammar.
        concurrency: How many questions it gains from having in flight.
    """

    chat: ChatClient
    model: ServedModel
    constrained: bool
    concurrency: int


def discover(server: Server, dialect: str, served_model: str, ready_timeout_s: float,
             silence_s: float) -> Discovery:
    """Wait until a server is ready and find out what it is.

    Args:
        server: The server.
        dialect: One of ``DIALECTS``, or ``AUTO``.
        served_model: Its name for the model; empty where it has only one.
        ready_timeout_s: For how long a server that takes no connections yet, or is loading, is
            asked again.
        silence_s: How long it may be silent before its first answer.

    Raises:
        EngineError: it does not become ready, has no such model, or refuses to answer.
    """
    named = None if dialect == AUTO else find_dialect(dialect)
    server.faults.dialect = named
    ends = time.monotonic() + ready_timeout_s
    models = _once_ready(lambda: list_models(server), ends)
    model = choose_model(models, served_model, server.address)
    candidates = _likely_dialects(model) if named is None else (named,)
    chat, answer = _first_that_answers(
        [ChatClient(server, model.id, candidate) for candidate in candidates], ends, silence_s)
    server.faults.dialect = chat.dialect
    constrained = chat.dialect.constraint is not None and held_grammar(answer)
    _report(chat, constrained, named is None)
    return Discovery(chat, model, constrained, _concurrency(chat))


def held_grammar(answer: Answer) -> bool:
    """Return whether an answer to ``PROBE_PROMPT`` was held to ``PROBE_GRAMMAR``.

    Under a JSON schema the word stands in quotes, and a model that cannot write it may fill its
    tokens with white space before it.
    """
    text = answer.text.strip()
    if answer.finish == 'stop':
        return text.strip('"') == _WORD
    return f'{_WORD}"'.startswith(text.removeprefix('"'))


def _likely_dialects(model: ServedModel) -> tuple[Dialect, ...]:
    """Return the dialects that a server may speak, in the order in which they are tried."""
    signed = dialect_of_owner(model.owner)
    return (DIALECTS['json_schema'], DIALECTS['plain']) if signed is None else (signed,)


def _first_that_answers(chats: list[ChatClient], ends: float, silence_s: float
                        ) -> tuple[ChatClient, Answer]:
    """Return the first that is not refused for its dialect, and what was answered to the probe.

    The probe warms the server up as well.
    """
    for chat in chats:
        def ask(chat: ChatClient = chat) -> Answer:
            return chat.ask(PROBE_PROMPT, (), PROBE_GRAMMAR, PROBE_TOKENS,
                            Deadline(None, silence_s))
        try:
            return chat, _once_ready(ask, ends)
        except StatusError as error:
            if chat is chats[-1] or error.status not in (400, 422):
                raise
            LOG.info('dialect %s is refused: %s', chat.dialect.name, error)
    raise AssertionError('there is always a dialect')


def _once_ready(ask: Callable[[], Result], ends: float) -> Result:
    """Return what ``ask`` returns, asking again while the server has yet to start."""
    while True:
        try:
            return ask()
        except EngineError as error:
            if time.monotonic() + _ASK_AGAIN_S > ends or not _may_become_ready(error):
                raise
        time.sleep(_ASK_AGAIN_S)


def _may_become_ready(error: EngineError) -> bool:
    if isinstance(error, StatusError):
        # A proxy is often up before the server behind it.
        return error.status in (502, 503, 504)
    return isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, ssl.SSLError)


def _concurrency(chat: ChatClient) -> int:
    slots = chat.dialect.slots
    if not slots:
        return chat.dialect.concurrency
    try:
        told = int(chat.server.fetch_json(chat.server.address.root + slots)['total_slots'])
        return min(max(told, 1), MOST_CONCURRENCY)
    except (EngineError, KeyError, TypeError, ValueError, OverflowError) as error:
        LOG.info('%s does not tell its slots: %s', slots, error)
        return chat.dialect.concurrency


def _report(chat: ChatClient, constrained: bool, found: bool) -> None:
    address, name = chat.server.address, chat.dialect.name
    if found and not chat.dialect.owner:
        LOG.warning('the server %s does not say what it is and is asked in the dialect %s; name '
                    'its own dialect if there is one, answers may come sooner', address, name)
    if not constrained:
        LOG.warning('the server %s does not hold to grammars in the dialect %s: answers that are '
                    'not formed as they should be are refused and counted', address, name)
