"""Requests to one server from any number of threads, over connections that are kept."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from typing import TypeVar

from rtrack_ros import __version__
from rtrack_ros.engines.base import CancelledError, DeadlineError, EngineError
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.server.address import HostLookup, ServerAddress
from rtrack_ros.engines.server.api_key import ApiKey
from rtrack_ros.engines.server.connection import Connection, Request, StaleConnectionError
from rtrack_ros.engines.server.deadline import Deadline
from rtrack_ros.engines.server.errors import Faults

Result = TypeVar('Result')

_REST_S = 0.05
"""How long the end of a stream is waited for once its last event is read."""


class Client:
    """HTTP to one server.

    Args:
        address: The server.
        faults: Puts into words what goes wrong.
        key: Sent with every request.
    """

    def __init__(self, address: ServerAddress, faults: Faults, key: ApiKey) -> None:
        self._address, self._faults = address, faults
        self._headers = {'Content-Type': 'application/json',
                         'User-Agent': f'rtrack_ros/{__version__}', **key.headers()}
        self._lookup = HostLookup(address.host, address.port)
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._closed = False

    def exchange(self, request: Request, deadline: Deadline,
                 read: Callable[[HTTPResponse, Connection], Result],
                 cancellation: Cancellation | None = None) -> Result:
        """Send a request and return what ``read`` makes of the response.

        Args:
            request: What is asked.
            deadline: When waiting for it ends.
            read: Takes the response and its connection; what it raises ends the latter.
            cancellation: Takes the request back.

        Raises:
            DeadlineError: the deadline passed.
            CancelledError: the request was taken back.
            EngineError: there is no answer; the message says why and what to do.
        """
        cancellation = cancellation or Cancellation()
        try:
            try:
                return self._once(self._take(), request, deadline, read, cancellation)
            except StaleConnectionError:
                return self._once(self._fresh(), request, deadline, read, cancellation)
        except (EngineError, OSError, HTTPException) as error:
            fault = self._fault(error, deadline, cancellation)
            if fault is error:
                raise
            raise fault from error

    def _once(self, connection: Connection, request: Request, deadline: Deadline,
              read: Callable[[HTTPResponse, Connection], Result],
              cancellation: Cancellation) -> Result:
        with self._in_use(connection), cancellation.stopping_by(connection.abort):
            if cancellation.cancelled:
                raise self._taken_back()
            response = connection.send(request, deadline)
            result = read(response, connection)
            self._read_rest(connection, response)
        if response.will_close or not response.isclosed() or connection.aborted:
            connection.close()
        else:
            self._keep(connection)
        return result

    @contextmanager
    def _in_use(self, connection: Connection) -> Iterator[None]:
        """Let ``close`` know of a connection while it is used; whatever is raised ends it."""
        with self._lock:
            if self._closed:
                raise self._gone()
            self._busy.add(connection)
        failed = True
        try:
            yield
            failed = False
        finally:
            with self._lock:
                self._busy.discard(connection)
            if failed:
                connection.close()

    @staticmethod
    def _read_rest(connection: Connection, response: HTTPResponse) -> None:
        """Read what follows the last event, so that the connection can carry the next request.

        An answer that is complete never waits long for it.
        """
        if response.will_close or response.isclosed():
            return
        connection.limit(Deadline(_REST_S, _REST_S))
        with suppress(OSError, HTTPException):
            while response.read1(4096):
                pass

    def _take(self) -> Connection:
        """Return a kept connection that still stands, or a fresh one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._fresh()
            if not connection.is_stale():
                return connection
            connection.close()

    def _fresh(self) -> Connection:
        return Connection(self._address, self._lookup, self._headers)

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _fault(self, error: Exception, deadline: Deadline,
               cancellation: Cancellation) -> EngineError:
        if cancellation.cancelled:
            return self._taken_back()
        if self._closed:
            return self._gone()
        if isinstance(error, EngineError):
            return error
        if isinstance(error, TimeoutError) and deadline.passed:
            return DeadlineError(f'no answer within {deadline.seconds:.2f} s from '
                                 f'{self._address}; allow more time, or make images or answers '
                                 'smaller')
        return self._faults.unreachable(error, deadline.silence_s)

    @staticmethod
    def _taken_back() -> CancelledError:
        return CancelledError('the question was taken back')

    @staticmethod
    def _gone() -> EngineError:
        return EngineError('the engine is closed; load it again')

    def close(self) -> None:
        """End all that is under way and close every connection."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for connection in self._busy:
                connection.abort()
        for connection in idle:
            connection.close()
