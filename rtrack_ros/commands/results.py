"""Where the results of a command go: tables to the terminal, figures to files."""

import json
import math
import sys
from pathlib import Path
from typing import Any, Final

from rtrack_ros.commands.terminal import console
from rtrack_ros.output_files import write_text

STANDARD_OUTPUT: Final = Path('-')


class Results:
    """Shows and writes the results of one command.

    Args:
        json_to: File of ``--json``; None where it is not given. With ``-`` standard output holds
            the JSON alone, and all that is shown goes to standard error.
    """

    def __init__(self, json_to: Path | None = None) -> None:
        self._json_to = json_to
        self._console = console(stderr=json_to == STANDARD_OUTPUT)

    def show(self, *items: object) -> None:
        """Print tables and lines; a line is neither wrapped nor read as markup."""
        for item in items:
            line = isinstance(item, str)
            self._console.print(item, soft_wrap=line, markup=not line)

    def json(self, figures: Any) -> None:
        """Write the figures where ``--json`` says, if it says so; null where one is no number."""
        if self._json_to is None:
            return
        text = json.dumps(_finite(figures), indent=2, allow_nan=False) + '\n'
        if self._json_to == STANDARD_OUTPUT:
            sys.stdout.write(text)
        else:
            self.write(self._json_to, text)

    def write(self, path: Path, text: str) -> None:
        """Write a file, making its folder, and say so.

        Raises:
            OutputError: it cannot be written.
        """
        write_text(path, text)
        self.wrote(path)

    def wrote(self, path: Path) -> None:
        """Say that a file was written."""
        self.show(f'wrote {path}')


def _finite(figures: Any) -> Any:
    """Return plain values without numbers that JSON has no word for."""
    if isinstance(figures, dict):
        return {name: _finite(value) for name, value in figures.items()}
    if isinstance(figures, list | tuple):
        return [_finite(value) for value in figures]
    return None if isinstance(figures, float) and not math.isfinite(figures) else figures
