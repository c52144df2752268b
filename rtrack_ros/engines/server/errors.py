"""What went wrong with a server, in one message with its remedy, whatever dialect it speaks."""

import json
import math
import socket
import ssl
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.client import BadStatusLine
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.server.address import ServerAddress
from rtrack_ros.engines.server.api_key import ApiKey
from rtrack_ros.engines.server.dialects import Dialect

_SHOWN_CHARACTERS = 200
_ALERT: Final = '\x15\x03'
"""How TLS begins an alert."""

_DIALECT: Final = 'choose the dialect of this server, or dialect plain for one without grammars'
_LONG: Final = 'start the server with a longer context, or make image_size or max_boxes smaller'
_TLS: Final = 'write its URL with https://'
_BY_WORD: Final = (
    (('https port', 'to an https', 'tls'), _TLS),
    (('mmproj', 'multimodal', 'image'), 'start the server with the vision part of the model '
     '(llama.cpp: --mmproj) and with room for 4 images in a question (vLLM: '
     '--limit-mm-per-prompt)'),
    (('context', 'too long', 'max_tokens', 'max_model_len'), _LONG),
    (('grammar', 'regex', 'schema', 'guided', 'structured', 'extra', 'unexpected', 'permitted',
      'response_format', 'logprobs'), _DIALECT),
    (('pinned', 'does not exist', 'not found', 'model'), 'set served_model to the name by which '
     'the server knows its model'),
)
"""What helps where the server's own words hold one of these."""

_BY_STATUS: Final = {
    404: 'name a model that the server has, and check the path in its URL (most have /v1)',
    405: 'check the path in its URL (most have /v1)',
    413: _LONG,
    422: _DIALECT,
    429: 'the server has too much to do: ask for less at once, or give it a longer queue',
    502: 'look whether the server behind the proxy runs',
    503: 'the server is still loading or overloaded: wait',
    504: 'the server behind the proxy is too slow: allow it more time',
}
_OTHERWISE: Final = 'look into the log of the server'


