"""Starts processes with a log each, watches them, and stops every one of them in the end."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_STOPPING = ((signal.SIGINT, 6.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))


class ProcessFailure(RuntimeError):
    """A process ended that should not have; the message names its log."""


class ProcessGroup:
    """Processes that live no longer than the group; a context manager.

    Args:
        logs: Folder for ``<name>.log`` of every process.
        environment: Environment of every process.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs, self._environment = logs, dict(environment)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._files: list[IO[bytes]] = []
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> 'ProcessGroup':
        return self

    def __exit__(self, *exception: object) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)
        for file in self._files:
            file.close()

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process; its output goes to its log, which begins with the command."""
        file = self.log(name).open('wb')
        self._files.append(file)
        file.write((' '.join(command) + '\n').encode())
        file.flush()
        # In the folder of the logs nothing shadows an installed package. A session of its own:
        # Ctrl-C reaches this process only, which then stops the others in order.
        self._running[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            cwd=self._logs, env=self._environment, start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == 'linux' else None)

    def log(self, name: str) -> Path:
        """Return the path of a process's log."""
        return self._logs / f'{name}.log'

    def pid(self, name: str) -> int:
        """Return the number of a process."""
        return self._running[name].pid

    def last_line(self, name: str) -> str:
        """Return the last line that a process wrote, '' without any."""
        lines = self.log(name).read_text(encoding='utf-8', errors='replace').split('\n')[1:]
        return next((line.strip() for line in reversed(lines) if line.strip()), '')

    def ended(self, name: str) -> int | None:
        """Return the exit status of a process, None while it runs."""
        return self._running[name].poll()

    def check(self, *names: str) -> None:
        """Make sure that processes are still running.

        Raises:
            ProcessFailure: one is not.
        """
        for name in names:
            status = self.ended(name)
            if status is not None:
                raise ProcessFailure(f'{name} ended with status {status}: '
                                     f'{self.last_line(name) or "it said nothing"}; read '
                                     f'{self.log(name)}')

    def stop(self, name: str) -> None:
        """Ask a process to end, more firmly if it does not, and wait until it has."""
        process = self._running[name]
        for number, seconds in _STOPPING:
            if process.poll() is not None:
                return
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)


def _die_with_parent() -> None:
    """Have the kernel end this process when its parent is killed without a chance to clean up."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
