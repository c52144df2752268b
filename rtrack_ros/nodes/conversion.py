"""ROS messages to arrays and back, without cv_bridge.

cv_bridge fails under NumPy 2 for everything but 'passthrough', so the encodings that cameras
publish are read here, honouring ``step`` and ``is_bigendian``. What a driver sends is not trusted:
every size is checked before it is used, and a wrong one becomes a ``ConversionError``.
"""

import array
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from rtrack_ros.frames import Image8
from rtrack_ros.tracking.track import Track

Array = NDArray[Any]
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
    '8UC3': Layout(3, 'u1'), 'mono16': Layout(1, 'u2'), '16UC1': Layout(1, 'u2'),
    '32FC1': Layout(1, 'f4'),
}
# 8UC3 says nothing about the order of its channels; OpenCV users, who publish it, mean BGR.
_TO_RGB = {'bgr8': cv2.COLOR_BGR2RGB, '8UC3': cv2.COLOR_BGR2RGB, 'rgba8': cv2.COLOR_RGBA2RGB,
           'bgra8': cv2.COLOR_BGRA2RGB, 'mono8': cv2.COLOR_GRAY2RGB, '8UC1': cv2.COLOR_GRAY2RGB}


def _describe(message: Image) -> str:
    return (f'encoding {message.encoding[:40]!r}, {message.width}x{message.height}, '
            f'step {message.step}, {len(message.data)} bytes')


def array_from_image(message: Image) -> Array:
    """Return the pixels of an image message.

    Returns:
        Shape (H, W) for one channel, else (H, W, C), channels in the message's order, native byte
        order, uint8, uint16 or float32. May share memory with the message; do not write to it.

    Raises:
        ConversionError: unknown encoding, or sizes that contradict each other.
    """
    layout = LAYOUTS.get(message.encoding)
    if layout is None:
        raise ConversionError(f'{_describe(message)}: not an encoding read here; let the driver '
                              f'publish one of {", ".join(LAYOUTS)}')
    kind = np.dtype(('>' if message.is_bigendian else '<') + layout.kind)
    row = message.width * layout.channels * kind.itemsize
    _check_sizes(message, row)
    flat = np.frombuffer(message.data, np.uint8, count=message.step * message.height)
    rows = np.ascontiguousarray(flat.reshape(message.height, message.step)[:, :row])
    pixels = rows.view(kind).astype(kind.newbyteorder('='), copy=False)
    if layout.channels == 1:
        return pixels
    return pixels.reshape(message.height, message.width, layout.channels)


def _check_sizes(message: Image, row: int) -> None:
    if not (0 < message.width <= MAX_SIDE and 0 < message.height <= MAX_SIDE):
        raise ConversionError(f'{_describe(message)}: width and height must be 1 to {MAX_SIDE}; '
                              'check the camera driver')
    if message.step < row:
        raise ConversionError(f'{_describe(message)}: a row of this encoding takes {row} bytes, '
                              'so step cannot be smaller; check the camera driver')
    if len(message.data) < message.step * message.height:
        raise ConversionError(f'{_describe(message)}: step x height needs '
                              f'{message.step * message.height} bytes; the image was cut short, '
                              'check the camera driver and the transport')


def _through_cv_bridge(message: Image, wanted: str) -> Array:
    """Convert Bayer, YUV and the like, where cv_bridge is installed and works."""
    try:
        # Under NumPy 2 cv_bridge raises other things than ImportError when it is imported.
        from cv_bridge import CvBridge
        return np.asarray(CvBridge().imgmsg_to_cv2(message, wanted))
    except ImportError as error:
        raise ConversionError(
            f'{_describe(message)}: this encoding needs cv_bridge, which is not installed; '
            'install ros-$ROS_DISTRO-cv-bridge, or let the driver publish rgb8') from error
    except Exception as error:
        raise ConversionError(f'{_describe(message)}: cv_bridge could not convert it ({error}); '
                              'let the driver publish rgb8') from error


def rgb_from_message(message: Image | CompressedImage) -> Image8:
    """Return an RGB image, uint8, shape (H, W, 3).

    Raises:
        ConversionError: the message cannot be read as an 8-bit picture.
    """
    if isinstance(message, CompressedImage):
        return np.asarray(cv2.cvtColor(_decompress(message, cv2.IMREAD_COLOR),
                                       cv2.COLOR_BGR2RGB), np.uint8)
    if message.encoding not in LAYOUTS:
        return np.asarray(_through_cv_bridge(message, 'rgb8'), np.uint8)
    if LAYOUTS[message.encoding].kind != 'u1':
        raise ConversionError(f'{_describe(message)}: the RGB camera must send 8-bit pictures; is '
                              'the thermal camera remapped to rgb/image_raw?')
    pixels = array_from_image(message)
    code = _TO_RGB.get(message.encoding)
    return pixels if code is None else np.asarray(cv2.cvtColor(pixels, code), np.uint8)


