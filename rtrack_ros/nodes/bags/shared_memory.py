"""Removes the shared memory of Fast DDS that killed processes of this user left behind.

A process that is killed cannot remove its segment: 35 MB for each player, until the memory is full
and every node falls back to sockets. A living process holds a lock on the file beside its segment,
which the system lets go when it ends, however it ends.

Source: eProsima Fast DDS, ``RobustExclusiveLock``; the tool ``fastdds shm clean`` does the same
for all users.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER: Final = Path('/dev/shm')
YOUNG_S: Final = 60.0
"""A process that is just starting has made its files and not yet locked them."""
_LOCK: Final = re.compile(r'(?P<segment>(?:fastrtps|fastdds)_[0-9a-f]{16})_el')


def remove_abandoned(folder: Path = FOLDER, now_s: float | None = None) -> int:
    """Remove what ended processes of this user left; returns how many bytes.

    Args:
        folder: Where the system keeps shared memory; without it nothing is done.
        now_s: Time of day; None for now.
    """
    now_s, freed = time.time() if now_s is None else now_s, 0
    for lock, segment in _ours(folder):
        # Somebody else may remove the same, or may have begun to use it.
        with suppress(OSError), lock.open('rb+') as file:
            if now_s - os.fstat(file.fileno()).st_mtime < YOUNG_S:
                continue
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = segment.stat().st_size if segment.exists() else 0
            segment.unlink(missing_ok=True)
            lock.unlink()
            freed += size
    return freed


def _ours(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield lock and segment of every process of this user, living ones too."""
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            match = _LOCK.fullmatch(path.name)
            with suppress(OSError):
                if match and not path.is_symlink() and path.stat().st_uid == os.getuid():
                    yield path, folder / match['segment']
