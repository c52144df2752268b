"""Pictures as a request carries them."""

import base64
from collections.abc import Callable, Sequence
from typing import Final

import cv2

from rtrack_ros.engines.base import EngineError
from rtrack_ros.frames import Image8

EXACT_PIXELS: Final = 320 * 256
"""Up to so many pixels PNG costs little; beyond, its encoding takes longer than small answers."""

DataUrl = Callable[[Image8], str]
"""Makes a data URL of an image."""

_BMP: Final = ('.bmp', (), 'image/bmp')
_PNG: Final = ('.png', (cv2.IMWRITE_PNG_COMPRESSION, 1), 'image/png')
# The usual halving of the colours (4:2:0) moves the boxes of small things, and loses some. OpenCV
# of Humble and Jazzy (4.5.4, 4.6) cannot be told to leave them: PNG is sent there, more slowly.
_JPEG: Final = ('.jpg', (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                         cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444), 'image/jpeg') if hasattr(
    cv2, 'IMWRITE_JPEG_SAMPLING_FACTOR') else _PNG


def data_url(image: Image8) -> str:
    """Return an image as a data URL: PNG where it is small, else JPEG (quality 95, 4:4:4).

    Args:
        image: uint8 (h, w, 3) RGB, at the size at which the model is to see it.

    Raises:
        EngineError: it cannot be encoded.
    """
    small = image.shape[0] * image.shape[1] <= EXACT_PIXELS
    return _encoded(image, *(_PNG if small else _JPEG))


def exact_data_url(image: Image8) -> str:
    """Return an image as a data URL of its very pixels, BMP.

    It takes no time to write and to read, and a lot of room: for a server on the same machine.
    llama.cpp reads it.

    Args:
        image: As for ``data_url``.

    Raises:
        EngineError: it cannot be encoded.
    """
    return _encoded(image, *_BMP)


def _encoded(image: Image8, extension: str, options: Sequence[int], media_type: str) -> str:
    done, encoded = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise EngineError(f'an image of {image.shape} could not be encoded as {extension[1:]}; '
                          'use another image_size')
    return f'data:{media_type};base64,{base64.b64encode(encoded.tobytes()).decode("ascii")}'
