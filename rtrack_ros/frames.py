"""The value that travels: one RGB-thermal frame pair.

Pixel coordinates everywhere are those of the original RGB image. The thermal image of a pair is
registered at intake: warped and resized onto the RGB grid, so that one box means one place.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Image8 = NDArray[np.uint8]
Region = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels of the original RGB image, the far edges exclusive."""


@dataclass(frozen=True, eq=False)
class FramePair:
    """One synchronised RGB and thermal image.

    Attributes:
        stamp_ns: Header stamp of the RGB image, nanoseconds.
        rgb: uint8, shape (H, W, 3), RGB order.
        thermal: uint8, shape (H, W), registered to the RGB grid, white is hot; None when no
            thermal image belongs to this RGB image.
        frame_id: Optical frame of the RGB header, carried through unchanged.
        region: The part of the original RGB image that both images show; None for all of it.
    """

    stamp_ns: int
    rgb: Image8
    thermal: Image8 | None
    frame_id: str = ''
    region: Region | None = None

    @property
    def width(self) -> int:
        """Image width in pixels."""
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        """Image height in pixels."""
        return int(self.rgb.shape[0])

    def crop(self, region: Region) -> 'FramePair':
        """Return the pair as seen through ``region`` of it, without copying pixels.

        Raises:
            ValueError: the region does not lie within the image, or the pair is a crop itself.
        """
        x1, y1, x2, y2 = region
        if self.region is not None:
            raise ValueError('this pair is a crop already; crop the whole pair instead')
        if not (0 <= x1 < x2 <= self.width and 0 <= y1 < y2 <= self.height):
            raise ValueError(f'region {region} does not lie within {self.width} x {self.height} '
                             'pixels; clip it first')
        thermal = None if self.thermal is None else self.thermal[y1:y2, x1:x2]
        return replace(self, rgb=self.rgb[y1:y2, x1:x2], thermal=thermal, region=region)

    def images(self) -> list[Image8]:
        """Return the images a model sees: RGB, then thermal as three equal channels.

        A missing thermal image is a black one, which is what the model saw in training for a
        silent sensor.
        """
        grey = self.thermal if self.thermal is not None else np.zeros(self.rgb.shape[:2], np.uint8)
        return [self.rgb, np.repeat(grey[:, :, None], 3, axis=2)]
