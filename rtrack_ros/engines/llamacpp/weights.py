"""The tensors of a ``model.safetensors``, read one at a time."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import WEIGHTS_NAME

_TYPES: Final = {'F16': np.float16, 'F32': np.float32}
_LENGTH_BYTES = 8


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
                header = dict[str, Any](json.loads(file.read(length)))
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
        if entry['dtype'] not in _TYPES:
            raise EngineError(f'{self._path}: {name} is of type {entry["dtype"]}; save the model '
                              f'with one of {", ".join(_TYPES)}')
        content = np.memmap(self._path, _TYPES[entry['dtype']], 'r',
                            self._start + entry['data_offsets'][0], tuple(entry['shape']) or (1,))
        if math.prod(entry['shape']) * content.itemsize != (entry['data_offsets'][1]
                                                           - entry['data_offsets'][0]):
            raise EngineError(f'{self._path}: {name} does not fill its place; copy the file again')
        return np.asarray(content, np.float32)
