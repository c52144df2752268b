"""Parameter files of ROS 2, read without it: what the node would take from them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rtrack_ros.foreign_text import parse_yaml, read_foreign
from rtrack_ros.parameters.schema import SCHEMA
from rtrack_ros.parameters.values import check, defaults

NODE: Final = 'rtrack'
_KEY: Final = 'ros__parameters'
_OF_EVERY_NODE: Final = ('use_sim_time', 'qos_overrides', 'start_type_description_service')


class ParameterFileError(ValueError):
    """A parameter file cannot be used; the message names it and the remedy."""


def read_parameters(path: Path | str) -> tuple[dict[str, Any], list[str]]:
    """Return the values of all parameters, and the names in the file that the node does not know.

    Args:
        path: A parameter file, as ``config/tracker.yaml`` is one. Of several nodes in it, those
            count whose name is ``rtrack`` or a pattern; the only one counts whatever its name.

    Raises:
        ParameterFileError: it cannot be read, is none, or holds a value that the node refuses.
    """
    try:
        content = parse_yaml(read_foreign(path))
    except (OSError, ValueError) as error:
        raise ParameterFileError(f'{path} cannot be read: {error}') from error
    given = _given(content if isinstance(content, dict) else {})
    if given is None:
        raise ParameterFileError(f"{path} has no '{_KEY}' below the name of a node; copy "
                                 'config/tracker.yaml and change the copy')
    known = defaults()
    values = known | {name: _as(known[name], value) for name, value in given.items()
                      if name in known}
    problem = _wrong_type(values, known) or check(values)
    if problem:
        raise ParameterFileError(f'{path}: {problem}')
    return values, [name for name in given
                    if name not in known and name.partition('.')[0] not in _OF_EVERY_NODE]


def said_to_another(path: Path | str, node: str) -> str:
    """Return what is wrong where a file has parameters, and none of them for a node; else ''.

    ROS passes over them without a word.

    Args:
        path: A parameter file.
        node: Full name of the node, such as ``/front/rtrack``.
    """
    try:
        content = parse_yaml(read_foreign(path))
    except (OSError, ValueError):
        return ''  # whoever reads the values says so
    names = [name for name, _ in _nodes(content if isinstance(content, dict) else {})]
    if not names or any(_meant(name, node) for name in names):
        return ''
    return (f'{path} holds parameters of {", ".join(names)}, and this node is {node}: none of '
            "them is used; write '/**' in place of the name, or the name of this node")


def _meant(pattern: str, node: str) -> bool:
    """Whether a name in a parameter file is that of a node; * is one part of it, ** any."""
    parts = pattern.strip('/').split('/')
    text = ''.join({'**': '(/[^/]+)*', '*': '/[^/]+'}.get(part, '/' + re.escape(part))
                   for part in parts)
    return re.fullmatch(text, node) is not None


def _given(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the parameters by dotted name, later sections before earlier ones; None for none."""
    sections = {str(node): section[_KEY] for node, section in _nodes(content)
                if isinstance(section.get(_KEY), dict)}
    chosen = [section for node, section in sections.items()
              if '*' in node or node.rstrip('/').rpartition('/')[2] == NODE]
    if not chosen and len(sections) == 1:
        chosen = list(sections.values())
    if not chosen:
        return None
    given: dict[str, Any] = {}
    for section in chosen:
        given |= dict(_flat(section))
    return given


def _nodes(content: Mapping[str, Any], above: str = '') -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (name, section) of all nodes; namespaces may be keys of their own."""
    for name, section in content.items():
        if isinstance(section, dict):
            full = f'{above}/{name}' if above else str(name)
            if _KEY in section:
                yield full, section
            else:
                yield from _nodes(section, full)


def _flat(section: Mapping[str, Any], above: str = '') -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f'{above}{name}.')
        else:
            yield f'{above}{name}', value


def _as(default: Any, value: Any) -> Any:
    """Return a value as the type of its parameter, where nothing is lost by it."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(default, float) and whole:
        return float(value)
    if isinstance(default, list) and isinstance(value, list):
        return [float(item) if isinstance(item, int) and not isinstance(item, bool) else item
                for item in value]
    return value


def _wrong_type(values: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    for spec in SCHEMA:
        value, default = values[spec.name], known[spec.name]
        if spec.number_or_word and isinstance(value, int | float) \
                and not isinstance(value, bool):
            continue
        if type(value) is not type(default):
            return (f'{spec.name} must be a {type(default).__name__}, as {default!r} is one; got '
                    f'{value!r}')
        if isinstance(default, list) and not all(isinstance(item, float) for item in value):
            return f'{spec.name} must be a list of numbers; got {value!r}'
    return ''