class StatusError(EngineError):
    """The server itself said that something is wrong.

    Attributes:
        status: HTTP status; that which the server names where it had begun to answer.
        ask_again_after_s: Seconds after which it wants to be asked again; 0 where it does not say.
    """

    def __init__(self, message: str, status: int, ask_again_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.ask_again_after_s = ask_again_after_s


def error_text(content: Any) -> str:
    """Return the message in the error body of any dialect.

    Known are ``{"error": {"message"}}``, ``{"error": "..."}``, ``{"detail": "..." or [...]}``,
    ``{"message"}`` and plain text.

    Args:
        content: The body, decoded from JSON where it is JSON.
    """
    if isinstance(content, dict):
        for key in ('error', 'message', 'msg', 'detail'):
            if content.get(key):
                return error_text(content[key])
        return json.dumps(content)
    if isinstance(content, list):
        return '; '.join(error_text(item) for item in content)
    return str(content)


class Faults:
    """Puts into words what goes wrong with one server.

    Args:
        address: The server.
        key: Its API key, which no message shows.

    Attributes:
        dialect: Its dialect, once known.
    """

    def __init__(self, address: ServerAddress, key: ApiKey) -> None:
        self._address, self._key = address, key
        self.dialect: Dialect | None = None

    def unreachable(self, error: Exception, silence_s: float) -> EngineError:
        """Return what an error of the network means."""
        if isinstance(error, socket.gaierror | UnicodeError):
            return self._error(f'has a host name that is not known here ({error})',
                               'check the name and the network, or give its IP address')
        if isinstance(error, ConnectionRefusedError):
            return self._error('takes no connections', self._start())
        if isinstance(error, TimeoutError):
            return self._error(f'was silent for {silence_s:g} s', _OTHERWISE)
        if isinstance(error, ssl.SSLError):
            return self._error(f'cannot be trusted or speaks no TLS ({error})', 'use http://, or '
                               'name its certificate in the environment variable SSL_CERT_FILE')
        if isinstance(error, ConnectionResetError):
            return self._error(f'cannot be reached ({error})', 'look whether it was restarted; '
                               f'if it takes encrypted connections only, {_TLS}')
        if isinstance(error, OSError):
            return self._error(f'cannot be reached ({error})', 'check the network; '
                               + self._start())
        if isinstance(error, BadStatusLine) and str(error).startswith(_ALERT):
            return self._error('takes encrypted connections only', _TLS)
        return self.nonsense(f'{type(error).__name__}: {error}')

    def status(self, status: int, body: bytes, retry_after: str | None = None,
               location: str = '') -> StatusError:
        """Return what a response with a status other than 200 means.

        Args:
            status: HTTP status.
            body: Its body.
            retry_after: The header of that name, where the server sent one.
            location: The same of the header ``Location``.
        """
        text = self._shown(error_text(_decoded(body))) or 'nothing more'
        wait_s = _seconds(retry_after)
        wait = f', to be asked again after {wait_s:.3g} s' if wait_s else ''
        points = f': {self._shown(location)}' if location and 300 <= status < 400 else ''
        return StatusError(f'{self._address} answers {status}{wait}: {text}; '
                           f'{self._remedy(status, text)}{points}', status, wait_s)

    def in_stream(self, content: dict[str, Any]) -> StatusError:
        """Return what an error means that came where the answer should have gone on."""
        text = self._shown(error_text(content))
        inner = content.get('error')
        code = (inner if isinstance(inner, dict) else content).get('code')
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        return StatusError(f'{self._address} began to answer and then failed: {text}; '
                           f'{self._remedy(status, text)}', status)

    def cut(self, characters: int) -> EngineError:
        """Return that an answer broke off after so many characters."""
        return self._error(f'broke off its answer after {characters} characters',
                           'look whether it was restarted or ran out of memory')

    def compressed(self, encoding: str) -> EngineError:
        """Return that an answer came compressed, which was not asked for."""
        return self._error(f'sends answers that are compressed ({self._shown(encoding)}), '
                           'although it is told not to',
                           'switch that off in the server, or in the proxy before it')

    def thought(self) -> EngineError:
        """Return that a model spent its tokens on a thought."""
        return self._error('thought and gave no answer', 'start it so that its model is told not '
                           'to think, or take a model that does not')

    def endless(self, max_tokens: int) -> EngineError:
        """Return that an answer did not end where it should have."""
        return self._error(f'wrote far more than the {max_tokens} tokens it was asked for',
                           'choose another server or a dialect with grammars')

    def nonsense(self, what: str) -> EngineError:
        """Return that something came which no OpenAI-compatible server sends."""
        return self._error('does not answer as an OpenAI-compatible server does '
                           f'({self._shown(what)})', 'check the URL, its port and its path')

    def _error(self, what: str, remedy: str) -> EngineError:
        return EngineError(f'the server {self._address} {what}; {remedy}')

    def _start(self) -> str:
        if self.dialect is None:
            return 'start it, or name the URL of one that runs'
        return f'start it with {self.dialect.start}, or name the URL of one that runs'

    def _remedy(self, status: int, text: str) -> str:
        if status in (401, 403):
            state = ('does not accept the key in' if self._key.given else 'wants a key in')
            return f'it {state} the environment variable {self._key.variable}: set it'
        if status in _BY_STATUS:
            return _BY_STATUS[status]
        if 300 <= status < 400:
            return 'name the URL to which it points'
        for words, remedy in _BY_WORD:
            if any(word in text.lower() for word in words):
                return remedy
        return _OTHERWISE

    def _shown(self, text: str) -> str:
        """Return a text of the server on one line, not too long, without the key."""
        line = ' '.join(self._key.hidden(text).split())
        line = ''.join(character for character in line if character.isprintable())
        return line if len(line) <= _SHOWN_CHARACTERS else f'{line[:_SHOWN_CHARACTERS]}...'


def _seconds(retry_after: str | None) -> float:
    """Return the seconds that a header ``Retry-After`` means; 0 where it says nothing readable.

    It holds a number of seconds, or a date (RFC 9110, section 10.2.3).
    """
    text = (retry_after or '').strip()
    try:
        seconds = float(text) if text[:1].isdigit() else (
            parsedate_to_datetime(text) - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode('utf-8', 'replace')
