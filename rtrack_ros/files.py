"""Files and folders that are whole or not there: written beside, synced, renamed last.

A process may be killed and a disk may fill at any byte. Whoever reads must then find what was
there before, or all of the new; never a part. A rename within one folder is one step on every
POSIX file system, but only what was synced before it survives a loss of power.

A folder that other programs wrote, a checkpoint for example, cannot be written beside. It is
sealed instead: a file in it, written last, says which files it has and how long they are.
"""

import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

DRAFT: Final = '.part'
"""End of the name of what is not whole yet; what a killed process left is written over."""
SEAL_NAME: Final = 'whole.json'
_EDITED: Final = ('.json', '.jinja', '.md', '.txt', '.svg')
"""Files that people change later; that they are there is enough."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID: Final = re.compile('No space left|File too large|inline_container|PytorchStreamWriter|'
                          r'\d+ requested and \d+ written')
LOCK_NAME: Final = 'in_use.lock'
_CLOSED: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


class FolderInUseError(RuntimeError):
    """Another process writes to a folder; the message names the remedy."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder of results as long as this one does.

    Two that write to one folder at once write over each other's drafts. A lock is let go when its
    process ends, however that comes about, and child processes do not hold it. In a folder that
    nobody can write to there is nothing to keep apart, and a file system without locks (some
    of networks) keeps nothing apart.

    Args:
        folder: It is made.

    Raises:
        FolderInUseError: another process is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = _open_lock(folder / LOCK_NAME)
    try:
        if handle is not None:
            _lock(handle, folder)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _open_lock(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        if error.errno in _CLOSED:
            return None
        raise


def _lock(handle: int, folder: Path) -> None:
    # POSIX locks: those of flock would live on in processes that a killed one has started.
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise FolderInUseError(f'{folder}: another process is writing there; wait until it '
                                   'has ended, or choose another --out') from None


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Yield the path of a draft; what is written there becomes the file when all went well.

    What is no regular file, such as ``/dev/stdout`` or a pipe, is yielded itself. A link stays
    one: the file behind it is replaced.

    Args:
        path: File to write; its folder is made.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        yield Path(path)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + DRAFT)
    try:
        yield draft
        sync(draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(target.parent)


def write_whole(path: Path | str, content: str | bytes) -> None:
    """Write a file in one step; text is UTF-8."""
    with whole_file(path) as draft:
        draft.write_bytes(content.encode('utf-8') if isinstance(content, str) else content)


@contextmanager
def whole_folder(path: Path | str) -> Iterator[Path]:
    """Yield an empty draft folder; it is sealed and replaces the folder when all went well.

    Args:
        path: Folder to write, replaced if it is there.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir()
        yield draft
        seal(draft)
        shutil.rmtree(target, ignore_errors=True)
        draft.replace(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync(target.parent)


def seal(folder: Path) -> None:
    """Sync all files of a folder, then write which there are and how long each is."""
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob('*'))
             if path.is_file() and path.name != SEAL_NAME}
    for path in files.values():
        sync(path)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    write_whole(folder / SEAL_NAME, json.dumps({'files': sizes}, indent=2) + '\n')


def is_whole(folder: Path) -> bool:
    """Return whether a sealed folder still has its files; more files than sealed may be there."""
    try:
        sizes = dict(json.loads((folder / SEAL_NAME).read_text(encoding='utf-8'))['files'])
        return all(_as_sealed(folder / name, size) for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _as_sealed(path: Path, size: int) -> bool:
    found = path.stat().st_size
    return found == size or (path.suffix in _EDITED and found > 0)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system without it, such as some of networks
            raise
    finally:
        os.close(handle)


def disk_is_full(error: BaseException) -> bool:
    """Return whether an error, or one behind it, says that no more could be written.

    Torch, safetensors and numpy raise errors of their own without a number; what they say is
    looked at.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return True
        if _SAID.search(str(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
