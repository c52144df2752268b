"""What a detector is: it looks at one image and says what it sees where."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.frames import Image8


class DetectorError(ValueError):
    """A detector cannot be loaded or used; the message says why, and what to do."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a detector saw on one image, as it says it: nothing is clipped or dropped yet.

    Attributes:
        boxes: (N, 4), x1, y1, x2, y2 in pixels of the image that it was given.
        labels: The word for the class of each box, '' where there is none.
        scores: Confidence of each box, (N,).
    """

    boxes: BoxArray
    labels: tuple[str, ...]
    scores: NDArray[np.float64]


class Detector(Protocol):
    """Finds boxes in an image; serves one thread."""

    def __call__(self, image: Image8) -> Seen:
        """Return what is seen in an image, uint8 (h, w, 3) RGB or (h, w) thermal.

        Raises:
            DetectorError: the network failed, or says what cannot be read.
        """


def as_colour(image: Image8) -> Image8:
    """Return an image as (h, w, 3); a thermal one, (h, w), as three equal channels."""
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
