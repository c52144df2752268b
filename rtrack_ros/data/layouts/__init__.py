"""Readers of public data sets, one module each; all return ``data.annotated`` sequences."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.pairs import DataError

LAYOUTS = ('refrt', 'lasher', 'vtuav', 'refer-kitti', 'got10k', 'rgbt-mot')
"""Names of the layouts; a module of this folder each, '-' as '_'."""

Reader = Callable[[Path], list[AnnotatedSequence]]


def read_layout(name: str, root: Path | str) -> list[AnnotatedSequence]:
    """Return the sequences of a data set.

    Args:
        name: One of ``LAYOUTS``.
        root: Its folder.

    Raises:
        DataError: the layout is unknown, or the folder is not in it.
    """
    if name not in LAYOUTS:
        raise DataError(f"no reader is called '{name}'; choose from {', '.join(LAYOUTS)}")
    if not Path(root).is_dir():
        raise DataError(f'there is no folder {root}; name the one that holds the data set')
    reader: Reader = import_module(f'{__name__}.{name.replace("-", "_")}').read
    return reader(Path(root))
