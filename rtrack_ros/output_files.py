"""The user's files: what is written appears whole, and nothing else is touched.

A file is written beside its place, and renamed into it when it is finished. What cannot be written
is found out before the work, where that is possible: a folder that is not there or not ours to
write in, a full disk, an output that is one of the inputs.
"""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from rtrack_ros.files import write_whole

LEAST_FREE: Final = 1 << 20
"""Bytes that must be free for a file to be begun or to go on growing."""
_LISTED: Final = {'.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp', '.mcap', '.db3'}
_RECORDED: Final = _LISTED | {'.yaml', '.json', '.zstd', '.mp4', '.avi', '.mkv', '.webm', '.mov'}


class OutputError(Exception):
    """A file cannot be written; the message names it, the reason and the remedy."""


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path | None] = ()) -> None:
    """Make sure, before the work, that files can be written and that none of them is an input.

    Folders of outputs are made.

    Args:
        outputs: File by the option that names it; None for an option that is not given.
        inputs: Files and folders that are read; None is left out.

    Raises:
        OutputError: an output is an input, or another output, or cannot be written.
    """
    given = {option: path for option, path in outputs.items() if path is not None}
    refuse_overwriting(given, inputs)
    for option, path in given.items():
        for other, second in given.items():
            if other != option and _same(path, second) and not _is_special(path):
                raise OutputError(f'{option} and {other} both name {path}; choose two files')
    for option, path in given.items():
        _check_writable(option, path)


def refuse_overwriting(outputs: Mapping[str, Path], inputs: Iterable[Path | None]) -> None:
    """Make sure that no output is an input, or would be read as a part of one.

    Args:
        outputs: File by the option that names it.
        inputs: Files and folders that are read; None is left out.

    Raises:
        OutputError: one is.
    """
    for source in inputs:
        for option, path in outputs.items():
            if source is not None and _overwrites(path, source):
                raise OutputError(f'{option} {path} would overwrite the input {source}, or become '
                                  'a part of it; choose another file')


class OutputFile:
    """A text file that grows line by line; a context manager.

    Until the end its lines are in ``.NAME.part`` beside it. The end of the context finishes it,
    also after an error or an interruption: what was written is worth something. A device or a
    pipe is written to as it is.

    Args:
        path: File; its folder is made.

    Raises:
        OutputError: it cannot be begun, or not be written on, a full disk for example.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._special = _is_special(self.path)
        self._part = self.path if self._special else part_of(self.path)
        with _explained(self.path):
            if not self._special:
                self._part.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = self._part.open('w', encoding='utf-8')

    def __enter__(self) -> 'OutputFile':
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            self.close()
        except OutputError:
            # The first failure says more than what follows from it.
            if kind is None:
                raise

    def write(self, text: str) -> None:
        """Append text; it is in the file when this returns."""
        with _explained(self.path):
            self._file.write(text)
            self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        try:
            with _explained(self.path):
                self._file.close()
        finally:
            if not self._special:
                with _explained(self.path):
                    os.replace(self._part, _place(self.path))


def write_text(path: Path | str, text: str) -> None:
    """Write a whole file, making its folder; a failure leaves what was there before.

    Raises:
        OutputError: it cannot be written.
    """
    with _explained(path):
        write_whole(path, text)


@contextmanager
def finished_at_the_end(path: Path) -> Iterator[Path]:
    """Yield a name beside a file; what is there at the end takes its place, after a failure too.

    For files that another library writes; the suffix still says what it is.

    Raises:
        OutputError: the file cannot be put there.
    """
    part = path if _is_special(path) else part_of(path)
    with _explained(path):
        part.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
    finally:
        if part != path and part.exists():
            with _explained(path):
                os.replace(part, _place(path))


def part_of(path: Path) -> Path:
    """Return where a file is written until it is finished; its suffix still says what it is."""
    place = _place(path)
    return place.with_name(f'.{place.stem}.part{place.suffix}')


def require_space(path: Path) -> None:
    """Make sure that a file can go on growing, where whoever writes it does not say.

    Raises:
        OutputError: the disk is full.
    """
    with suppress(OSError):
        if shutil.disk_usage(path.parent).free < LEAST_FREE:
            raise OutputError(f'{path}: the disk is full; make room, or choose another place')


def _check_writable(option: str, path: Path) -> None:
    if path.is_dir():
        raise OutputError(f'{option} {path} is a folder; name a file')
    if _is_special(path):
        return
    part = part_of(path)
    with _explained(path):
        part.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not os.access(path, os.W_OK):
            raise OutputError(f'{option} {path} is write-protected; choose another file')
        with part.open('wb') as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
        part.unlink()
    require_space(path)


@contextmanager
def _explained(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f'{path} cannot be written: {reason}; choose another place, or make '
                          'room there') from error


def _overwrites(path: Path, source: Path) -> bool:
    """Whether a file is an input, or would be one of the recorded files in a folder."""
    if source.is_dir():
        place, folder = path.resolve(), source.resolve()
        suffix = place.suffix.lower()
        return place.is_relative_to(folder) and (
            place.exists() and suffix in _RECORDED
            or place.parent == folder and suffix in _LISTED)
    return _same(path, source)


def _same(path: Path, other: Path) -> bool:
    if path.resolve() == other.resolve():
        return True
    try:
        return path.samefile(other)
    except OSError:
        return False


def _place(path: Path) -> Path:
    """Return the file itself: a link stays a link to it."""
    return path.resolve() if path.is_symlink() else path


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
