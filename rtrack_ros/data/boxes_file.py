"""Files of one box per frame, ``left,top,width,height`` in pixels, as single-object sets have."""

import math
from pathlib import Path

from rtrack_ros.data.pairs import DataError
from rtrack_ros.foreign_text import foreign_bytes
from rtrack_ros.language.answers import Box


def read_boxes(path: Path) -> list[Box | None]:
    """Return a box per line, None where width or height is 0 or not a number: absent.

    Commas, spaces and tabs separate.

    Raises:
        DataError: the file is missing or a line is malformed.
    """
    try:
        lines = foreign_bytes(path).decode('utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'cannot read the boxes {path}: {error}') from error
    return [_box(line, f'{path}:{number}') for number, line in enumerate(lines, start=1)
            if line.strip()]


def _box(line: str, where: str) -> Box | None:
    try:
        left, top, width, height = (float(cell) for cell in line.replace(',', ' ').split())
    except ValueError:
        raise DataError(f"{where}: expected left,top,width,height in pixels; got '{line.strip()}'"
                        ) from None
    if math.isnan(width) or math.isnan(height):  # how some sets say that it is absent
        return None
    if not all(map(math.isfinite, (left, top, width, height))):
        raise DataError(f"{where}: a box is four finite numbers; got '{line.strip()}'")
    if not (width > 0 and height > 0):
        return None
    return (left, top, left + width, top + height)


def require_equal(where: Path, **counts: int) -> None:
    """Refuse a sequence whose files do not go together.

    Raises:
        DataError: with the counts by name.
    """
    if len(set(counts.values())) > 1:
        said = ', '.join(f'{count} {name}' for name, count in counts.items())
        raise DataError(f'{where} has {said}, which should be equally many; fetch the sequence '
                        'again')
