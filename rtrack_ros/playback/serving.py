"""Starts a server of a model, waits until it answers, and ends it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.server.address import ServerAddress
from rtrack_ros.engines.server.api_key import API_KEY_VARIABLE, ApiKey
from rtrack_ros.engines.server.client import Client
from rtrack_ros.engines.server.errors import Faults, StatusError
from rtrack_ros.engines.server.models import Server, list_models
from rtrack_ros.engines.targets.servers import Served, container_name
from rtrack_ros.model_thread import lower_session
from rtrack_ros.playback.processes import ProcessFailure, ProcessGroup

SERVER: Final = 'server'
_ASK_AGAIN_S = 0.5
_REFUSED: Final = (401, 403)
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def free_port(host: str, port: int) -> int:
    """Return a TCP port that nobody holds: the one that is asked for, or any for 0.

    Raises:
        EngineError: somebody holds it.
    """
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do, or a port that was held a minute ago would be refused.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise EngineError(f'{host}:{port} cannot be listened on ({error.strerror}); end what '
                              'holds it, or choose another --port (0: any that is free)'
                              ) from error
        return int(probe.getsockname()[1])


@contextmanager
def ended_once() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into KeyboardInterrupt; later ones wait for the end.

    A launcher sends both, and whoever is impatient sends several: cleaning up goes on.
    """
    def leave(number: int, frame: Any) -> None:
        for ending in _ENDING:
            signal.signal(ending, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {ending: signal.signal(ending, leave) for ending in _ENDING}
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)


@contextmanager
def served(command: Sequence[str], what: Served, logs: Path, ready_timeout_s: float
           ) -> Iterator[Callable[[], None]]:
    """Run a server while the context is open.

    Args:
        command: What starts it.
        what: What it serves and where.
        logs: Folder for ``server.log``.
        ready_timeout_s: How long it may take until it answers; building an engine counts.

    Yields:
        A function that raises ``ProcessFailure`` once the server has ended.

    Raises:
        ProcessFailure: it ended, or did not become ready.
    """
    with ProcessGroup(logs, os.environ) as group:
        group.start(SERVER, command)
        try:
            _wait_until_ready(group, what.url, ready_timeout_s)
            # It was started with a niceness of its own where it computes on the processor.
            lower_session(group.pid(SERVER))
            yield lambda: group.check(SERVER)
        finally:
            group.stop(SERVER)
            with suppress(ProcessLookupError):
                # It led a session of its own; nothing of that may outlive it.
                os.killpg(group.pid(SERVER), signal.SIGKILL)
            if command[0] == 'docker':
                # Its client may have been killed; the container would then stay behind.
                subprocess.run(['docker', 'rm', '-f', container_name(what)], check=False,
                               capture_output=True)


def _wait_until_ready(group: ProcessGroup, url: str, timeout_s: float) -> None:
    """Wait until the server lists a model.

    A server that holds the port and is not ours would be asked in its place; ours then ends,
    because it cannot have the port.
    """
    address, key = ServerAddress.parse(url), ApiKey(API_KEY_VARIABLE)
    faults = Faults(address, key)
    client = Client(address, faults, key)
    ends = time.monotonic() + timeout_s
    try:
        while True:
            group.check(SERVER)
            try:
                if list_models(Server(address, client, faults)):
                    group.check(SERVER)
                    return
            except StatusError as error:
                if error.status in _REFUSED:
                    raise
                last = str(error)
            except EngineError as error:
                last = str(error)
            else:
                last = 'it lists no model'
            if time.monotonic() > ends:
                raise ProcessFailure(f'the server was not ready after {timeout_s:.0f} s ({last}); '
                                     f'read {group.log(SERVER)}, or allow more time with '
                                     '--ready-timeout')
            time.sleep(_ASK_AGAIN_S)
    finally:
        client.close()
