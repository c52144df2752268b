"""The body of a response: what it is, whatever it is called, and whether it is whole."""

from http.client import HTTPException, HTTPResponse
from typing import Final

from rtrack_ros.engines.server.errors import Faults, StatusError
from rtrack_ros.engines.server.streaming import MARK

_PEEKED_BYTES = 64
_MOST_ERROR_BYTES = 65536
_FIELDS: Final = (b'data:', b'event:', b'id:', b'retry:', b':')
_STREAM: Final = 'text/event-stream'
_WHOLE: Final = 'application/json'


def refusal(response: HTTPResponse, faults: Faults) -> StatusError:
    """Return what a response with a status other than 200 means."""
    headers = response.headers
    return faults.status(response.status, response.read(_MOST_ERROR_BYTES),
                         headers.get('Retry-After'), headers.get('Location', ''))


def check_encoding(response: HTTPResponse, faults: Faults) -> None:
    """Refuse a body that is compressed, which nobody asked for.

    Raises:
        EngineError: it is.
    """
    encoding = response.headers.get('Content-Encoding', '').strip().lower()
    if encoding not in ('', 'identity'):
        raise faults.compressed(encoding)


def is_stream(response: HTTPResponse) -> bool | None:
    """Return whether a body is a stream of events, or one JSON text; None if it is neither.

    Proxies and small servers name it wrongly: its first bytes say more than its name. What they
    leave open, the name decides.

    Raises:
        ValueError: its pieces have no length.
        OSError: waiting for it ended.
    """
    first = response.peek(_PEEKED_BYTES).removeprefix(MARK).lstrip()
    if first.startswith(b'{'):
        return False
    if first and any(first.startswith(field) for field in _FIELDS):
        return True
    return {_STREAM: True, _WHOLE: False}.get(response.headers.get_content_type())


def read_whole(response: HTTPResponse, most: int, faults: Faults) -> bytes:
    """Return a body of at most so many bytes.

    Raises:
        EngineError: it broke off.
        OSError: waiting for it ended.
    """
    try:
        body = response.read(most)
    except (ConnectionError, HTTPException) as error:
        raise faults.cut(0) from error
    if len(body) < most and response.length:
        raise faults.cut(len(body))
    return body
