"""Settings of training read from YAML; a misspelt one is refused."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


class SettingsError(ValueError):
    """A configuration cannot be used; the message names the entry and the remedy."""


def fill_settings(kind: Any, values: Mapping[str, Any], where: str) -> Any:
    """Return a dataclass filled with values of a YAML file; lists become tuples.

    Args:
        kind: The dataclass.
        values: Its fields by name.
        where: What they belong to, for the message.

    Raises:
        SettingsError: a field is not known, or the dataclass refuses a value.
    """
    known = {item.name for item in fields(kind)}
    unknown = set(values) - known
    if unknown:
        raise SettingsError(f'{where} has unknown entries {", ".join(sorted(unknown))}; known are '
                            f'{", ".join(sorted(known))}')
    lists = {name: tuple(value) if isinstance(value, list) else value
             for name, value in values.items()}
    try:
        return kind(**lists)
    except (TypeError, ValueError) as error:
        raise SettingsError(f'{where}: {error}') from error
