"""Tensors as a GGUF file holds them."""

from typing import Final

import gguf
import numpy as np
from numpy.typing import NDArray

_Q8_BLOCK: Final = 32
"""Weights that share one scale in Q8_0, of one row."""


def add_tensor(writer: 'gguf.GGUFWriter', name: str, tensor: NDArray[np.float32],
               precision: str) -> None:
    """Add a tensor at a precision.

    Vectors (norms, biases) stay float32: they are few, and llama.cpp computes with them as such.

    Args:
        writer: Takes it.
        name: Its name in the file.
        tensor: The weights.
        precision: 'f16' or 'q8_0'. Rows that do not divide into the blocks of Q8_0 are written
            as f16.
    """
    if tensor.ndim < 2:
        writer.add_tensor(name, np.ascontiguousarray(tensor))
    elif precision == 'q8_0' and tensor.shape[-1] % _Q8_BLOCK == 0:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(tensor), kind),
                          raw_dtype=kind)
    else:
        writer.add_tensor(name, np.ascontiguousarray(tensor, np.float16))


def finish(writer: 'gguf.GGUFWriter') -> None:
    """Write all that was added and close the file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
