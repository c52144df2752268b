"""Image pyramid: an image and its halves, on which optical flow goes from coarse to fine."""

import ctypes
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np

from rtrack_ros.frames import Image8

LEVELS: Final = 4
"""Levels of a pyramid, the full image included."""


class CoreImage(ctypes.Structure):
    """``rtrack::Image`` of the compiled core."""

    _fields_ = [('pixels', ctypes.c_void_p), ('width', ctypes.c_int32),
                ('height', ctypes.c_int32), ('stride', ctypes.c_int32)]


class Pyramid:
    """An image and its halves, made when they are first asked for and kept with the image.

    Args:
        image: uint8 (h, w).

    Attributes:
        image: The same.
    """

    def __init__(self, image: Image8) -> None:
        self.image = np.ascontiguousarray(image)

    @cached_property
    def levels(self) -> list[Image8]:
        """The image and its halves, from fine to coarse."""
        levels = [self.image]
        while len(levels) < LEVELS:
            levels.append(cv2.pyrDown(levels[-1]).astype(np.uint8, copy=False))
        return levels

    @cached_property
    def for_core(self) -> Any:
        """The levels as the compiled core takes them."""
        return (CoreImage * LEVELS)(*map(level_for_core, self.levels))


def level_for_core(image: Image8) -> CoreImage:
    """Return an image as the compiled core takes it; it must live as long."""
    return CoreImage(image.ctypes.data, image.shape[1], image.shape[0], image.strides[0])
