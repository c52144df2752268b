"""The stamps of recent images, to find the one that a message is about."""

from collections import deque
from itertools import pairwise
from statistics import median
from typing import Final, Generic, TypeVar

T = TypeVar('T')

_KEPT: Final = 600
_OF_PERIOD: Final = 15
_UNKNOWN_PERIOD_NS: Final = 40_000_000
_JUMP_NS: Final = 500_000_000


class PairStamps(Generic[T]):
    """Recent items by their stamp."""

    def __init__(self) -> None:
        self._items: deque[tuple[int, T]] = deque(maxlen=_KEPT)

    def add(self, stamp_ns: int, item: T) -> None:
        """Note an item; a repeated stamp is passed over, a jump back begins anew."""
        if self._items and stamp_ns <= self._items[-1][0]:
            if stamp_ns > self._items[-1][0] - _JUMP_NS:
                return
            self._items.clear()
        self._items.append((stamp_ns, item))

    def clear(self) -> None:
        """Forget all."""
        self._items.clear()

    def reaches(self, stamp_ns: int) -> bool:
        """Whether an item of this stamp or a later one came: the nearest one is decided."""
        return bool(self._items) and self._items[-1][0] >= stamp_ns

    @property
    def tolerance_ns(self) -> int:
        """Half the median distance of the newest stamps."""
        newest = [stamp for stamp, _ in list(self._items)[-_OF_PERIOD:]]
        steps = [after - before for before, after in pairwise(newest)]
        return int(median(steps) if steps else _UNKNOWN_PERIOD_NS) // 2

    def nearest(self, stamp_ns: int) -> T | None:
        """Return the item whose stamp is nearest, None where none lies within the tolerance."""
        best = min(self._items, key=lambda item: abs(item[0] - stamp_ns), default=None)
        if best is None or abs(best[0] - stamp_ns) > self.tolerance_ns:
            return None
        return best[1]
