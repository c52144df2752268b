"""Pixels and stamps of camera messages, plain and compressed, read without ROS.

A message is anything with the fields of ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``:
what rclpy delivers and what a reader of bags returns are read by the same lines.
"""

from typing import Any

import cv2
import numpy as np

from rtrack_ros.frames import Image8
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
from rtrack_ros.intake.sensor_formats import FORMATS, rgb_of, thermal_of

RGB_REMEDY = 'let the driver of the RGB camera publish rgb8, or its compressed images'
THERMAL_REMEDY = ('let the driver of the thermal camera publish mono16 or mono8; is the RGB '
                  'camera remapped to thermal/image_raw?')


def stamp_of(message: Any) -> int:
    """Return the header stamp in nanoseconds; 0 where the driver set none."""
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def is_compressed(message: Any) -> bool:
    """Whether it is a ``CompressedImage``: an ``Image`` names an encoding, that one a format."""
    return not hasattr(message, 'encoding')


def rgb_from_message(message: Any) -> Image8:
    """Return an RGB image, uint8, shape (H, W, 3), of a message plain or compressed.

    Raises:
        ConversionError: the message cannot be read as an 8-bit picture.
    """
    if is_compressed(message):
        return np.asarray(cv2.cvtColor(_decompress(message, cv2.IMREAD_COLOR),
                                       cv2.COLOR_BGR2RGB), np.uint8)
    _check_encoding(message, RGB_REMEDY)
    return rgb_of(message) if message.encoding.lower() in FORMATS else rgb_pixels(message)


def thermal_from_message(message: Any) -> ThermalImage:
    """Return the counts of a thermal image; false colours are reduced to their luminance.

    Args:
        message: Plain or compressed.

    Raises:
        ConversionError: the message cannot be read.
    """
    if is_compressed(message):
        pixels = _decompress(message, cv2.IMREAD_UNCHANGED)
        return luminance(pixels, 'bgra8' if pixels.shape[2:] == (4,) else 'bgr8')
    _check_encoding(message, THERMAL_REMEDY)
    return thermal_of(message) if message.encoding.lower() in FORMATS else thermal_pixels(message)


def _check_encoding(message: Any, remedy: str) -> None:
    if message.encoding not in LAYOUTS and message.encoding.lower() not in FORMATS:
        raise ConversionError(f'{describe(message)}: this encoding is not read; {remedy}')


def decode_image(data: Any, flags: int, where: str) -> Array:
    """Return the pixels of an image file in memory, as OpenCV decodes it.

    Args:
        data: The file, anything with the buffer protocol.
        flags: Of ``cv2.imdecode``.
        where: What it is, for errors.

    Raises:
        ConversionError: it is empty or damaged.
    """
    content = octets(data)
    if not len(content):
        raise ConversionError(f'{where}: it is empty')
    try:
        pixels = cv2.imdecode(content, flags)
    except cv2.error as error:
        raise ConversionError(f'{where}: OpenCV cannot decode it ({error.err})') from error
    if pixels is None:
        raise ConversionError(f'{where}: OpenCV cannot decode it; it is damaged, or neither jpeg '
                              'nor png')
    return np.asarray(pixels)


def _decompress(message: Any, flags: int) -> Array:
    where = (f'compressed image, format {message.format[:40]!r}, '
             f'{len(octets(message.data))} bytes')
    return decode_image(message.data, flags, where)
