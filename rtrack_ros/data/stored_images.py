"""Images of files with the time that each belongs to."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8
from rtrack_ros.intake.encodings import ConversionError, ThermalImage, luminance

Raw = NDArray[Any]


class StoredImage(NamedTuple):
    """One image of a file.

    Attributes:
        stamp_ns: When it was taken.
        pixels: As OpenCV reads it, (h, w) or (h, w, 3) in the order BGR; None where it is damaged.
        number: Which image of its camera it is, from 1; missing ones count too.
        problem: What is wrong with it, '' where nothing is.
    """

    stamp_ns: int
    pixels: Raw | None
    number: int
    problem: str = ''

    def rgb(self) -> Image8:
        """Return the picture as RGB, uint8 (h, w, 3).

        Raises:
            ConversionError: it is damaged.
        """
        image = self._readable()
        eight = image if image.dtype == np.uint8 else image.astype(np.float32) / 257.0
        colour = np.ascontiguousarray(eight, dtype=np.uint8)
        if colour.ndim == 2:
            return np.asarray(cv2.cvtColor(colour, cv2.COLOR_GRAY2RGB), np.uint8)
        code = cv2.COLOR_BGRA2RGB if colour.shape[2] == 4 else cv2.COLOR_BGR2RGB
        return np.asarray(cv2.cvtColor(colour, code), np.uint8)

    def thermal(self) -> ThermalImage:
        """Return the counts.

        Raises:
            ConversionError: it is damaged, or has channels that are no colours.
        """
        image = self._readable()
        return luminance(image, 'bgra8' if image.shape[2:] == (4,) else 'bgr8')

    def _readable(self) -> Raw:
        if self.pixels is None:
            raise ConversionError(self.problem)
        return self.pixels
