"""MOTChallenge rows: ``frame,id,left,top,width,height,score,class,visibility``, frame from 1."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rtrack_ros.foreign_text import foreign_bytes
from rtrack_ros.language.answers import Box
from rtrack_ros.output_files import OutputFile, write_text

MotFrames = dict[int, list['MotRow']]


class MotError(ValueError):
    """A row cannot be read; the message names file, line and reason."""


@dataclass(frozen=True)
class MotRow:
    """One box of one object in one frame.

    Attributes:
        frame: Frame number, from 1.
        id: Identity, not negative.
        box: x1, y1, x2, y2 in pixels of the original RGB image.
        score: Confidence of a track; for truth, 0 means that the box does not count.
        category: MOTChallenge class; 1 throughout, since referring tracking has one merged class.
        visibility: Visible share in [0, 1].
    """

    frame: int
    id: int
    box: Box
    score: float = 1.0
    category: int = 1
    visibility: float = 1.0

    def line(self) -> str:
        """Return the row as text, pixels with two decimals."""
        x1, y1, x2, y2 = self.box
        return (f'{self.frame},{self.id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},'
                f'{self.score:.4g},{self.category},{self.visibility:.3g}')


def counted(rows: MotFrames, frame: int) -> list[MotRow]:
    """Return the rows of a frame that count; a score of 0 takes a box out (MOTChallenge rule)."""
    return [row for row in rows.get(frame, ()) if row.score > 0]


def write_mot(path: Path | str, rows: Iterable[MotRow]) -> None:
    """Write rows sorted by frame and id; no rows give an empty file: nothing was found.

    Raises:
        OutputError: the file cannot be written.
    """
    write_text(path, _text(rows))


class MotWriter:
    """Writes the rows of one frame after another, each at once; a context manager.

    Args:
        path: File to write; what is in it at the end, or after an error, is whole rows.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path | str) -> None:
        self._file = OutputFile(path)

    def __enter__(self) -> 'MotWriter':
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._file.__exit__(kind, *rest)

    def write(self, rows: Iterable[MotRow]) -> None:
        """Append the rows of the next frame, sorted by id."""
        self._file.write(_text(rows))


def _text(rows: Iterable[MotRow]) -> str:
    return ''.join(row.line() + '\n'
                   for row in sorted(rows, key=lambda row: (row.frame, row.id)))


def read_mot(path: Path | str, absent_boxes: bool = False) -> MotFrames:
    """Return the rows by frame number; frames without boxes have no entry.

    Six to ten columns are accepted, separated by commas or spaces; a missing score is 1.

    Args:
        path: File of rows.
        absent_boxes: Whether a row of width and height 0 says that the object is absent, as sets
            made of single-object annotations do; such rows are left out. Otherwise they are a
            mistake.

    Raises:
        MotError: the file is missing or a row is malformed, or an id appears twice in a frame.
    """
    source = Path(path)
    try:
        lines = foreign_bytes(source).decode('utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MotError(f'cannot read {source}: {error}') from error
    frames: MotFrames = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            if absent_boxes and _is_absent(line):
                continue
            row = _parse(line)
            _refuse_repeated(row, frames)
        except ValueError as error:
            raise MotError(f'{source}:{number}: {error}') from None
        frames.setdefault(row.frame, []).append(row)
    return frames


def _is_absent(line: str) -> bool:
    cells = line.replace(',', ' ').split()
    return len(cells) >= 6 and float(cells[4]) == 0 and float(cells[5]) == 0


def _parse(line: str) -> MotRow:
    cells = line.replace(',', ' ').split()
    if not 6 <= len(cells) <= 10:
        raise ValueError('a MOTChallenge row has 6 to 10 columns, frame,id,left,top,width,height,'
                         f'...; this one has {len(cells)}')
    if not all(math.isfinite(float(cell)) for cell in cells):
        raise ValueError('every column is a finite number')
    frame, identity = float(cells[0]), float(cells[1])
    if frame < 1 or frame != int(frame):
        raise ValueError(f'frame numbers start at 1; got {cells[0]}')
    if identity < 0 or identity != int(identity):
        raise ValueError(f'an id is a whole number, not negative; got {cells[1]}')
    left, top, width, height = (float(cell) for cell in cells[2:6])
    if not (width > 0 and height > 0):
        raise ValueError(f'width and height must be positive; got {cells[4]} x {cells[5]}')
    score = float(cells[6]) if len(cells) > 6 else 1.0
    # Rows of ten columns end in world coordinates (MOT15), the eighth is then no class.
    category = int(float(cells[7])) if len(cells) in (8, 9) else 1
    visibility = float(cells[8]) if len(cells) == 9 else 1.0
    return MotRow(int(frame), int(identity), (left, top, left + width, top + height), score,
                  category, visibility)


def _refuse_repeated(row: MotRow, frames: MotFrames) -> None:
    if any(other.id == row.id for other in frames.get(row.frame, ())):
        raise ValueError(f'id {row.id} appears twice in frame {row.frame}')
