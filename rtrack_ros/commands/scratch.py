"""Folders for what a command needs while it runs: gone after it, unless it failed."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(purpose: str, recordings: Sequence[str] = ()) -> Iterator[Path]:
    """Give a new folder, and remove it after a good end and after Ctrl-C.

    After a failure its logs stay, because the message names them.

    Args:
        purpose: Part of its name.
        recordings: What in it is large, and removed even then.
    """
    folder = Path(tempfile.mkdtemp(prefix=f'rtrack-{purpose}-'))
    try:
        yield folder
    except Exception:
        for name in recordings:
            shutil.rmtree(folder / name, ignore_errors=True)
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
