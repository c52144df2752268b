"""Pixels of ``sensor_msgs/Image`` messages by encoding, read without ROS and without cv_bridge.

Serves the node and the reader of bags alike: a message is anything with the fields of
``sensor_msgs/Image``. What a driver sends is not trusted: every size is checked before it is used,
and a wrong one becomes a ``ConversionError``.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8

Array = NDArray[Any]
_GREY_SHARE = 0.04
"""Mean difference of channels, over the highest count, up to which a picture is grey."""
MAX_SIDE = 16384
"""Largest image width or height believed, in pixels."""


class ConversionError(ValueError):
    """An image message cannot be read; the text names encoding, size and remedy."""


class Layout(NamedTuple):
    """How one encoding lays a pixel out in memory."""

    channels: int
    kind: str
    """NumPy type of one channel without its byte order, for example 'u2'."""


LAYOUTS = {
    'rgb8': Layout(3, 'u1'), 'bgr8': Layout(3, 'u1'), 'rgba8': Layout(4, 'u1'),
    'bgra8': Layout(4, 'u1'), 'mono8': Layout(1, 'u1'), '8UC1': Layout(1, 'u1'),
    '8UC3': Layout(3, 'u1'), '8UC4': Layout(4, 'u1'), 'mono16': Layout(1, 'u2'),
    '16UC1': Layout(1, 'u2'), '16SC1': Layout(1, 'i2'), '32SC1': Layout(1, 'i4'),
    '32FC1': Layout(1, 'f4'), '64FC1': Layout(1, 'f8'), 'rgb16': Layout(3, 'u2'),
    'bgr16': Layout(3, 'u2'), 'rgba16': Layout(4, 'u2'), 'bgra16': Layout(4, 'u2'),
    '16UC3': Layout(3, 'u2'), '16UC4': Layout(4, 'u2'),
}
# 8UC3 says nothing about the order of its channels; OpenCV users, who publish it, mean BGR.
_TO_RGB = {'bgr8': cv2.COLOR_BGR2RGB, '8UC3': cv2.COLOR_BGR2RGB, 'rgba8': cv2.COLOR_RGBA2RGB,
           'bgra8': cv2.COLOR_BGRA2RGB, '8UC4': cv2.COLOR_BGRA2RGB, 'mono8': cv2.COLOR_GRAY2RGB,
           '8UC1': cv2.COLOR_GRAY2RGB, 'rgb16': None, 'bgr16': cv2.COLOR_BGR2RGB,
           '16UC3': cv2.COLOR_BGR2RGB, 'rgba16': cv2.COLOR_RGBA2RGB,
           'bgra16': cv2.COLOR_BGRA2RGB, '16UC4': cv2.COLOR_BGRA2RGB, 'rgb8': None}
_TO_GREY = {'rgb': cv2.COLOR_RGB2GRAY, 'rgba': cv2.COLOR_RGBA2GRAY, 'bgra': cv2.COLOR_BGRA2GRAY}


def describe(message: Any) -> str:
    """Return encoding and sizes of a message in words, for errors."""
    return (f'encoding {message.encoding[:40]!r}, {message.width}x{message.height}, '
            f'step {message.step}, {len(octets(message.data))} bytes')


def octets(data: Any) -> NDArray[np.uint8]:
    """Return the bytes of a ``uint8[]`` field, whatever has the buffer protocol, uncopied.

    Raises:
        ConversionError: it is no buffer.
    """
    try:
        view = memoryview(data)
    except TypeError as error:
        raise ConversionError(f'the data of a message are of type {type(data).__name__}, which '
                              'is no buffer of bytes; please report it') from error
    return np.frombuffer(view if view.c_contiguous else view.tobytes(), np.uint8)


def array_from_image(message: Any) -> Array:
    """Return the pixels of an image message.

    Returns:
        Shape (H, W) for one channel, else (H, W, C), channels in the message's order, native byte
        order, as ``LAYOUTS`` says. May share memory with the message; do not write to it.

    Raises:
        ConversionError: unknown encoding, or sizes that contradict each other.
    """
    layout = LAYOUTS.get(message.encoding)
    if layout is None:
        raise ConversionError(f'{describe(message)}: not an encoding read here')
    kind = np.dtype(('>' if message.is_bigendian else '<') + layout.kind)
    row = message.width * layout.channels * kind.itemsize
    pixels = rows_of(message, row).view(kind).astype(kind.newbyteorder('='), copy=False)
    if layout.channels == 1:
        return pixels
    return pixels.reshape(message.height, message.width, layout.channels)


def check_sizes(message: Any, row: int) -> None:
    """Check the sizes of a message against each other.

    Args:
        message: The message.
        row: Bytes that a row takes.

    Raises:
        ConversionError: they contradict each other.
    """
    if not (0 < message.width <= MAX_SIDE and 0 < message.height <= MAX_SIDE):
        raise ConversionError(f'{describe(message)}: width and height must be 1 to {MAX_SIDE}; '
                              'check the camera driver')
    if message.step < row:
        raise ConversionError(f'{describe(message)}: a row of this encoding takes {row} bytes, '
                              'so step cannot be smaller; check the camera driver')
    if len(octets(message.data)) < message.step * message.height:
        raise ConversionError(f'{describe(message)}: step x height needs '
                              f'{message.step * message.height} bytes; the image was cut short, '
                              'check the camera driver and the transport')


def rows_of(message: Any, row: int) -> Image8:
    """Return the bytes of an image without the padding of its rows, shape (H, row).

    Raises:
        ConversionError: see ``check_sizes``.
    """
    check_sizes(message, row)
    flat = octets(message.data)[:message.step * message.height]
    return np.ascontiguousarray(flat.reshape(message.height, message.step)[:, :row])


def rgb_pixels(message: Any) -> Image8:
    """Return an RGB picture, uint8, shape (H, W, 3).

    Raises:
        ConversionError: the message does not hold an 8-bit picture of a known encoding.
    """
    pixels = array_from_image(message)
    if message.encoding not in _TO_RGB:
        raise ConversionError(f'{describe(message)}: the RGB camera must send pictures; is '
                              'the thermal camera remapped to rgb/image_raw?')
    code = _TO_RGB[message.encoding]
    pixels = eight_bits(pixels)
    return pixels if code is None else np.asarray(cv2.cvtColor(pixels, code), np.uint8)


def eight_bits(pixels: Array) -> Image8:
    """Return pixels of 16 bits as 8 bits: the encodings say that the whole range is used."""
    if pixels.dtype == np.uint8:
        return pixels
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=1.0 / 257.0), np.uint8)


class ThermalImage(NamedTuple):
    """One thermal image as the camera counts it.

    Attributes:
        counts: Shape (h, w), whole numbers or floating point, in the camera's own unit.
        palette: Whether it came in false colours, of which only the luminance is left.
    """

    counts: Array
    palette: bool


def thermal_pixels(message: Any) -> ThermalImage:
    """Return the counts of a thermal image; false colours are reduced to their luminance.

    Raises:
        ConversionError: the message cannot be read.
    """
    return luminance(array_from_image(message), message.encoding)


def luminance(pixels: Array, encoding: str) -> ThermalImage:
    """Return counts of pixels in channel order ``encoding``: (h, w) or (h, w, 3 or 4).

    Grey that was stored in three channels is no palette.

    Raises:
        ConversionError: the pixels are no picture.
    """
    if pixels.ndim == 2:
        return ThermalImage(pixels, palette=False)
    if pixels.dtype.kind != 'u' or pixels.shape[2] not in (3, 4):
        raise ConversionError(f'pixels of {pixels.shape[2]} x {pixels.dtype} cannot be read as '
                              'thermal; publish mono16 or mono8')
    # 8UC4 and 16UC4, like 8UC3, come from OpenCV's users.
    unnamed = 'bgra' if pixels.shape[2] == 4 else 'bgr'
    code = _TO_GREY.get(encoding.rstrip('0123456789'), _TO_GREY.get(unnamed, cv2.COLOR_BGR2GRAY))
    return ThermalImage(np.asarray(cv2.cvtColor(pixels, code)), _has_colours(pixels))


def _has_colours(pixels: Array) -> bool:
    """Whether channels differ by more than what compression leaves of grey."""
    some = pixels[::4, ::4, :3].astype(np.float32)
    apart = float((some.max(axis=2) - some.min(axis=2)).mean())
    return apart > _GREY_SHARE * np.iinfo(pixels.dtype).max
