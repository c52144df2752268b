"""Steps that run once: each is keyed by what it is made from and repeated only when that changes.

Standard library only, for this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path


class SetupError(RuntimeError):
    """The set-up cannot go on; the message says what is missing and how to get it."""


def digest_of(paths: Iterable[Path], content: bool = True) -> str:
    """Return a digest of the names, and by choice the contents, of files and folders."""
    digest = hashlib.sha256()
    for path in sorted(_files_below(paths)):
        digest.update(str(path).encode())
        if content:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _files_below(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (file for file in path.rglob('*')
                        if file.is_file() and '__pycache__' not in file.parts)


class Steps:
    """The chain of steps of one set-up; a step that runs makes all later ones run as well.

    Args:
        stamps: Folder of the stamp files, one for each step that is done.
        total: Number of steps, for the progress lines.
        key: What the whole set-up depends on: the place, the interpreter, the kind of machine.
    """

    def __init__(self, stamps: Path, total: int, key: str) -> None:
        self._stamps = stamps
        self._total = total
        self._key = key
        self._number = 0

    def once(self, name: str, what: str, made_from: str, action: Callable[[], None]) -> None:
        """Run ``action`` unless it was done before from the same inputs, and say so.

        Args:
            name: Name of the stamp file.
            what: The progress line: what happens, and how much of it.
            made_from: Digest of the step's own inputs.
            action: The work; safe to start again after it was broken off.
        """
        self._number += 1
        self._key = hashlib.sha256(f'{self._key} {name} {made_from}'.encode()).hexdigest()
        stamp = self._stamps / name
        if stamp.is_file() and stamp.read_text() == self._key:
            return
        print(f'[{self._number}/{self._total}] {what} ...', flush=True)
        stamp.unlink(missing_ok=True)
        start = time.monotonic()
        action()
        self._stamps.mkdir(parents=True, exist_ok=True)
        stamp.write_text(self._key)
        print(f'      done in {time.monotonic() - start:.1f} s', flush=True)


OFFLINE_SIGNS = (
    'connection refused', 'connecttimeout', 'dns error', 'failed to fetch', 'failed to connect',
    'name resolution', 'network is unreachable', 'newconnectionerror', 'timed out',
)


def run_logged(command: list[str], log: Path, env: Mapping[str, str], needs_network: bool = False,
               cwd: Path | None = None) -> None:
    """Run a command with its output in a file; on failure show the end of it and a remedy.

    Raises:
        SetupError: the command failed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w') as stream:
        done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, env=dict(env),
                              cwd=cwd, check=False)
    if done.returncode == 0:
        return
    text = log.read_text(errors='replace')
    tail = '\n'.join(text.splitlines()[-30:])
    advice = f'the whole output is in {log}'
    if needs_network and any(sign in text.lower() for sign in OFFLINE_SIGNS):
        advice = ('the package index did not answer. This step needs a network once; behind a '
                  'proxy set HTTPS_PROXY, with a mirror of your own name it to pip '
                  '(pip config set global.index-url ...), then run the same command again')
    raise SetupError(f'{tail}\n\n{" ".join(command[:4])} ... failed: {advice}')
