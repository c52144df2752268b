"""One kept-alive connection to a server, whose every wait ends at the deadline."""

import errno
import io
import selectors
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any, cast

from rtrack_ros.engines.server.address import HostLookup, ServerAddress
from rtrack_ros.engines.server.deadline import Deadline

_CONNECT_S = 5.0
"""Longest wait for one address of a host to take a connection."""

_CHUNK_BYTES = 65536


@dataclass(frozen=True)
class Request:
    """An HTTP request: method, path on the host, and JSON body or None."""

    method: str
    path: str
    body: bytes | None = None


class StaleConnectionError(ConnectionError):
    """A kept connection had been closed by the server before it answered."""


class TimedSocket:
    """A socket as ``http.client`` uses one, whose waits end at a deadline.

    A plain timeout starts anew with every byte: a server that drips them would never be late.

    Args:
        sock: The connected socket.

    Attributes:
        deadline: When waiting ends.
        heard: Whether a byte came since this was last set to False.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self.deadline = deadline
        self.heard = False

    def sendall(self, data: bytes) -> None:
        """Send all of the data."""
        self._sock.settimeout(self.deadline.left_s())
        self._sock.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        """Wait for data; returns the number of bytes, 0 at the end."""
        self._sock.settimeout(self.deadline.left_s())
        received = self._sock.recv_into(buffer)
        self.heard = self.heard or received > 0
        return received

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a reader of what comes."""
        return io.BufferedReader(_SocketReader(self), _CHUNK_BYTES)

    def close(self) -> None:
        """Do nothing: ``http.client`` calls this while the answer is still to be read."""


class _SocketReader(io.RawIOBase):
    """The unbuffered reader of a socket."""

    def __init__(self, sock: TimedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)


class Connection:
    """A connection that is opened when first used and may then carry one request after another.

    Args:
        address: The server.
        lookup: Finds its host.
        headers: HTTP headers of every request.
    """

    def __init__(self, address: ServerAddress, lookup: HostLookup, headers: Mapping[str, str]
                 ) -> None:
        self._address, self._lookup, self._headers = address, lookup, headers
        http = HTTPSConnection if address.secure else HTTPConnection
        self._http = http(address.host, address.port)
        self._http.auto_open = 0
        self._raw: socket.socket | None = None
        self._timed: TimedSocket | None = None
        self.aborted = False

    def send(self, request: Request, deadline: Deadline) -> HTTPResponse:
        """Send a request and return the response, its body still to be read.

        Raises:
            StaleConnectionError: the connection had been kept, and was closed before one byte of
                an answer came; the request may be sent again on a fresh one.
            TimeoutError: the deadline passed.
            OSError: the server could not be reached, or the connection broke.
            http.client.HTTPException: what came is no HTTP.
        """
        kept = self._timed is not None
        timed = self._timed or self._open(deadline)
        timed.deadline, timed.heard = deadline, False
        try:
            return self._exchange(request)
        except ConnectionError as error:
            if kept and not timed.heard and not self.aborted:
                raise StaleConnectionError('the server had closed the connection') from error
            raise

    def _exchange(self, request: Request) -> HTTPResponse:
        try:
            self._http.request(request.method, request.path, request.body, self._headers)
        except ConnectionError:
            # A server may refuse a request, say so, and hang up while it is still being sent.
            with suppress(OSError):
                return self._http.getresponse()
            raise
        return self._http.getresponse()

    def limit(self, deadline: Deadline) -> None:
        """End further waits at another deadline."""
        if self._timed is not None:
            self._timed.deadline = deadline

    def heard(self) -> None:
        """Note that something came which counts: bytes that only keep a line open do not."""
        if self._timed is not None:
            self._timed.deadline.heard()

    def is_stale(self) -> bool:
        """Whether the server has closed the connection, or sent what nobody asked for."""
        if self._raw is None or self.aborted:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._raw, selectors.EVENT_READ)
            return bool(selector.select(0))

    def abort(self) -> None:
        """End whatever waits on the connection at once, from any thread; it is of no use then.

        A closed stream is what stops the server, too.
        """
        self.aborted = True
        raw = self._raw
        if raw is not None:
            with suppress(OSError):
                # An encrypted one's own method would take the cipher from under its reader.
                socket.socket.shutdown(raw, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; from the thread that uses it, or when none does."""
        self._http.close()
        raw, self._raw, self._timed = self._raw, None, None
        if raw is not None:
            with suppress(OSError):
                raw.close()

    def _open(self, deadline: Deadline) -> TimedSocket:
        failure: OSError = ConnectionRefusedError('the host has no address')
        for family, place in self._lookup.places(deadline):
            try:
                self._connect(family, place, deadline)
            except OSError as error:
                if deadline.passed or self.aborted:
                    raise
                failure = error
                continue
            self._lookup.remember((family, place))
            assert self._raw is not None
            self._timed = TimedSocket(self._raw, deadline)
            self._http.sock = cast(Any, self._timed)
            return self._timed
        raise failure

    def _connect(self, family: socket.AddressFamily, place: Any, deadline: Deadline) -> None:
        if self._raw is not None:
            self._raw.close()
        # Known to abort() before it is connected, and thus before anything can wait.
        self._raw = socket.socket(family, socket.SOCK_STREAM)
        if self.aborted:
            raise ConnectionAbortedError('the question was given up')
        try:
            self._raw.settimeout(min(_CONNECT_S, deadline.left_s()))
            self._raw.connect(place)
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._address.secure:
                self._raw.settimeout(min(_CONNECT_S, deadline.left_s()))
                self._raw = _tls_context().wrap_socket(self._raw,
                                                       server_hostname=self._address.host)
        except TimeoutError as error:
            if deadline.passed:
                raise
            raise OSError(errno.EHOSTUNREACH, f'no connection within {_CONNECT_S:g} s') from error


@cache
def _tls_context() -> ssl.SSLContext:
    """Return the system's idea of whom to trust; reading its certificates takes a while."""
    return ssl.create_default_context()

