"""Pixels of recorded ``sensor_msgs/Image`` messages, read without ROS."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.data.pairs import DataError
from rtrack_ros.frames import Image8

_LAYOUT = {
    'rgb8': ('u1', 3), 'bgr8': ('u1', 3), '8UC3': ('u1', 3), 'rgba8': ('u1', 4),
    'bgra8': ('u1', 4), 'mono8': ('u1', 1), '8UC1': ('u1', 1), 'mono16': ('u2', 1),
    '16UC1': ('u2', 1), '32FC1': ('f4', 1),
}
_TO_RGB = {'bgr8': cv2.COLOR_BGR2RGB, '8UC3': cv2.COLOR_BGR2RGB, 'rgba8': cv2.COLOR_RGBA2RGB,
           'bgra8': cv2.COLOR_BGRA2RGB, 'mono8': cv2.COLOR_GRAY2RGB, '8UC1': cv2.COLOR_GRAY2RGB}


def pixels(message: Any) -> NDArray[np.generic]:
    """Return the pixels as stored, shape (h, w) or (h, w, channels), native byte order.

    Args:
        message: Anything with the fields of ``sensor_msgs/Image``.

    Raises:
        DataError: the encoding is unknown or the data are too short.
    """
    if message.encoding not in _LAYOUT:
        raise DataError(f"images of encoding '{message.encoding}' cannot be read from a bag; "
                        f'record one of {", ".join(_LAYOUT)}')
    kind, channels = _LAYOUT[message.encoding]
    dtype = np.dtype(('>' if message.is_bigendian else '<') + kind)
    height, width, step = int(message.height), int(message.width), int(message.step)
    data = np.frombuffer(message.data, np.uint8)
    used = width * channels * dtype.itemsize
    if min(height, width) < 1 or step < used or data.size < step * height:
        raise DataError(f'an image of {width}x{height} {message.encoding} with step {step} needs '
                        f'{max(step, used) * height} bytes; the message has {data.size}')
    rows = data[:step * height].reshape(height, step)[:, :used]
    image = np.ascontiguousarray(rows).view(dtype).astype(dtype.newbyteorder('='), copy=False)
    return image if channels == 1 else image.reshape(height, width, channels)


def rgb_pixels(message: Any) -> Image8:
    """Return an RGB image, uint8 (h, w, 3).

    Raises:
        DataError: the encoding has no 8-bit picture in it.
    """
    image = pixels(message)
    if image.dtype != np.uint8:
        raise DataError(f"the RGB topic carries '{message.encoding}'; choose the topic of the "
                        'colour camera')
    code = _TO_RGB.get(message.encoding)
    return np.asarray(image if code is None else cv2.cvtColor(image, code), np.uint8)


def thermal_pixels(message: Any) -> NDArray[np.generic]:
    """Return a thermal image as stored, (h, w); a colour palette becomes its luminance."""
    image = pixels(message)
    if image.ndim == 2:
        return image
    rgb = rgb_pixels(message)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
