"""Settings of training read from YAML; a misspelt one, or one of the wrong kind, is refused."""

import difflib
import math
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import yaml

from rtrack_ros.foreign_text import parse_yaml, read_foreign

Span = tuple[float, float]
"""Least and greatest value of a number, both allowed."""


class SettingsError(ValueError):
    """A configuration cannot be used; the message names the entry and the remedy."""


class _Loader(yaml.SafeLoader):
    """YAML as people write it: 2e-4 is a number. YAML 1.1 wants 2.0e-4 and reads text else.

    An entry that is there twice is refused: YAML takes the last one and says nothing.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f'the entry {key.value} is there twice',
                                           key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    'tag:yaml.org,2002:float',
    re.compile(r'^[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9_]+)([eE][-+]?[0-9]+)$'),
    list('-+.0123456789'))


def read_yaml(path: Path, what: str = 'configuration') -> dict[str, Any]:
    """Return the entries of a configuration, which is called ``what`` in errors.

    Raises:
        SettingsError: the file is no YAML, or holds no entries.
    """
    try:
        content = parse_yaml(read_foreign(path), _Loader)
    except ValueError as error:
        raise SettingsError(f'{path} is no YAML ({error})') from error
    if not isinstance(content, dict):
        raise SettingsError(f'{path} is no {what}; start from one that rtrack train config '
                            'prints')
    return content


def fill_settings(kind: Any, values: Mapping[str, Any], where: str) -> Any:
    """Return a dataclass filled with values of a YAML file; lists become tuples.

    Args:
        kind: The dataclass.
        values: Its fields by name.
        where: What they belong to, for the message.

    Raises:
        SettingsError: a field is not known or of another kind, or the dataclass refuses a value.
    """
    if not isinstance(values, Mapping):
        raise SettingsError(f'{where} must hold entries, name: value; got {values!r}')
    check_names(values, [item.name for item in fields(kind)], where)
    hints = typing.get_type_hints(kind)
    for name, value in values.items():
        check_kind(value, hints[name], f'{where}: {name}')
    lists = {name: tuple(value) if isinstance(value, list) else value
             for name, value in values.items()}
    try:
        return kind(**lists)
    except (TypeError, ValueError) as error:
        raise SettingsError(f'{where}: {error}') from error


def check_names(values: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse entries that are not known.

    Raises:
        SettingsError: names them, and what may have been meant.
    """
    names = sorted(known)
    unknown = sorted(map(str, set(values) - set(names)))
    if unknown:
        near = difflib.get_close_matches(unknown[0], names)
        shown = names if len(names) <= _SHOWN else [*near, f'{len(names) - len(near)} more']
        raise SettingsError(f'{where} has unknown entries {", ".join(unknown)}; known are '
                            f'{", ".join(shown)}')


_SHOWN: Final = 40
_KINDS: Final[Mapping[Any, str]] = {float: 'a number', int: 'a whole number',
                                    bool: 'true or false', str: 'text'}


def check_kind(value: Any, hint: Any, where: str) -> None:
    """Refuse a value of another kind than a hint says, and numbers that are not finite.

    Looks into lists and mappings too. Other kinds are left to whoever takes the value.

    Raises:
        SettingsError: names the entry and what it must be.
    """
    kinds = [item for item in _alternatives(hint) if item is not type(None)]
    if value is None and type(None) in _alternatives(hint):
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f'{where} must be a finite number; got {value!r}')
    if kinds and all(kind in _KINDS for kind in kinds) and not any(
            _is(value, kind) for kind in kinds):
        wanted = ' or '.join(_KINDS[kind] for kind in kinds)
        raise SettingsError(f'{where} must be {wanted}; got {value!r}')
    if len(kinds) == 1:
        _check_inside(value, kinds[0], where)


def _check_inside(value: Any, kind: Any, where: str) -> None:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise SettingsError(f'{where} must hold entries, name: value; got {value!r}')
    elif origin in (tuple, list):
        if not isinstance(value, (tuple, list)):
            raise SettingsError(f'{where} must be a list, [..., ...]; got {value!r}')
        if ... not in inner and origin is tuple and len(value) != len(inner):
            raise SettingsError(f'{where} must be a list of {len(inner)}; got {value!r}')
        wanted = inner if origin is tuple and ... not in inner else inner[:1] * len(value)
        for item, hint in zip(value, wanted, strict=True):
            check_kind(item, hint, where)


def check_span(value: float | None, span: Span, where: str) -> None:
    """Refuse a number outside of its range; None is left alone.

    Raises:
        SettingsError: names the entry and the range.
    """
    if value is not None and not span[0] <= value <= span[1]:
        raise SettingsError(f'{where} must lie between {span[0]:g} and {span[1]:g}; got {value!r}')


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)
