"""The models that a server has."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.server.address import ServerAddress
from rtrack_ros.engines.server.body import check_encoding, read_whole, refusal
from rtrack_ros.engines.server.client import Client
from rtrack_ros.engines.server.connection import Connection, Request
from rtrack_ros.engines.server.deadline import Deadline
from rtrack_ros.engines.server.errors import Faults, StatusError
from rtrack_ros.foreign_text import shown

LOG: Final = logging.getLogger(__name__)

LIST_S: Final = 3.0
"""How long a list of models may take."""

_MOST_BYTES = 1 << 20
_MEANT_FOR_US: Final = (*range(300, 400), 401, 403, 429, 502, 503, 504)
_MOST_NAMED = 10


@dataclass(frozen=True)
class ServedModel:
    """An entry in a server's list of models.

    Attributes:
        id: The name by which it is asked for.
        root: Where it was loaded from, in the words of vLLM and SGLang; empty elsewhere.
        owner: ``owned_by``, which tells what server it is.
    """

    id: str
    root: str = ''
    owner: str = ''


@dataclass(frozen=True)
class Server:
    """A server, how it is reached, and how its faults are put into words."""

    address: ServerAddress
    client: Client
    faults: Faults

    def fetch_json(self, path: str, seconds: float = LIST_S) -> Any:
        """Return the JSON body that lies at a path of the host.

        Raises:
            StatusError: the status is not 200.
            EngineError: it cannot be had, or is no JSON.
        """
        return self.client.exchange(Request('GET', path), Deadline(seconds, seconds), self._json)

    def _json(self, response: HTTPResponse, _: Connection) -> Any:
        if response.status != 200:
            raise refusal(response, self.faults)
        check_encoding(response, self.faults)
        body = read_whole(response, _MOST_BYTES, self.faults)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self.faults.nonsense(repr(body[:60])) from error


def list_models(server: Server, seconds: float = LIST_S) -> list[ServedModel]:
    """Return the models that a server lists; none where it has no list.

    Raises:
        StatusError: the server is loading, has too much to do, refuses the key, or is elsewhere.
        EngineError: it cannot be reached, or sends something else.
    """
    try:
        content = server.fetch_json(server.address.path + '/models', seconds)
        return [ServedModel(str(item['id']), str(item.get('root') or ''),
                            str(item.get('owned_by') or '')) for item in content['data']]
    except StatusError as error:
        if error.status in _MEANT_FOR_US:
            raise
        LOG.info('no list of models: %s', error)
        return []
    except (AttributeError, KeyError, TypeError) as error:
        raise server.faults.nonsense(f'a list of models without {error}') from error


def names_of(models: Sequence[ServedModel]) -> str:
    """Return the names of models for a message: the first where there are many, on one line."""
    named = [shown(model.id) for model in models[:_MOST_NAMED]]
    more = len(models) - len(named)
    return ', '.join([*named, f'and {more} more'] if more else named)


def choose_model(models: Sequence[ServedModel], wanted: str, address: ServerAddress
                 ) -> ServedModel:
    """Return the model to ask.

    Args:
        models: What the server lists; nothing where it has no list.
        wanted: Its id; empty for the only one.
        address: Of the server, for messages.

    Raises:
        EngineError: it is not there, or nobody said which; the message lists those that are.
    """
    found = [model for model in models if not wanted or model.id == wanted]
    if len(found) == 1:
        return found[0]
    if wanted and not models:
        return ServedModel(wanted)
    listed = names_of(models)
    if wanted:
        raise EngineError(f'the server {address} has no model {wanted!r}; set served_model to one '
                          f'of: {listed}')
    names = f'one of: {listed}' if listed else 'the name by which the server knows it'
    raise EngineError(f'the server {address} does not say which model to ask; set served_model '
                      f'to {names}')
