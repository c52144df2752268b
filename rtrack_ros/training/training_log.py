"""The log of a run, ``log.jsonl``: one JSON object a line, appended to while the run goes on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rtrack_ros.files import write_whole


def append_entry(log: Path, entry: dict[str, Any]) -> None:
    """Append an entry.

    Raises:
        ValueError: a figure is no number, which JSON has no word for.
    """
    with log.open('a', encoding='utf-8') as stream:
        stream.write(json.dumps(entry, allow_nan=False) + '\n')


def read_entries(log: Path) -> list[dict[str, Any]]:
    """Return the entries of a log; lines that are not whole are left out."""
    entries = []
    for line in log.read_text(encoding='utf-8', errors='replace').splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries


def keep_entries(log: Path, kept: Callable[[dict[str, Any]], bool]) -> None:
    """Keep what the checkpoint has seen; a killed run leaves more, or half a line."""
    if log.is_file():
        write_whole(log, ''.join(json.dumps(entry) + '\n' for entry in read_entries(log)
                                 if kept(entry)))
