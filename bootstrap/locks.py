"""Lists of locked packages: every wheel by its hash. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')
_ONLY_CUDA = ('cuda-', 'nvidia-', 'triton')


def entries(text: str) -> dict[str, str]:
    """Return the entries of a lock by the name of their package: its line and its hashes."""
    found: dict[str, str] = {}
    name = ''
    for line in text.splitlines():
        match = _NAME.match(line)
        if match:
            name = match.group()
            found[name] = line + '\n'
        elif name and line.startswith(' '):
            found[name] += line + '\n'
    return found


def cpu_build(locked: Mapping[str, str], torch: Mapping[str, str]) -> dict[str, str]:
    """Return a lock with the CPU build of torch, and without what only the CUDA build needs.

    Args:
        locked: The lock, with the CUDA build.
        torch: The CPU build alone.
    """
    return {**{name: entry for name, entry in locked.items() if not name.startswith(_ONLY_CUDA)},
            **torch}


def without(locked: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return a lock without some packages."""
    return {name: entry for name, entry in locked.items() if name not in set(names)}
