"""The tensors of a ``model.safetensors``, read one at a time."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import WEIGHTS_NAME
from rtrack_ros.foreign_text import parse_json, shown

_TYPES: Final = {'F16': np.float16, 'F32': np.float32}
_LENGTH_BYTES = 8
_MOST_HEADER_BYTES: Final = 100_000_000
"""As the format's own library has it."""


class Weights:
    """The tensors of a model folder by name; each lookup reads one tensor as float32.

    Args:
        folder: Model folder with ``model.safetensors``.

    Raises:
        EngineError: the file is missing or no such file.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / WEIGHTS_NAME
        try:
            with self._path.open('rb') as file:
                length = int.from_bytes(file.read(_LENGTH_BYTES), 'little')
                if length > _MOST_HEADER_BYTES:
                    raise ValueError(f'its header has {length} bytes')
                header = dict[str, Any](parse_json(file.read(length)))
        except FileNotFoundError as error:
            raise EngineError(f'{self._path} is missing; give a folder that rtrack train '
                              'wrote') from error
        except (OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise EngineError(f'{self._path} is not readable ({error}); give a folder that '
                              'rtrack train wrote') from error
        self._entries = {name: entry for name, entry in header.items() if name != '__metadata__'}
        self._start = _LENGTH_BYTES + length

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the tensors."""
        return iter(self._entries)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """Return a tensor.

        Raises:
            EngineError: there is none of this name, or it is of a type that is not read here.
        """
        if name not in self._entries:
            raise EngineError(f'{self._path} has no tensor {name}; give a folder that rtrack '
                              'train wrote')
        entry = self._entries[name]
        try:
            named, (begin, end) = entry['dtype'], entry['data_offsets']
            shape = tuple(_whole(side) for side in entry['shape'])
            begin, end, kind = _whole(begin), _whole(end), _TYPES.get(named)
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(f'{self._path}: {shown(name)} is described as {shown(str(entry))}; '
                              'copy the file again') from error
        if kind is None:
            raise EngineError(f'{self._path}: {shown(name)} is of type {shown(str(named), 20)}; '
                              f'save the model with one of {", ".join(_TYPES)}')
        size = math.prod(shape) * np.dtype(kind).itemsize
        if size != end - begin or self._start + end > self._path.stat().st_size:
            raise EngineError(f'{self._path}: {shown(name)} does not fill its place; copy the '
                              'file again')
        if not size:
            return np.zeros(shape, np.float32)
        content = np.memmap(self._path, kind, 'r', self._start + begin, shape or (1,))
        return np.asarray(content, np.float32)


def _whole(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError(f'{number!r} is no length')
    return number
