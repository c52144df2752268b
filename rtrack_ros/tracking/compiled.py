"""The compiled core: a small C++ library for loops over points, made from the folder ``core``.

A colcon build puts it beside the Python modules. Where it is missing, as in a wheel, the same is
done by OpenCV and NumPy, in twice the time. It is called by ``ctypes``, so nothing is needed to
build it but a C++17 compiler, and one library serves every Python.
"""

import ctypes
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import rtrack_ros

LIBRARY: Final = 'librtrack_core.so'
_VERSION = 1

Core = Any
"""The library; its functions are described in the headers of ``core``."""


def load_core(folders: Iterable[str]) -> Core | None:
    """Return the library from the first of some folders that has it, None where none does.

    A library of another version, left over from an older build, does not count.
    """
    path = next((path for path in (Path(folder) / LIBRARY for folder in folders)
                 if path.exists()), None)
    if path is None:
        return None
    try:
        library = ctypes.CDLL(str(path))
        version: int | str = library.rtrack_core_version()
    except (OSError, AttributeError) as error:
        version = f'unreadable ({error})'
    if version == _VERSION:
        return library
    logging.getLogger(__name__).warning(
        '%s is of version %s, and %s is wanted: tracking goes on without it and takes more time; '
        'build the package again', path, version, _VERSION)
    return None


CORE: Final = load_core(rtrack_ros.__path__)
"""The library, None where the package was not built by colcon."""
