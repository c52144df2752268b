"""What the names of images say: a number, a time, or nothing but an order.

``frame_000004.png`` is image 4, whether or not image 3 is there. ``1700000000123.png`` was taken
at that time. The unit of a time follows from its size, or else from how far apart neighbours are:
a camera takes between one and a few hundred images per second.
"""

import re
from calendar import timegm
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_DIGITS: Final = re.compile(r'\d+')
_DATE: Final = re.compile(
    r'(?<!\d)((?:19|20)\d\d)[^\d]?([01]\d)[^\d]?([0-3]\d)[^\d]?([0-2]\d)[^\d]?([0-5]\d)[^\d]?'
    r'([0-6]\d)(?:[^\d]?(\d{1,9}))?(?!\d)')
# Seconds and a fraction: 12.033, or 1700000000_033333333.
_SECONDS: Final = re.compile(r'(?<!\d)(\d{1,10})(?:\.(\d{1,9})|[_-](\d{9}))(?!\d)')
_NS: Final = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
"""Nanoseconds of a unit, by the number of digits that a time since 1970 has in it."""
_LEAST_FILLED: Final = 0.25
"""Where more of the numbers are missing, images were picked, not lost."""
_EVEN: Final = 0.25
"""Most images of a camera come this evenly."""
_LEAST_STEP: Final = 5
"""Times of neighbours are further apart than this in every unit; numbers of images are not."""


class NameKind(Enum):
    """What the names of a folder say."""

    NUMBER = 'number'
    TIME = 'time'
    ORDER = 'order'


@dataclass(frozen=True, eq=False)
class Names:
    """What the names of the images of one folder say.

    Attributes:
        kind: What it is.
        values: Numbers of images, or times in units of ``unit_ns``; increasing.
        order: Place of each image in the list that was given.
        unit_ns: Unit of times in nanoseconds.
    """

    kind: NameKind
    values: Ints
    order: Ints
    unit_ns: int = 1

    @property
    def step(self) -> int:
        """Distance of the numbers of neighbours where no image is missing."""
        return int(np.gcd.reduce(np.diff(self.values))) if len(self.values) > 1 else 1

    @property
    def gapless(self) -> bool:
        """Whether no number is missing between the first and the last."""
        return int(self.values[-1] - self.values[0]) == self.step * (len(self.values) - 1)

    @property
    def stamps_ns(self) -> Ints:
        """Times in nanoseconds."""
        return self.values * self.unit_ns

    def as_times(self, unit_ns: int) -> 'Names':
        """Return the numbers as times."""
        return replace(self, kind=NameKind.TIME, unit_ns=unit_ns)

    def as_order(self) -> 'Names':
        """Return nothing but the order."""
        return replace(self, kind=NameKind.ORDER,
                       values=np.arange(len(self.values), dtype=np.int64))

    def meets(self, other: 'Names') -> bool:
        """Whether the values of both lie in a common span."""
        return bool(self.values[0] <= other.values[-1] and other.values[0] <= self.values[-1])


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sort key under which ``frame10`` follows ``frame9``."""
    return [(0, int(part)) if part.isdecimal() else (1, part.lower())
            for part in re.split(r'(\d+)', name) if part]


def read_names(stems: Sequence[str]) -> Names:
    """Return what names without suffix say; the natural order where they say nothing else."""
    for read in (_dates, _seconds, _since_1970, _numbers):
        names = read(stems)
        if names is not None and len(set(names.values.tolist())) == len(stems):
            order = np.argsort(names.values, kind='stable')
            return _judged(replace(names, values=names.values[order], order=order))
    natural = sorted(range(len(stems)), key=lambda place: natural_key(stems[place]))
    return Names(NameKind.ORDER, np.arange(len(stems), dtype=np.int64), _ints(natural))


def repeated(stems: Sequence[str]) -> tuple[str, ...]:
    """Return two names of one number where most numbers come several times; none elsewhere."""
    columns = _columns(stems)
    changing = [column for column in columns if len(set(column)) > 1]
    if len(changing) != 1 or len(set(changing[0])) * 4 > len(stems) * 3:
        return ()
    first: dict[str, str] = {}
    for stem, number in zip(stems, changing[0], strict=True):
        if number in first:
            return first[number], stem
        first[number] = stem
    return ()


def _dates(stems: Sequence[str]) -> Names | None:
    """Return the times of names such as ``20230501_123015_040``."""
    found = [match for match in map(_DATE.search, stems) if match is not None]
    if len(found) < len(stems):
        return None
    try:
        seconds = [timegm(datetime.strptime(' '.join(match.group(1, 2, 3, 4, 5, 6)),
                                            '%Y %m %d %H %M %S').timetuple()) for match in found]
    except ValueError:  # a thirteenth month: the digits are no date
        return None
    return _names(NameKind.TIME, [
        second * 10**9 + int((match[7] or '0').ljust(9, '0'))
        for second, match in zip(seconds, found, strict=True)])


def _seconds(stems: Sequence[str]) -> Names | None:
    found = [match for match in map(_SECONDS.search, stems) if match is not None]
    if len(found) < len(stems):
        return None
    return _names(NameKind.TIME, [int(match[1]) * 10**9
                                  + int((match[2] or match[3]).ljust(9, '0')) for match in found])


def _since_1970(stems: Sequence[str]) -> Names | None:
    """Return the first group of digits that is a time between 2001 and 2100 in all names."""
    for column in _columns(stems):
        unit_ns = _NS.get(len(column[0]), 0)
        if unit_ns and all(len(cell) == len(column[0])
                           and 10**9 <= int(cell) * unit_ns // 10**9 < 4_102_444_800
                           for cell in column) and len(set(column)) > 1:
            return _names(NameKind.TIME, map(int, column), unit_ns)
    return None


def _numbers(stems: Sequence[str]) -> Names | None:
    """Return the one group of digits that differs between names."""
    columns = _columns(stems)
    changing = [column for column in columns if len(set(column)) > 1] or columns[-1:]
    if len(changing) != 1 or max(map(len, changing[0])) > 18:
        return None
    return _names(NameKind.NUMBER, map(int, changing[0]))


def _columns(stems: Sequence[str]) -> list[tuple[str, ...]]:
    groups = [_DIGITS.findall(stem) for stem in stems]
    same = len({len(row) for row in groups}) == 1
    return list(zip(*groups, strict=True)) if same else []


def _judged(names: Names) -> Names:
    """Return whether plain numbers are of images, or times of a clock that began at zero."""
    if names.kind is not NameKind.NUMBER or len(names.values) < 3:
        return names
    steps = np.diff(names.values)
    middle = float(np.median(steps))
    even = (np.abs(steps / middle - 1) < _EVEN).mean() > 0.5
    if even and steps.min() >= _LEAST_STEP and names.step < steps.min():
        for most, unit_ns in ((2e3, 10**6), (2e6, 10**3)):
            if middle < most:
                return names.as_times(unit_ns)
        return names.as_times(1)
    span = int(names.values[-1] - names.values[0])
    filled = len(names.values) / (span / names.step + 1)
    return names if filled >= _LEAST_FILLED else names.as_order()


def _names(kind: NameKind, values: Iterable[int], unit_ns: int = 1) -> Names:
    found = _ints(list(values))
    return Names(kind, found, np.arange(len(found), dtype=np.int64), unit_ns)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


