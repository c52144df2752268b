"""Detections of a recording, in a file as MOTChallenge has them (``det/det.txt``).

Rows are ``frame,-1,left,top,width,height,score``, frame from 1; further columns are passed over,
but for a class number where there are eight or nine. Unlike tracks, boxes of one frame have no
identities, and may be no boxes at all: what a detector writes is checked and counted, not refused.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rtrack_ros.data.pairs import DataError
from rtrack_ros.detections import DetectionCounts, Detections, PixelMap, on_rgb
from rtrack_ros.foreign_text import foreign_bytes

_Row = tuple[float, float, float, float, float, int]
_FEWEST, _MOST = 6, 10


@dataclass
class DetectionFile:
    """What a detector saw in a recording.

    Attributes:
        rows: By number of the RGB image, from 1: x1, y1, x2, y2, score, class; the class is -1
            where none is given.
        labels: Class names; MOTChallenge counts classes from 1.
        counts: What became of the boxes so far.
    """

    rows: Mapping[int, Sequence[_Row]]
    labels: Sequence[str] = ()
    counts: DetectionCounts = field(default_factory=DetectionCounts)

    def on(self, number: int, stamp_ns: int, pixel_map: PixelMap) -> Detections:
        """Return what was seen on an image; an image without rows shows nothing.

        Args:
            number: Number of the RGB image, from 1.
            stamp_ns: Its stamp.
            pixel_map: From the pixels of the file to those of the RGB image.
        """
        rows = self.rows.get(number, ())
        found, counts = on_rgb([row[:4] for row in rows], [self._label(row[5]) for row in rows],
                               [row[4] for row in rows], pixel_map)
        self.counts = self.counts + counts
        return Detections(stamp_ns, found)

    def _label(self, number: int) -> str:
        return self.labels[number - 1] if 1 <= number <= len(self.labels) else ''


def read_detections(path: Path, labels: Sequence[str] = ()) -> DetectionFile:
    """Return the detections of a file.

    Args:
        path: The file. Commas, spaces and tabs separate; a missing score is 1.
        labels: Names of the classes, the first one of class 1.

    Raises:
        DataError: the file cannot be read, or a row is none; the message names file and line.
    """
    try:
        lines = foreign_bytes(path).decode('utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'cannot read the detections {path}: {error}') from error
    rows: dict[int, list[_Row]] = {}
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            number, row = _parse(line)
        except (ValueError, OverflowError) as error:
            raise DataError(f'{path}:{place}: {error}') from None
        rows.setdefault(number, []).append(row)
    return DetectionFile(rows, labels)


def _parse(line: str) -> tuple[int, _Row]:
    cells = line.replace(',', ' ').split()
    if not _FEWEST <= len(cells) <= _MOST:
        raise ValueError(f'a detection has {_FEWEST} to {_MOST} columns, frame,-1,left,top,width,'
                         f'height,score,...; this row has {len(cells)}')
    frame = float(cells[0])
    if not (math.isfinite(frame) and frame >= 1 and frame == int(frame)):
        raise ValueError(f'frame numbers start at 1; got {cells[0]}')
    left, top, width, height = (float(cell) for cell in cells[2:6])
    score = float(cells[6]) if len(cells) > 6 else 1.0
    # Rows of ten columns end in world coordinates (MOT15), the eighth is then no class.
    category = int(float(cells[7])) if len(cells) in (8, 9) else -1
    return int(frame), (left, top, left + width, top + height, score, category)
