"""Where to look closely: the part of the image in which a query's objects are known to be."""

from rtrack_ros.boxes import BoxArray, as_boxes
from rtrack_ros.frames import Region
from rtrack_ros.language.closeup import placed

_MARGIN = 0.5
"""Room on every side, as a share of the larger side of the boxes: an object may have moved further
than predicted, and a model reads an object better with its surroundings."""
_MIN_GAIN = 1.25
"""A smaller enlargement shows the model nothing new, and still hides new objects."""


def region_of_interest(boxes: BoxArray, image_size: tuple[int, int],
                       model_size: tuple[int, int]) -> Region | None:
    """Return the region in which a model sees ``boxes`` enlarged; None where that gains little.

    The region has the aspect ratio of the model's input, so that nothing is squeezed, and is never
    smaller than that input, so that every pixel of the camera is used and none is interpolated. It
    contains all boxes with a margin, cut at the edges of the image.

    Args:
        boxes: x1, y1, x2, y2 in pixels of the image, shape (N, 4).
        image_size: (width, height) of the image in pixels.
        model_size: (width, height) in pixels to which the model resizes what it is shown.
    """
    array = as_boxes(boxes)
    if not len(array):
        return None
    x1, y1 = (float(edge) for edge in array[:, :2].min(axis=0))
    x2, y2 = (float(edge) for edge in array[:, 2:].max(axis=0))
    room = 2 * _MARGIN * max(x2 - x1, y2 - y1)
    aspect = model_size[0] / model_size[1]
    width = max(x2 - x1 + room, (y2 - y1 + room) * aspect, float(model_size[0]))
    size = (round(width), round(width / aspect))
    if any(_MIN_GAIN * part > whole for part, whole in zip(size, image_size, strict=True)):
        return None
    left, top = (placed((low + high) / 2, part, whole) for low, high, part, whole in
                 zip((x1, y1), (x2, y2), size, image_size, strict=True))
    return (left, top, left + size[0], top + size[1])
