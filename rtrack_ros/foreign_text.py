"""Names and texts that somebody else wrote: how one becomes a file's name, and how it is shown.

A data set, a recording or a publisher may hold any text. As the name of a file it must not lead
out of its folder. On a terminal it must be nothing that the terminal obeys: an escape sequence can
rewrite what was shown before, or set the title of the window.
"""

import json
import math
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

MOST_FILE_BYTES: Final = 1 << 30
MOST_TEXT_BYTES: Final = 32 << 20
"""The vocabulary of a large model is 11 MB."""
MOST_DEPTH: Final = 50
MOST_VALUES: Final = 100_000
MOST_NAME_BYTES: Final = 200
"""A file system takes 255 bytes; a suffix of ours follows."""
_UNSHOWN: Final = '\N{REPLACEMENT CHARACTER}'
_LINE: Final = '\n\t'


class ForeignNameError(ValueError):
    """A text cannot name a file; the message shows it harmlessly and names the remedy."""


class UnreadableFileError(OSError, ValueError):
    """What somebody else calls a file is none, or is too long."""


def foreign_bytes(path: Path | str, most_bytes: int = MOST_FILE_BYTES) -> bytes:
    """Return the content of a file that somebody else wrote.

    A folder from the network may hold a link to a device that never ends, or a pipe that nobody
    writes to.

    Raises:
        UnreadableFileError: it is no regular file, or too long.
        OSError: it cannot be opened.
    """
    place = Path(path)
    facts = place.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise UnreadableFileError('it is no regular file')
    if facts.st_size > most_bytes:
        raise UnreadableFileError(f'it has {facts.st_size} bytes, and at most {most_bytes} are '
                                  'read')
    return place.read_bytes()


def read_foreign(path: Path | str, most_bytes: int = MOST_TEXT_BYTES) -> str:
    """Return the text of a small file that somebody else wrote.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no regular file, too long, or not UTF-8.
    """
    return foreign_bytes(path, most_bytes).decode('utf-8')


def parse_json(text: str | bytes) -> Any:
    """Return the content of a JSON text that somebody else wrote; its numbers are finite.

    Raises:
        ValueError: it is none, or nested so deeply that Python's own reader gives up.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except RecursionError as error:
        raise ValueError('it is nested too deeply') from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f'{shown(text, 20)} is no finite number')
    return number


def parse_yaml(text: str, loader: Any = None) -> Any:
    """Return the content of a YAML text that somebody else wrote.

    A few lines of references to references mean gigabytes: they are counted as if written out.

    Args:
        text: The text.
        loader: Of ``yaml``; None takes the safe one.

    Raises:
        ValueError: it is none, nested too deeply, or too large when written out.
    """
    import yaml

    loader = loader or yaml.SafeLoader
    try:
        _check_yaml(yaml.parse(text, loader))
        return yaml.load(text, loader)
    except yaml.YAMLError as error:
        raise ValueError(' '.join(str(error).split())) from error


def _check_yaml(events: Iterable[Any]) -> None:
    """Count the values of a YAML text as if its references were written out.

    Raises:
        ValueError: they are too many, or nested too deeply, or one holds itself.
    """
    sizes: dict[str, int] = {}
    inside: list[tuple[str | None, int]] = [(None, 0)]
    for event in events:
        kind, anchor, size = type(event).__name__, getattr(event, 'anchor', None), 1
        if kind.endswith('StartEvent') and kind[0] in 'MS' and kind != 'StreamStartEvent':
            inside.append((anchor, 1))
            if len(inside) > MOST_DEPTH:
                raise ValueError('it is nested too deeply')
            continue
        if kind in ('MappingEndEvent', 'SequenceEndEvent'):
            anchor, size = inside.pop()
        elif kind == 'AliasEvent':
            named = str(anchor)
            if named not in sizes:
                raise ValueError(f'*{shown(named, 20)} stands inside what it means, or '
                                 'nowhere')
            anchor, size = None, sizes[named]
        elif kind != 'ScalarEvent':
            continue
        if anchor is not None:
            sizes[anchor] = size
        inside[-1] = inside[-1][0], inside[-1][1] + size
        if inside[-1][1] > MOST_VALUES:
            raise ValueError('it has too many values once its references are written out')


def plain_name(text: str) -> str:
    """Return a text that names one file or folder, and nothing above or below it.

    Raises:
        ForeignNameError: it is empty, a path, too long, begins with a dot or a dash, or holds what
            cannot be shown.
    """
    if (not text or text[0] in '.-' or any(char in '/\\:' for char in text)
            or not text.isprintable() or len(text.encode(errors='replace')) > MOST_NAME_BYTES):
        raise ForeignNameError(f'{shown(text)!r} cannot name a file; take letters, digits, spaces '
                               'and marks other than / and \\, and no dot at the start')
    return text


def utf8_path(path: Path | str) -> str:
    """Return a path as OpenCV takes it, which ends the process on one that is not UTF-8.

    Raises:
        ForeignNameError: it is not.
    """
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ForeignNameError(f'{shown(text)!r} is not UTF-8, which OpenCV needs; rename it'
                               ) from error
    return text


def shown(text: str, characters: int = 80) -> str:
    """Return a text for a line of a log: its start if it is long, and nothing to be obeyed.

    Args:
        text: From outside, anything.
        characters: Most characters of it that are shown.
    """
    start = text if len(text) <= characters else f'{text[:characters]}...'
    return ''.join(char if char.isprintable() else _UNSHOWN for char in start)


def harmless(text: str) -> str:
    """Return a text of any length with its lines, and nothing that a terminal would obey."""
    if text.isprintable():
        return text
    return ''.join(char if char.isprintable() or char in _LINE else _UNSHOWN for char in text)
