"""Corners by the compiled core: the same as ``corners.CornerMap``, in a fifth of the time."""

import ctypes

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.frames import Image8, Mask
from rtrack_ros.tracking.compiled import CORE, Core
from rtrack_ros.tracking.history.corners import (
    BLOCK,
    CELLS,
    MIN_CORNER,
    CornerMap,
    Indices,
    Points,
    coarse_of,
)


class _Image(ctypes.Structure):
    """``rtrack::Image`` of the core."""

    _fields_ = [('pixels', ctypes.c_void_p), ('width', ctypes.c_int32),
                ('height', ctypes.c_int32), ('stride', ctypes.c_int32)]


class _Grid(ctypes.Structure):
    """``rtrack::CornerGrid`` of the core."""

    _fields_ = [('strength', ctypes.c_void_p), ('points', ctypes.c_void_p),
                ('columns', ctypes.c_int32), ('rows', ctypes.c_int32)]


class CompiledCornerMap:
    """The strongest corner of every 4x4 block of an image; see ``CornerMap``.

    Args:
        core: The compiled core.
        image: uint8 (h, w).
        valid: bool (h, w), where the image has a value; None for everywhere.
    """

    def __init__(self, core: Core, image: Image8, valid: Mask | None = None) -> None:
        self._core, self._size = core, (image.shape[1], image.shape[0])
        coarse, valid = coarse_of(image, valid)
        rows, columns = (length // BLOCK for length in coarse.shape)
        self._strength = np.zeros(rows * columns, np.float32)
        self._points = np.zeros((rows * columns, 2), np.float32)
        self._grid = _Grid(self._strength.ctypes.data, self._points.ctypes.data, columns, rows)
        if rows * columns:
            core.rtrack_find_corners(
                ctypes.byref(_image(coarse)), None if valid is None else _at(valid),
                ctypes.c_float(MIN_CORNER), ctypes.byref(self._grid))

    def in_boxes(self, boxes: BoxArray, limit: int, hiders: BoxArray,
                 before: NDArray[np.bool_]) -> tuple[Indices, Points]:
        """Return which corners serve which box, the ``limit`` best of each; see ``CornerMap``."""
        if not self._strength.size:
            return np.zeros(0, np.intp), np.zeros((0, 2), np.float32)
        box, hider, hidden = _rectangles(boxes), _rectangles(hiders), np.ascontiguousarray(before)
        chosen, numbers = np.empty((len(box) * limit, 2), np.float32), np.empty(len(box), np.int32)
        self._core.rtrack_corners_in_boxes(
            ctypes.byref(self._grid), len(box), _at(box), limit, len(hider), _at(hider),
            _at(hidden), _at(chosen), _at(numbers))
        owner = np.repeat(np.arange(len(box)), numbers)
        return owner, chosen[:len(owner)]

    def outside(self, boxes: BoxArray) -> Points:
        """Return the best corner outside all ``boxes`` of each of 8 x 6 cells."""
        box, chosen = _rectangles(boxes), np.empty((CELLS[0] * CELLS[1], 2), np.float32)
        width, height = (ctypes.c_float(length) for length in self._size)
        count = self._core.rtrack_corners_outside(
            ctypes.byref(self._grid), len(box), _at(box), width, height, *CELLS, _at(chosen))
        return chosen[:count]


def corner_map(image: Image8, valid: Mask | None = None) -> CornerMap | CompiledCornerMap:
    """Return the corners of an image, by the compiled core where there is one."""
    return CornerMap(image, valid) if CORE is None else CompiledCornerMap(CORE, image, valid)


def _rectangles(boxes: BoxArray) -> NDArray[np.float32]:
    return np.ascontiguousarray(boxes, np.float32)


def _at(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _image(pixels: Image8) -> _Image:
    """Return an image as the core takes it; it must live as long."""
    return _Image(pixels.ctypes.data, pixels.shape[1], pixels.shape[0], pixels.strides[0])