class ThermalImage(NamedTuple):
    """One thermal image as the camera counts it.

    Attributes:
        counts: Shape (h, w), uint8, uint16 or float32 in the camera's own unit.
        palette: Whether it came in false colours, of which only the luminance is left.
    """

    counts: Array
    palette: bool


def thermal_from_message(message: Image | CompressedImage) -> ThermalImage:
    """Return the counts of a thermal image; false colours are reduced to their luminance.

    Raises:
        ConversionError: the message cannot be read.
    """
    if isinstance(message, CompressedImage):
        pixels = _decompress(message, cv2.IMREAD_UNCHANGED)
        return _luminance(pixels, 'bgra8' if pixels.shape[2:] == (4,) else 'bgr8')
    if message.encoding not in LAYOUTS:
        return ThermalImage(np.asarray(_through_cv_bridge(message, 'mono8')), palette=True)
    return _luminance(array_from_image(message), message.encoding)


def _luminance(pixels: Array, encoding: str) -> ThermalImage:
    if pixels.ndim == 2:
        return ThermalImage(pixels, palette=False)
    if pixels.dtype != np.uint8:
        raise ConversionError(f'a colour image of {pixels.dtype} cannot be read as thermal; '
                              'publish mono16 or mono8')
    code = {'rgb8': cv2.COLOR_RGB2GRAY, 'rgba8': cv2.COLOR_RGBA2GRAY,
            'bgra8': cv2.COLOR_BGRA2GRAY}.get(encoding, cv2.COLOR_BGR2GRAY)
    return ThermalImage(np.asarray(cv2.cvtColor(pixels, code)), palette=True)


def _decompress(message: CompressedImage, flags: int) -> Array:
    where = f'compressed image, format {message.format[:40]!r}, {len(message.data)} bytes'
    if not message.data:
        raise ConversionError(f'{where}: it is empty; check the camera driver')
    try:
        pixels = cv2.imdecode(np.frombuffer(message.data, np.uint8), flags)
    except cv2.error as error:
        raise ConversionError(f'{where}: OpenCV cannot decode it ({error.err})') from error
    if pixels is None:
        raise ConversionError(f'{where}: OpenCV cannot decode it; publish jpeg or png')
    return np.asarray(pixels)


def image_message(pixels: Array, encoding: str, header: Header) -> Image:
    """Return an image message of an array.

    Args:
        pixels: Shape (H, W) or (H, W, C) of the encoding's type.
        encoding: One of ``LAYOUTS``.
        header: Taken over unchanged.

    Raises:
        ConversionError: the array does not have the encoding's shape or type.
    """
    layout = LAYOUTS.get(encoding)
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if (layout is None or pixels.ndim not in (2, 3) or channels != layout.channels
            or pixels.dtype.str[1:] != layout.kind):
        raise ConversionError(f'an array of {pixels.dtype} {pixels.shape} is not {encoding}')
    message = Image(header=header, encoding=encoding, height=pixels.shape[0],
                    width=pixels.shape[1], is_bigendian=int(pixels.dtype.str[0] == '>'),
                    step=pixels.shape[1] * channels * pixels.dtype.itemsize)
    # The only form that is quick on every distribution: bytes and ndarrays are checked or copied
    # element by element, which takes 130 ms for a 720p picture.
    message.data = array.array('B', pixels.tobytes())
    return message


def detections_message(tracks: Iterable[Track], header: Header,
                       phrases: Mapping[str, str]) -> Detection2DArray:
    """Return the tracks as detections under the RGB image's own header.

    Args:
        tracks: What to publish, boxes in pixels of the original RGB image.
        header: Header of the RGB image, for the array and for each detection.
        phrases: Sentence of each query by its id; it becomes the ``class_id``.
    """
    message = Detection2DArray(header=header)
    message.detections = [_detection(track, header, phrases.get(track.query_id, track.label))
                          for track in tracks if all(map(math.isfinite, track.box))]
    return message


def _detection(track: Track, header: Header, phrase: str) -> Detection2D:
    left, top, right, bottom = track.box
    detection = Detection2D(header=header, id=str(track.id))
    detection.bbox.center.position.x = float(left + right) / 2.0
    detection.bbox.center.position.y = float(top + bottom) / 2.0
    detection.bbox.size_x = float(right - left)
    detection.bbox.size_y = float(bottom - top)
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id = phrase
    result.hypothesis.score = min(max(float(track.score), 0.0), 1.0)
    result.pose.pose.orientation.w = 1.0
    detection.results = [result]
    return detection
