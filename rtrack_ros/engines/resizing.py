"""The one way in which images reach a model's input size, in training and in every engine."""

import cv2
import numpy as np

from rtrack_ros.frames import Image8


def resize_image(image: Image8, size: tuple[int, int]) -> Image8:
    """Return ``image`` at ``size``, aspect ratio not kept, so that no runtime resizes it again.

    Shrinking averages the pixels it merges, as small far objects would otherwise flicker.

    Args:
        image: uint8, shape (h, w, 3) or (h, w).
        size: (width, height) in pixels.
    """
    height, width = image.shape[:2]
    if (width, height) == size:
        return np.ascontiguousarray(image)
    shrinks = size[0] <= width and size[1] <= height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
