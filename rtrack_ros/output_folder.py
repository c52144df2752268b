"""A folder of results that a command clears before it fills it again: only of what it made.

A marker lists every file with its size and time. A file that is not in the list, or was changed
since, is the user's: the folder is then refused, and nothing in it is touched.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rtrack_ros.output_files import OutputError, write_text

MARKER: Final = '.rtrack-made.json'


class OutputFolder:
    """The folder that a command fills; a context manager that keeps the list.

    Args:
        path: Folder; it is made.
        command: Who fills it.
        names: Names of files and folders directly in it that the command makes.

    Raises:
        OutputError: it holds something that the command did not make, or cannot be written.
    """

    def __init__(self, path: Path, command: str, names: Sequence[str]) -> None:
        self.path, self._command, self._names = path, command, tuple(names)
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._clear()
            self._mark(finished=False)
        except OSError as error:
            raise OutputError(f'{path} cannot be written: {error.strerror}; choose another folder'
                              ) from error

    def __enter__(self) -> 'OutputFolder':
        return self

    def __exit__(self, *exception: object) -> None:
        self._mark(finished=True)

    def _clear(self) -> None:
        """Remove what an earlier run made, after a look at all of it."""
        known = self._known()
        found = [file for name in self._names for file in _files(self.path / name)]
        foreign = [file for file in found if not self._is_ours(file, known)]
        if foreign:
            more = f' and {len(foreign) - 1} more' if len(foreign) > 1 else ''
            raise OutputError(f'{foreign[0]}{more} was not made by {self._command}, or was '
                              'changed since; nothing was touched: choose another folder, or '
                              'move it away')
        for file in found:
            file.unlink()
        for name in self._names:
            _remove_empty(self.path / name)

    def _known(self) -> dict[str, Any]:
        """Return what the marker says, nothing where there is none of this command."""
        try:
            marker = json.loads((self.path / MARKER).read_text(encoding='utf-8'))
            return marker if marker['command'] == self._command else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _is_ours(self, file: Path, known: dict[str, Any]) -> bool:
        about = file.lstat()
        listed = known.get('files', {}).get(str(file.relative_to(self.path)))
        if listed is not None:
            return list(listed) == [about.st_size, about.st_mtime_ns]
        # A run that was killed could not list what it had made since it began.
        begun_ns = known.get('begun_ns')
        return begun_ns is not None and about.st_mtime_ns >= begun_ns

    def _mark(self, finished: bool) -> None:
        marker: dict[str, Any] = {'command': self._command, 'files': {}}
        if not finished:
            # File systems round times down.
            marker['begun_ns'] = time.time_ns() - 2_000_000_000
        else:
            for name in self._names:
                for file in _files(self.path / name):
                    about = file.lstat()
                    marker['files'][str(file.relative_to(self.path))] = [about.st_size,
                                                                        about.st_mtime_ns]
        write_text(self.path / MARKER, json.dumps(marker, indent=1) + '\n')


def _files(path: Path) -> list[Path]:
    """Return a file, or all files below a folder; links are files."""
    if path.is_symlink() or path.is_file():
        return [path]
    return [Path(folder) / name for folder, folders, names in os.walk(path)
            for name in [*names, *(item for item in folders if (Path(folder) / item).is_symlink())]
            ] if path.is_dir() else []


def _remove_empty(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path, topdown=False):
            os.rmdir(folder)
