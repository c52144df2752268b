"""Anti-aliased text on images: every string is drawn once and then copied."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rtrack_ros.frames import Image8
from rtrack_ros.palette import Colour


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=512)
def _coverage(text: str, size: int) -> NDArray[np.float32]:
    """Return how much of each pixel the text covers, 0 to 1, shape (h, w); h depends on size."""
    font = _font(size)
    left, _, right, _ = font.getbbox(text)
    sheet = Image.new('L', (max(int(right - left) + 2, 1), int(size * 1.35)))
    ImageDraw.Draw(sheet).text((1 - left, 0), text, fill=255, font=font)
    return np.asarray(sheet, np.float32) / 255.0


def text_width(text: str, size: int) -> int:
    """Return the width of a text in pixels."""
    return int(_coverage(text, size).shape[1])


def shown(text: str, size: int, width: int) -> str:
    """Return the text, cut with an ellipsis where it would be wider than ``width`` pixels."""
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_width(text[:middle].rstrip() + '\N{HORIZONTAL ELLIPSIS}', size) <= width
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low].rstrip() + '\N{HORIZONTAL ELLIPSIS}'


def put_text(image: Image8, text: str, left: int, top: int, size: int, colour: Colour) -> int:
    """Write a text into an image.

    Args:
        image: uint8 (h, w, 3), changed in place; what lies outside is cut off.
        text: One line.
        left: Column of the first letter.
        top: Row of the top of the letters' line.
        size: Height of the letters in pixels.
        colour: In the image's own channel order.

    Returns:
        The column behind the text.
    """
    if not text:
        return left
    cover = _coverage(text, size)
    x1, y1 = max(left, 0), max(top, 0)
    x2 = min(left + cover.shape[1], image.shape[1])
    y2 = min(top + cover.shape[0], image.shape[0])
    if x2 > x1 and y2 > y1:
        share = cover[y1 - top:y2 - top, x1 - left:x2 - left, None]
        patch = image[y1:y2, x1:x2]
        patch[:] = patch + share * (np.array(colour, np.float32) - patch) + 0.5
    return left + cover.shape[1]
