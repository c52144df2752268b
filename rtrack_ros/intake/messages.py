"""Pixels and stamps of camera messages, plain and compressed, read without ROS.

A message is anything with the fields of ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``:
what rclpy delivers and what a reader of bags returns are read by the same lines.
"""

from typing import Any, Final

import cv2
import numpy as np

from rtrack_ros.foreign_text import shown
from rtrack_ros.frames import Image8
from rtrack_ros.intake.compressed_depth import depth_counts, is_compressed_depth
from rtrack_ros.intake.encodings import (
    LAYOUTS,
    Array,
    ConversionError,
    ThermalImage,
    describe,
    luminance,
    octets,
    rgb_pixels,
    thermal_pixels,
)
from rtrack_ros.intake.image_header import HeaderError, image_size
from rtrack_ros.intake.sensor_formats import FORMATS, rgb_of, thermal_of
from rtrack_ros.limits import Limits

DEFAULT_MPX: Final = Limits().image_mpx
MAX_FRAME_ID: Final = 255
# OpenCV writes a line for every odd tag of a TIFF, thousands for one image: errors are raised.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

RGB_REMEDY = 'let the driver of the RGB camera publish rgb8, or its compressed images'
THERMAL_REMEDY = ('let the driver of the thermal camera publish mono16 or mono8; is the RGB '
                  'camera remapped to thermal/image_raw?')


def stamp_of(message: Any) -> int:
    """Return the header stamp in nanoseconds; 0 where the driver set none."""
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def _check_frame(message: Any) -> None:
    """Refuse a header that would be copied into every array that is published.

    Raises:
        ConversionError: its frame_id is too long.
    """
    length = len(message.header.frame_id) if hasattr(message, 'header') else 0
    if length > MAX_FRAME_ID:
        raise ConversionError(f'its frame_id has {length} characters, and at most {MAX_FRAME_ID} '
                              'are published; check the camera driver')


def is_compressed(message: Any) -> bool:
    """Whether it is a ``CompressedImage``: an ``Image`` names an encoding, that one a format."""
    return not hasattr(message, 'encoding')


def rgb_from_message(message: Any, limit_mpx: float = DEFAULT_MPX) -> Image8:
    """Return an RGB image, uint8, shape (H, W, 3).

    Args:
        message: Plain or compressed.
        limit_mpx: Most pixels of a compressed one, in millions.

    Raises:
        ConversionError: the message cannot be read as an 8-bit picture.
    """
    _check_frame(message)
    if is_compressed(message):
        return np.asarray(cv2.cvtColor(_decompress(message, cv2.IMREAD_COLOR, limit_mpx),
                                       cv2.COLOR_BGR2RGB), np.uint8)
    _check_encoding(message, RGB_REMEDY)
    return rgb_of(message) if message.encoding.lower() in FORMATS else rgb_pixels(message)


def thermal_from_message(message: Any, limit_mpx: float = DEFAULT_MPX) -> ThermalImage:
    """Return the counts of a thermal image; false colours are reduced to their luminance.

    Args:
        message: Plain or compressed.
        limit_mpx: Most pixels of a compressed one, in millions.

    Raises:
        ConversionError: the message cannot be read.
    """
    _check_frame(message)
    if is_compressed(message) and is_compressed_depth(message):
        return ThermalImage(depth_counts(message, lambda data, where: decode_image(
            data, cv2.IMREAD_UNCHANGED, where, limit_mpx)), palette=False)
    if is_compressed(message):
        pixels = _decompress(message, cv2.IMREAD_UNCHANGED, limit_mpx)
        return luminance(pixels, 'bgra8' if pixels.shape[2:] == (4,) else 'bgr8')
    _check_encoding(message, THERMAL_REMEDY)
    return thermal_of(message) if message.encoding.lower() in FORMATS else thermal_pixels(message)


def _check_encoding(message: Any, remedy: str) -> None:
    if message.encoding not in LAYOUTS and message.encoding.lower() not in FORMATS:
        raise ConversionError(f'{describe(message)}: this encoding is not read; {remedy}')


def decode_image(data: Any, flags: int, where: str, limit_mpx: float = DEFAULT_MPX) -> Array:
    """Return the pixels of an image file in memory, as OpenCV decodes it.

    Every compressed image comes this way, from a camera or a file. Its header is read first.

    Args:
        data: The file, anything with the buffer protocol.
        flags: Of ``cv2.imdecode``.
        where: What it is, for errors.
        limit_mpx: Most pixels, in millions.

    Raises:
        ConversionError: it is empty, damaged, too large or of a kind that is not read.
    """
    content = octets(data)
    if not len(content):
        raise ConversionError(f'{where}: it is empty')
    _check_header(content.tobytes(), where, limit_mpx)
    try:
        pixels = cv2.imdecode(content, flags)
    except cv2.error as error:
        raise ConversionError(f'{where}: OpenCV cannot decode it ({error.err})') from error
    if pixels is None:
        raise ConversionError(f'{where}: OpenCV cannot decode it; it is damaged')
    return np.asarray(pixels)


def _check_header(data: bytes, where: str, limit_mpx: float) -> None:
    try:
        width, height = image_size(data)
    except HeaderError as error:
        raise ConversionError(f'{where}: it is damaged or of a kind that is not read ({error}); '
                              'send jpeg or png') from error
    if width * height > limit_mpx * 1e6:
        raise ConversionError(f'{where}: its header says {width}x{height} pixels, and at most '
                              f'{limit_mpx:g} million are decoded (limits.image_mpx); make it '
                              'smaller')


def _decompress(message: Any, flags: int, limit_mpx: float) -> Array:
    where = (f'compressed image, format {shown(message.format, 40)!r}, '
             f'{len(octets(message.data))} bytes')
    return decode_image(message.data, flags, where, limit_mpx)
