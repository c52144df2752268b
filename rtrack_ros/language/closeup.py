"""Close views: the part of a frame pair that shows one object enlarged, and boxes within it."""

from math import hypot, sqrt
from typing import Final

from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Box

SEARCH_FACTOR: Final = 4.0
"""Root of the area of a search crop over that of the box (R1-Track, arXiv 2506.21980)."""
OBJECT_CROP_FACTOR: Final = 3.0
"""The same where the object itself is asked about: large, and with a little of what is around."""
MIN_SIDE: Final = 24.0
"""Pixels; a smaller window holds too little for any model to see."""
MIN_SHOWN: Final = 0.5
"""Share of an object's box that a window has to show for the object to count as seen in it."""


def window_around(box: Box, factor: float, image_size: tuple[int, int],
                  model_size: tuple[int, int]) -> Region:
    """Return the window about a box in whole pixels, within the image.

    It has ``factor`` squared times the area of the box and the aspect ratio of the model's input,
    so that nothing is squeezed. R1-Track pads a square crop with black beyond the image; here the
    window is moved inside, so that it shows as much of the image as it can.

    Args:
        box: x1, y1, x2, y2 in pixels; it may reach beyond the image.
        factor: Root of the window's area over the root of the box's.
        image_size: (width, height) of the image in pixels.
        model_size: (width, height) in pixels to which the model resizes what it is shown.
    """
    root = sqrt(max(box[2] - box[0], 1.0) * max(box[3] - box[1], 1.0))
    aspect = sqrt(model_size[0] / model_size[1])
    side = max(factor * root, MIN_SIDE)
    # An image smaller than the window cuts both sides alike: the aspect ratio stays.
    side = min(side, image_size[0] / aspect, image_size[1] * aspect)
    size = (round(side * aspect), round(side / aspect))
    left, top = (placed((box[axis] + box[axis + 2]) / 2, size[axis], image_size[axis])
                 for axis in (0, 1))
    return left, top, left + size[0], top + size[1]


def placed(centre: float, length: int, limit: int) -> int:
    """Return where a span of ``length`` about ``centre`` begins, moved to lie in [0, limit]."""
    return min(max(round(centre - length / 2), 0), limit - length)


def close_up(pair: FramePair, box: Box, factor: float, model_size: tuple[int, int]) -> FramePair:
    """Return the pair as seen through the window about ``box``; see ``window_around``.

    Args:
        pair: A whole frame pair.
        box: x1, y1, x2, y2 in pixels of its RGB image.
        factor: ``SEARCH_FACTOR`` or ``OBJECT_CROP_FACTOR``.
        model_size: (width, height) in pixels to which the model resizes what it is shown.

    Raises:
        ValueError: the pair is a crop already.
    """
    return pair.crop(window_around(box, factor, (pair.width, pair.height), model_size))


def within(box: Box, region: Box) -> Box:
    """Return a box of the whole image relative to a region of it, cut to the region; no scaling.

    Args:
        box: x1, y1, x2, y2.
        region: The same, in the same units.
    """
    left, top, right, bottom = region
    x1, x2 = (min(max(value, left), right) - left for value in (box[0], box[2]))
    y1, y2 = (min(max(value, top), bottom) - top for value in (box[1], box[3]))
    return x1, y1, x2, y2


def roots_between(box: Box, other: Box) -> float:
    """Return how far the centres of two boxes are apart, in roots of the area of the first."""
    x, y = (box[axis] + box[axis + 2] - other[axis] - other[axis + 2] for axis in (0, 1))
    return hypot(x, y) / 2 / sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1e-6))
