"""Settings as dataclass fields: meaning, unit, range and check have one home, the field itself.

Our own, in place of pydantic (MIT), which would do it: the one that rosdep brings on the oldest
supported ROS 2 has another interface than today's, and ROS needs meaning, unit and range as plain
values for its descriptors anyway.
"""

import math
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any

_KEY = 'setting'


@dataclass(frozen=True)
class Setting:
    """What is known of one setting besides its name and default.

    Attributes:
        meaning: What it does, and what raising it does; no full stop at the end.
        unit: SI or pixel unit, '' where there is none.
        span: Least and greatest value of a number, both allowed.
        choices: Allowed texts; empty where any text is allowed.
        advanced: Whether it is better left alone.
    """

    meaning: str
    unit: str = ''
    span: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    advanced: bool = False

    def problem(self, value: Any) -> str:
        """Return what is wrong with a value, as in 'must ...', or ''."""
        if self.choices:
            return '' if value in self.choices else f'must be one of {", ".join(self.choices)}'
        if self.span is None or value is None:
            return ''
        low, high = self.span
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and math.isfinite(value) and low <= value <= high:
            return ''
        return f'must lie between {low:g} and {high:g}{" " if self.unit else ""}{self.unit}'


def setting(default: Any, meaning: str, unit: str = '', span: tuple[float, float] | None = None,
            choices: tuple[str, ...] = (), advanced: bool = False) -> Any:
    """Return a dataclass field that is a setting; see ``Setting``."""
    return field(default=default, metadata={
        _KEY: Setting(meaning, unit, span, choices, advanced)})


def settings_of(kind: Any) -> Iterator[tuple[Field[Any], Setting]]:
    """Yield the fields of a dataclass that are settings, in order."""
    for item in fields(kind):
        if _KEY in item.metadata:
            yield item, item.metadata[_KEY]


def check_settings(values: Any) -> None:
    """Check every setting of a dataclass; to be called in its ``__post_init__``.

    Raises:
        ValueError: names the setting, what it must be and what it is: NaN, infinite, out of its
            range, no whole number where one is needed, or none of its choices.
    """
    for item, known in settings_of(values):
        value = getattr(values, item.name)
        problem = known.problem(value)
        if not problem and isinstance(item.default, int) and not isinstance(value, int):
            problem = 'must be a whole number'
        if problem:
            raise ValueError(f'{item.name} {problem}; got {value!r}')
