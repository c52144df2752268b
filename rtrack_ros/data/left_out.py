"""Sequences of a data set that cannot be used, said aloud: the rest of a set looks whole."""

import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

_LOG: Final = logging.getLogger(__name__)
_SHOWN: Final = 5


def say_left_out(root: Path, used: Collection[Path], marks: Collection[str], needs: str
                 ) -> list[Path]:
    """Warn of folders that hold the images of a sequence and are no sequence; return them.

    Args:
        root: Folder of the data set.
        used: Folders of its sequences.
        marks: Names of folders or files by which a sequence is known, such as its images.
        needs: Name of the file that makes a folder a sequence.
    """
    left = sorted(set(_with_images(root, frozenset(marks))) - set(used))
    if left:
        names = ', '.join(str(path.relative_to(root)) for path in left[:_SHOWN])
        more = f' and {len(left) - _SHOWN} more' if len(left) > _SHOWN else ''
        _LOG.warning('%d sequences of %s are used, %d are left out for they have no %s: %s%s',
                     len(used), root, len(left), needs, names, more)
    return left


def _with_images(root: Path, names: frozenset[str]) -> Iterator[Path]:
    for folder, below, files in os.walk(root):
        if not names.isdisjoint(below) or not names.isdisjoint(files):
            yield Path(folder)
            below[:] = [name for name in below if name not in names]
