"""Images as image sensors and video chips have them: YUV with shared colour, Bayer patterns.

Drivers that leave the conversion to others publish them: USB cameras YUV 4:2:2, hardware decoders
NV12, industrial cameras a Bayer pattern. The layouts are those of ``sensor_msgs`` and of the
four-character codes of video; colours are those of ITU-R BT.601, as OpenCV converts them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np

from rtrack_ros.frames import Image8
from rtrack_ros.intake.encodings import (
    Array,
    ConversionError,
    ThermalImage,
    check_sizes,
    describe,
    eight_bits,
    octets,
    rows_of,
)

_GREY_CHROMA = 8.0
"""A mean distance from grey below this is the noise of a picture without colours."""


class Planes(NamedTuple):
    """A YUV picture: brightness of every pixel, colour as OpenCV's conversion takes it.

    Attributes:
        brightness: Y, uint8 (H, W).
        chroma: U and V in any order and shape, uint8.
        packed: What ``code`` converts.
        code: OpenCV's conversion of ``packed`` to RGB.
    """

    brightness: Image8
    chroma: Image8
    packed: Image8
    code: int


def _interleaved(code: int, first: int) -> Callable[[Any], Planes]:
    """Return the reader of YUV 4:2:2, two bytes a pixel, brightness in byte ``first``."""
    def read(message: Any) -> Planes:
        _check_even(message, rows=1)
        packed = rows_of(message, 2 * message.width).reshape(message.height, message.width, 2)
        return Planes(packed[..., first], packed[..., 1 - first], packed, code)
    return read


def _planar(code: int, semi: bool) -> Callable[[Any], Planes]:
    """Return the reader of YUV 4:2:0: a plane of Y, then UV in turn (``semi``) or one by one."""
    def read(message: Any) -> Planes:
        _check_even(message, rows=2)
        width, height, stride = message.width, message.height, _stride(message)
        flat = octets(message.data)[:stride * height * 3 // 2]
        brightness = flat[:stride * height].reshape(height, stride)[:, :width]
        rest = flat[stride * height:]
        # A padded row of one colour plane is half as long as that of the brightness.
        rows = rest.reshape(height // 2, stride) if semi else rest.reshape(height, stride // 2)
        chroma = np.ascontiguousarray(rows[:, :width if semi else width // 2])
        packed = np.concatenate([brightness, chroma.reshape(height // 2, width)])
        return Planes(packed[:height], chroma, packed, code)
    return read


_YUYV, _UYVY = _interleaved(cv2.COLOR_YUV2RGB_YUY2, 0), _interleaved(cv2.COLOR_YUV2RGB_UYVY, 1)
_YUV = {
    'yuyv': _YUYV, 'yuv422_yuy2': _YUYV, 'yuy2': _YUYV, 'uyvy': _UYVY, 'yuv422': _UYVY,
    'nv12': _planar(cv2.COLOR_YUV2RGB_NV12, True), 'nv21': _planar(cv2.COLOR_YUV2RGB_NV21, True),
    'i420': _planar(cv2.COLOR_YUV2RGB_I420, False), 'yv12': _planar(cv2.COLOR_YUV2RGB_YV12, False),
}
# OpenCV names a pattern by the second and third pixel of its second row.
_BAYER = {'rggb': cv2.COLOR_BayerBG2RGB, 'bggr': cv2.COLOR_BayerRG2RGB,
          'gbrg': cv2.COLOR_BayerGR2RGB, 'grbg': cv2.COLOR_BayerGB2RGB}
FORMATS = (*_YUV, *(f'bayer_{pattern}{bits}' for pattern in _BAYER for bits in (8, 16)))
"""Encodings that are read here, in small letters; drivers write NV12 and nv12."""


def rgb_of(message: Any) -> Image8:
    """Return an RGB picture, uint8 (H, W, 3), of an encoding in ``FORMATS``.

    Raises:
        ConversionError: its sizes do not fit the encoding.
    """
    encoding = message.encoding.lower()
    if encoding in _YUV:
        planes = _YUV[encoding](message)
        return np.asarray(cv2.cvtColor(planes.packed, planes.code), np.uint8)
    colours = cv2.cvtColor(_mosaic(message, encoding), _BAYER[encoding[6:10]])
    return eight_bits(np.asarray(colours))


def thermal_of(message: Any) -> ThermalImage:
    """Return the brightness of a thermal picture of an encoding in ``FORMATS``.

    Raises:
        ConversionError: its sizes do not fit the encoding, or it is a Bayer pattern.
    """
    if message.encoding.lower() not in _YUV:
        raise ConversionError(f'{describe(message)}: a thermal sensor has no Bayer pattern; is '
                              'the RGB camera remapped to thermal/image_raw?')
    planes = _YUV[message.encoding.lower()](message)
    away_from_grey = float(np.abs(planes.chroma.astype(np.int16) - 128).mean())
    return ThermalImage(np.ascontiguousarray(planes.brightness), away_from_grey > _GREY_CHROMA)


def _mosaic(message: Any, encoding: str) -> Array:
    """Return the pattern, uint8 or uint16 (H, W)."""
    if message.width < 3 or message.height < 3:
        raise ConversionError(f'{describe(message)}: a Bayer picture has at least 3x3 pixels; '
                              'check the camera driver')
    if encoding.endswith('8'):
        return rows_of(message, message.width)
    kind = np.dtype('>u2' if message.is_bigendian else '<u2')
    return rows_of(message, 2 * message.width).view(kind).astype(np.uint16, copy=False)


def _check_even(message: Any, rows: int) -> None:
    if message.width % 2 or message.height % rows:
        raise ConversionError(f'{describe(message)}: pixels share their colour in twos, so width '
                              'and, for 4:2:0, height must be even; check the camera driver')


def _stride(message: Any) -> int:
    """Return the bytes of a row of brightness; the planes together hold height x 3/2 of them."""
    size = len(octets(message.data))
    check_sizes(message, message.width)
    if size >= message.step * message.height * 3 // 2 and message.step % 2 == 0:
        return int(message.step)
    # Some drivers give the bytes of a row over all planes.
    if message.step == message.width * 3 // 2:
        return int(message.width)
    raise ConversionError(f'{describe(message)}: step x height x 3/2 needs '
                          f'{message.step * message.height * 3 // 2} bytes in rows of even '
                          'length; check the camera driver and the transport')
