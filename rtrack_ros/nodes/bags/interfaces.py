"""Interface types by name: their Python classes, and their definitions for a bag."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore


class InterfaceError(LookupError):
    """An interface type is not installed; the message names the remedy."""


def message_class(name: str) -> Any:
    """Return the Python class of a message type such as 'std_msgs/msg/String'.

    Raises:
        InterfaceError: the name is malformed, or its package is not installed.
    """
    parts = name.split('/')
    if len(parts) != 3 or parts[1] != 'msg':
        raise InterfaceError(f'{name!r} is not a message type; write it like std_msgs/msg/String')
    try:
        return getattr(importlib.import_module(f'{parts[0]}.msg'), parts[2])
    except (ImportError, AttributeError) as error:
        raise InterfaceError(f'{name} is not installed ({error}); source the workspace that has '
                             f'package {parts[0]}') from error


def definition_text(name: str) -> str:
    """Return the text of a message definition, from the installed share folders.

    Raises:
        InterfaceError: no folder of AMENT_PREFIX_PATH has it.
    """
    package, _, message = name.split('/')
    # ROS from Python wheels has the environment itself as its prefix, and sets no variable for it.
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) + [sys.prefix]
    for prefix in filter(None, prefixes):
        path = Path(prefix, 'share', package, 'msg', f'{message}.msg')
        if path.is_file():
            return path.read_text(encoding='utf-8')
    raise InterfaceError(f'no folder of AMENT_PREFIX_PATH holds share/{package}/msg/{message}.msg;'
                         ' source the workspace that has it')


def typestore_for(names: list[str]) -> Typestore:
    """Return a rosbags type store with the given types and all that they contain.

    Raises:
        InterfaceError: a definition is not installed.
    """
    store = get_typestore(Stores.EMPTY)
    waiting = list(names)
    known: dict[str, Any] = {}
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        types = get_types_from_msg(definition_text(name), name)
        known.update(types)
        waiting.extend(_parts_of(types[name][1]))
    store.register(known)
    return store


def _parts_of(fields: Any) -> list[str]:
    """Return the names of the message types among the fields, also those inside arrays."""
    found = []
    for _, (kind, described) in fields:
        if kind in (Nodetype.SEQUENCE, Nodetype.ARRAY):
            kind, described = described[0]
        if kind == Nodetype.NAME:
            found.append(described)
    return found
