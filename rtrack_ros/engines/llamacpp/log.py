"""Where llama.cpp's own words are kept."""

import os
import tempfile
import time
from pathlib import Path
from typing import Final

_KEPT: Final = 10
_TAIL_BYTES: Final = 4096
_TAIL_LINES: Final = 3


def new_log() -> Path:
    """Return a new file for the words of one process, older ones than the last ten removed.

    It lies in ``$XDG_STATE_HOME/rtrack_ros``, that is ``~/.local/state/rtrack_ros`` unless told
    otherwise, or among the temporary files where nothing can be written there.
    """
    name = f'llamacpp-{time.strftime("%Y%m%d-%H%M%S")}-{os.getpid()}'
    folder = _folder()
    _remove_old(folder)
    descriptor, path = tempfile.mkstemp('.log', f'{name}-', folder)
    os.close(descriptor)
    return Path(path)


def last_words(log: Path) -> str:
    """Return the last lines of a log on one line; empty where it says nothing."""
    try:
        with log.open('rb') as file:
            file.seek(max(log.stat().st_size - _TAIL_BYTES, 0))
            lines = file.read().decode('utf-8', 'replace').splitlines()
    except OSError:
        return ''
    return ' | '.join([' '.join(line.split()) for line in lines if line.strip()][-_TAIL_LINES:])


def _folder() -> Path:
    state = os.environ.get('XDG_STATE_HOME') or Path.home() / '.local' / 'state'
    folder = Path(state) / 'rtrack_ros'
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir())
    return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())


def _remove_old(folder: Path) -> None:
    logs = sorted(folder.glob('llamacpp-*.log'))
    for log in logs[:max(len(logs) - _KEPT + 1, 0)]:
        log.unlink(missing_ok=True)
