"""The transport ``compressedDepth`` of image_transport: a PNG behind a header of its own.

It is the transport that keeps 16 bits, so thermal cameras use it too. Counts of 16UC1 are in the
PNG as they are. Floating point was turned into a quantised inverse: ``a / value + b``, with a and
b in the header.

Source: ``compressed_depth_image_transport`` of ros-perception/image_transport_plugins (BSD).
"""

import struct
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from rtrack_ros.intake.encodings import Array, ConversionError, octets
from rtrack_ros.intake.transports import COMPRESSED_DEPTH

_HEADER: Final = struct.Struct('<iff')


def is_compressed_depth(message: Any) -> bool:
    """Whether a ``CompressedImage`` is of this transport."""
    return COMPRESSED_DEPTH in message.format


def depth_counts(message: Any, decode: Callable[[Any, str], Array]) -> Array:
    """Return the counts, (h, w): uint16, or float32 with NaN where there is no value.

    Args:
        message: Of this transport.
        decode: Returns the pixels of a PNG file, named in errors as given.

    Raises:
        ConversionError: it is damaged, or of a kind that is not read.
    """
    content = octets(message.data)
    where = f'compressed image of the transport {COMPRESSED_DEPTH}, {len(content)} bytes'
    if 'rvl' in message.format.lower():
        raise ConversionError(f'{where}: RVL is not read; set the format of its publisher to png')
    if len(content) <= _HEADER.size:
        raise ConversionError(f'{where}: it is empty')
    pixels = decode(content[_HEADER.size:], where)
    if not message.format.startswith('32FC1'):
        return pixels
    _, a, b = _HEADER.unpack(content[:_HEADER.size].tobytes())
    known = pixels > 0
    with np.errstate(divide='ignore', invalid='ignore'):
        values = np.float32(a) / (pixels.astype(np.float32) - np.float32(b))
    return np.where(known, values, np.float32('nan')).astype(np.float32)
