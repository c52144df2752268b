"""Memory of objects that are gone: one that returns gets its id back.

A track ends when its object left for longer than ``max_lost_s``. What it looked like is kept for
``memory_s``. A new object is taken for one that left if four things hold: it is of the same word;
it could have come so far in the time; it looks alike in every spectrum that both were seen in; and
no other object that left looks nearly as much like it. Histograms are no identity, so the bounds
are strict: in the simulated world one in five objects that return is known again, and one in
thirty strangers is taken for somebody else. This is our own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.language.class_words import differ
from rtrack_ros.tracking.appearance.histogram import Appearance
from rtrack_ros.tracking.config import TrackerConfig

_MOST = 100
_ALIKE = 0.9
_LEAD = 0.08
# Box sizes per second that an object out of view is thought to move at most, and at once.
_PACE, _STEP = 2.0, 2.0


@dataclass(frozen=True)
class Departed:
    """An object that is gone.

    Attributes:
        id: Its id.
        label: The word for it.
        appearance: How it is remembered.
        box: Its last box, (4,) x1, y1, x2, y2 in RGB pixels.
        stamp_ns: Stamp of that box.
    """

    id: int
    label: str
    appearance: Appearance
    box: NDArray[np.float64]
    stamp_ns: int


class Memory:
    """Objects that are gone, at most a hundred of them, the latest."""

    def __init__(self) -> None:
        self._departed: dict[int, Departed] = {}

    def __len__(self) -> int:
        return len(self._departed)

    def keep(self, departed: Departed) -> None:
        """Remember an object that is gone."""
        self._departed[departed.id] = departed
        while len(self._departed) > _MOST:
            del self._departed[next(iter(self._departed))]

    def forget_all(self) -> None:
        """Forget everybody."""
        self._departed.clear()

    def recall(self, label: str, appearance: Appearance | None, box: NDArray[np.float64],
               stamp_ns: int, config: TrackerConfig) -> int | None:
        """Return the id of the object that a new box shows again, and forget it here; or None.

        Args:
            label: The word for the new object.
            appearance: How it looks.
            box: Its box, (4,) x1, y1, x2, y2 in RGB pixels.
            stamp_ns: Stamp of the box.
            config: Tracker settings; ``memory_s`` says for how long objects are remembered.
        """
        horizon_ns = stamp_ns - round(config.memory_s * 1e9)
        self._departed = {item.id: item for item in self._departed.values()
                          if item.stamp_ns >= horizon_ns}
        if appearance is None:
            return None
        likeness = {item.id: like for item in self._departed.values()
                    if not differ(item.label, label) and item.stamp_ns < stamp_ns
                    and _could_come(item, box, stamp_ns)
                    and (like := _likeness(item.appearance, appearance)) is not None}
        ranked = sorted(likeness, key=lambda item: -likeness[item])
        if not ranked or likeness[ranked[0]] < _ALIKE:
            return None
        if len(ranked) > 1 and likeness[ranked[0]] - likeness[ranked[1]] < _LEAD:
            return None
        del self._departed[ranked[0]]
        return ranked[0]


def _likeness(first: Appearance, second: Appearance) -> float | None:
    """Return the likeness in the spectrum where it is least; None where none is shared."""
    values = [Appearance(parts).similarity(second) for parts in (
        (*first.parts[:2], None), (None, None, first.parts[2]))]
    known = [value for value in values if value is not None]
    return min(known, default=None)


def _could_come(item: Departed, box: NDArray[np.float64], stamp_ns: int) -> bool:
    seconds = (stamp_ns - item.stamp_ns) * 1e-9
    size = np.sqrt(np.prod(np.maximum(box[2:] - box[:2], 1.0)))
    way = np.linalg.norm((box[:2] + box[2:] - item.box[:2] - item.box[2:]) / 2)
    return bool(way <= size * (_STEP + _PACE * seconds))
