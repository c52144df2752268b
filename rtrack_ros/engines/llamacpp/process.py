"""llama.cpp as a child process."""

import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.llamacpp.log import last_words, new_log
from rtrack_ros.engines.llamacpp.settings import ServerSettings

_CHILD: Final = 'rtrack_ros.engines.llamacpp.child'
_END_S: Final = 2.0
_LOOK_S: Final = 0.2
_LONGEST_URL: Final = 256


class ServerProcess:
    """A llama.cpp server on the loopback interface, started at once.

    It ends with this process, however that ends: it holds the other end of a pipe.

    Args:
        settings: What it is told.
        ready_timeout_s: Longest time until it answers.

    Attributes:
        url: Where it answers.
        log: Its log.

    Raises:
        EngineError: llama.cpp is missing, or cannot load the model.
    """

    def __init__(self, settings: ServerSettings, ready_timeout_s: float) -> None:
        check_installed()
        self.log = new_log()
        self._settings = settings
        with self.log.open('wb') as log:
            self._child = subprocess.Popen(
                [sys.executable, '-m', _CHILD, json.dumps(asdict(settings))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=os.sep,
                env={**os.environ, 'PYTHONPATH': _import_path()},
                # Ctrl-C is meant for this process, which may still have a question to put.
                start_new_session=True)
        try:
            self.url = self._wait_for_url(ready_timeout_s)
        except BaseException:
            self.close()
            raise

    def _wait_for_url(self, timeout_s: float) -> str:
        assert self._child.stdout is not None
        said, ends = b'', time.monotonic() + timeout_s
        while not said.endswith(b'\n') and len(said) < _LONGEST_URL:
            left_s = ends - time.monotonic()
            if left_s <= 0 or not select.select([self._child.stdout], [], [], left_s)[0]:
                raise EngineError(f'llama.cpp did not load {self._settings.model} within '
                                  f'{timeout_s:g} s; allow more time, or take a smaller model')
            piece = os.read(self._child.stdout.fileno(), _LONGEST_URL)
            if not piece:
                raise EngineError(f'llama.cpp cannot load {self._settings.model}: {self.end()}; '
                                  'take a GGUF pair of a Qwen-VL model that it knows')
            said += piece
        return said.decode().strip()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def niceness(self) -> int:
        """Its scheduling niceness."""
        return os.getpriority(os.PRIO_PROCESS, self.pid)

    def has_ended(self, within_s: float = 0.0) -> bool:
        """Return whether it has ended, or does within so many seconds."""
        try:
            self._child.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> str:
        """Return how it ended and what it said last, in words."""
        status = self._child.wait(_END_S) if self.has_ended(_LOOK_S) else 'unknown'
        return f'{last_words(self.log) or "nothing said"} (status {status}, log {self.log})'

    def close(self) -> None:
        """End it."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        if not self.has_ended(_END_S):
            self._child.kill()
            self._child.wait()


def check_installed() -> None:
    """Check that llama.cpp is there, without loading it.

    Raises:
        EngineError: it is not, with the command that installs it.
    """
    if importlib.util.find_spec('xllamacpp') is None:
        raise EngineError("llama.cpp is not installed; install it in the folder of rtrack_ros: "
                          "pip install '.[llamacpp]'")


def _import_path() -> str:
    """Return where this process finds its modules, for the child to find the same."""
    return os.pathsep.join(str(Path(place).resolve()) for place in sys.path)
