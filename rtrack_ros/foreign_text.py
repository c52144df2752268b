"""Names and texts that somebody else wrote: how one becomes a file's name, and how it is shown.

A data set, a recording or a publisher may hold any text. As the name of a file it must not lead
out of its folder. On a terminal it must be nothing that the terminal obeys: an escape sequence can
rewrite what was shown before, or set the title of the window.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

MOST_NAME_BYTES: Final = 200
"""A file system takes 255 bytes; a suffix of ours follows."""
_UNSHOWN: Final = '\N{REPLACEMENT CHARACTER}'
_LINE: Final = '\n\t'


class ForeignNameError(ValueError):
    """A text cannot name a file; the message shows it harmlessly and names the remedy."""


def parse_json(text: str) -> Any:
    """Return the content of a JSON text that somebody else wrote.

    Raises:
        ValueError: it is none, or nested so deeply that Python's own reader gives up.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError('it is nested too deeply') from error


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
