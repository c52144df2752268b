"""Where a server is: its URL, and the network addresses of its host."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.server.deadline import Deadline

Place = tuple[socket.AddressFamily, Any]
"""An address family and what ``socket.connect`` takes of it."""

_VERSION_PATH = '/v1'
_PAGES = ('/chat/completions', '/models')


@dataclass(frozen=True)
class ServerAddress:
    """The base URL of a server.

    Attributes:
        secure: Whether the connection is encrypted (https).
        host: Host name or IP address.
        port: TCP port.
        path: Path below which the interface lies, without a slash at its end: '/v1'.
    """

    secure: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> 'ServerAddress':
        """Read a URL such as 'http://127.0.0.1:8000'; without a path '/v1' is meant.

        Raises:
            EngineError: it is no URL of a server, or holds what does not belong into one.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
            if port == 0:
                raise ValueError('0 is no port of a server')
        except ValueError as error:
            raise EngineError(f'the URL of the server cannot be read ({error}); write it as '
                              'http://HOST:PORT') from error
        return cls._checked(parts, port or (443 if parts.scheme == 'https' else 80), url)

    @classmethod
    def _checked(cls, parts: SplitResult, port: int, url: str) -> 'ServerAddress':
        if parts.username is not None or parts.password is not None:
            # Not shown: whoever writes a secret here does not want it in a log.
            raise EngineError('the URL of the server holds a user name or a password; leave them '
                              'out, and put an API key into an environment variable')
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise EngineError(f'{url!r} is no URL of a server; write it as http://HOST:PORT, or '
                              'choose another engine for a model folder')
        if parts.query or parts.fragment:
            raise EngineError(f'{url!r} holds more than a path; write it as http://HOST:PORT/v1')
        path = parts.path.rstrip('/')
        for page in _PAGES:  # copied from a manual
            path = path.removesuffix(page)
        path = path or _VERSION_PATH
        return cls(parts.scheme == 'https', parts.hostname, port, path)

    @property
    def root(self) -> str:
        """Path below which a server has what belongs to no version of the interface."""
        return self.path.removesuffix(_VERSION_PATH)

    def __str__(self) -> str:
        """Return the base URL, without the path where that is the usual one."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        path = '' if self.path == _VERSION_PATH else self.path
        return f'http{"s" * self.secure}://{host}:{self.port}{path}'


def is_server_url(model: object) -> bool:
    """Return whether a model is named by the URL of a server."""
    return str(model).lower().startswith(('http://', 'https://'))


class HostLookup:
    """Finds the addresses of a host without ever waiting past a deadline.

    The system's resolver cannot be stopped, so it works in a thread of its own, one at a time. An
    address that worked is tried first, so that a name that is gone for a while does no harm.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._lock = threading.Lock()
        self._pending: Future[list[Place]] | None = None
        self._worked: Place | None = None

    def places(self, deadline: Deadline) -> Iterator[Place]:
        """Yield the places to try in turn.

        Raises:
            OSError: the host is not known.
            TimeoutError: the deadline passed.
        """
        worked = self._worked
        if worked is not None:
            yield worked
        yield from (place for place in self._look_up(deadline) if place != worked)

    def remember(self, place: Place) -> None:
        """Try this place first from now on."""
        self._worked = place

    def _look_up(self, deadline: Deadline) -> list[Place]:
        with self._lock:
            if self._pending is None:
                self._pending = Future()
                threading.Thread(target=self._resolve, args=(self._pending,), daemon=True,
                                 name='host lookup').start()
            pending = self._pending
        try:
            return pending.result(deadline.left_s())
        except FutureTimeoutError as error:
            raise TimeoutError('the name of the host was not found in time') from error

    def _resolve(self, future: 'Future[list[Place]]') -> None:
        places: list[Place] = []
        failure: Exception | None = None
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            places = [(family, place) for family, _, _, _, place in found]
        except (OSError, UnicodeError) as error:
            failure = error
        with self._lock:
            self._pending = None
        if failure is None:
            future.set_result(places)
        else:
            future.set_exception(failure)
