"""The clips that real training frames are made from, and what is known about their geometry.

Clips lie as ``visible/<name>.mp4`` and ``infrared/<name>.mp4`` below one folder, frame ``i`` of
one belonging to frame ``i`` of the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.videos import open_pairs
from rtrack_ros.foreign_text import parse_yaml, plain_name, read_foreign
from rtrack_ros.frames import FramePair


@dataclass(frozen=True)
class ClipGeometry:
    """Where people can stand in a clip, and how tall they look there.

    Attributes:
        name: Name of the clip.
        ground: Corners (column, row) in pixels of the area on which people can stand.
        heights: Two (row of the feet, height in pixels) of a grown person; in between and beyond,
            height is linear in the row, as it is for a level camera over flat ground.
    """

    name: str
    ground: tuple[tuple[float, float], ...]
    heights: tuple[tuple[float, float], tuple[float, float]]

    def person_height(self, row: float) -> float:
        """Return the height in pixels of a person whose feet are at ``row``."""
        (row0, height0), (row1, height1) = self.heights
        return height0 + (row - row0) * (height1 - height0) / (row1 - row0)


@dataclass(frozen=True)
class EmptyPart:
    """A part of a clip in which somebody looked and saw nobody.

    Attributes:
        first: First frame, from 1.
        last: Last frame.
        window: x1, y1, x2, y2 in pixels of the part of the picture; None is all of it.
    """

    first: int
    last: int
    window: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class ClipSettings:
    """Which clips may be trained on, and which never.

    Attributes:
        train: Clips that people are cut out of.
        held_out: Clips that are never opened.
        empty: Parts that show nobody, by the name of the clip.
    """

    train: tuple[ClipGeometry, ...]
    held_out: frozenset[str]
    empty: Mapping[str, tuple[EmptyPart, ...]] = field(default_factory=dict)


def read_settings(path: Path | str) -> ClipSettings:
    """Read a file such as ``training/configs/real_clips.yaml``.

    Raises:
        DataError: the file is damaged, or a clip is both trained on and held out.
    """
    try:
        content = parse_yaml(read_foreign(path))
        train = tuple(_geometry(name, item) for name, item in content['train'].items())
        held_out = frozenset(map(str, content.get('held_out') or ()))
        empty = {_name(name): tuple(map(_empty_part, parts))
                 for name, parts in (content.get('empty') or {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f'{path} does not describe clips ({error!r}); write it like '
                        'what this prints: rtrack train config real_clips') from error
    both = sorted(held_out & {*(clip.name for clip in train), *empty})
    if both:
        raise DataError(f'{path}: {", ".join(both)} is held out and cannot be trained on; remove '
                        'it from one of the lists')
    return ClipSettings(train, held_out, empty)


def _name(name: object) -> str:
    if not isinstance(name, str):  # 0111_1716 without quotes is an octal number in YAML 1.1
        raise ValueError(f'{name} is not a name; put the names of clips in quotes')
    return plain_name(name)


def _empty_part(numbers: Any) -> EmptyPart:
    first, last, *corners = map(int, numbers)
    x1, y1, x2, y2 = corners or (0, 0, 1, 1)
    if not 1 <= first <= last or x2 <= x1 or y2 <= y1:
        raise ValueError(f'{numbers} is no part of a clip; write first and last frame from 1, and '
                         'perhaps x1, y1, x2, y2')
    return EmptyPart(first, last, (x1, y1, x2, y2) if corners else None)


def _geometry(name: object, item: dict[str, Any]) -> ClipGeometry:
    clip = _name(name)
    ground = tuple((float(column), float(row)) for column, row in item['ground'])
    first, second = ((float(row), float(height)) for row, height in item['heights'])
    if len(ground) < 3 or first[0] == second[0]:
        raise ValueError(f'{clip}: ground needs three corners, heights two different rows')
    return ClipGeometry(clip, ground, (first, second))


def read_frames(folder: Path | str, name: str, count: int, wanted: frozenset[int] = frozenset()
                ) -> dict[int, FramePair]:
    """Return about ``count`` pairs of a clip, evenly spread, by their frame number from 1.

    Args:
        folder: Holds ``visible/`` and ``infrared/``.
        name: Name of the clip.
        count: How many; of a short clip every third.
        wanted: Frames that are returned besides.

    Raises:
        DataError: a video of the clip is missing or unreadable, or has no thermal frames.
    """
    root = Path(folder)
    pairs = open_pairs(root / 'visible' / f'{name}.mp4', root / 'infrared' / f'{name}.mp4')
    every = max(3, -(-len(pairs) // count))
    frames = {received.number: received.pair for received in pairs.received()
              if received.number and ((received.number - 1) % every == 0
                                      or received.number in wanted)}
    if not frames or any(pair.thermal is None for pair in frames.values()):
        raise DataError(f'{name} in {root} has RGB frames without a thermal partner; both videos '
                        'must have the same number of frames')
    return frames
