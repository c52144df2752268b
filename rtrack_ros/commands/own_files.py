"""No command overwrites what it reads: its options say which files are which."""

import argparse
from pathlib import Path
from typing import Final

from rtrack_ros.output_files import refuse_overwriting

_WRITTEN: Final = ('out', 'overlay', 'json', 'report', 'picture')
_READ: Final = ('recording', 'rgb', 'thermal', 'truth', 'tracks', 'params', 'detections',
                'detector', 'manifest', 'stamp_map', 'config', 'clips', 'set', 'data', 'model')


def check_own_files(args: argparse.Namespace) -> None:
    """Make sure that no file that a command writes is one that it reads.

    Args:
        args: Parsed options of any command.

    Raises:
        OutputError: one is.
    """
    outputs = {f'--{name}': path for name in _WRITTEN for path in _paths(args, name)}
    refuse_overwriting(outputs, [path for name in _READ for path in _paths(args, name)])


def _paths(args: argparse.Namespace, name: str) -> list[Path]:
    value = getattr(args, name, None)
    values = value if isinstance(value, list | tuple) else [value]
    # Names such as simulation, and URLs, are no files of this folder.
    return [Path(item) for item in values if isinstance(item, str | Path) and Path(item).exists()
            ] if name in _READ else [item for item in values if isinstance(item, Path)]
