"""The value that travels: one RGB-thermal frame pair.

Pixel coordinates everywhere are those of the original RGB image. The thermal image of a pair is
registered at intake: warped and resized onto the RGB grid, so that one box means one place.
"""

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Image8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Region = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels of the original RGB image, the far edges exclusive."""


class ImageState(Enum):
    """What one image of a pair is evidence of; decided at intake."""

    FRESH = 'fresh'
    """It shows the world at the stamp of the pair."""
    HELD = 'held'
    """It is the newest good image of a slower, late or pausing camera, and still young enough to
    be shown. It says nothing about the instant of the pair."""
    FROZEN = 'frozen'
    """The camera repeats an image under new stamps, and has done so for too long to be shown."""
    DEAD = 'dead'
    """It shows nothing: every pixel is the same, saturated or without a value."""
    MISSING = 'missing'
    """There is none."""


@dataclass(frozen=True)
class PairHealth:
    """The states of the two images of a pair."""

    rgb: ImageState = ImageState.FRESH
    thermal: ImageState = ImageState.FRESH


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
        health: What the two images are evidence of.
        thermal_stamp_ns: When the thermal image was taken, on the clock of the RGB stamps,
            nanoseconds; None where nothing is known beyond ``stamp_ns``.
        thermal_valid: Shape (H, W), where the thermal image has a value; None for everywhere.
        thermal_size: (width, height) of the thermal image before its registration; None where
            nothing is known of it.
        passed_over: RGB images between the pair before and this one that were passed over, as
            they came faster than they were tracked.
    """

    stamp_ns: int
    rgb: Image8
    thermal: Image8 | None
    frame_id: str = ''
    region: Region | None = None
    health: PairHealth = PairHealth()
    thermal_stamp_ns: int | None = None
    thermal_valid: Mask | None = None
    thermal_size: tuple[int, int] | None = None
    passed_over: int = 0

    @property
    def rgb_fresh(self) -> bool:
        """Whether the RGB image shows the world at ``stamp_ns``."""
        return self.health.rgb is ImageState.FRESH

    @property
    def thermal_fresh(self) -> bool:
        """Whether there is a thermal image, and it shows the world at ``stamp_ns``."""
        return self.thermal is not None and self.health.thermal is ImageState.FRESH

    @property
    def thermal_age_s(self) -> float:
        """Seconds from the thermal image to the RGB image; NaN where there is none."""
        if self.thermal is None:
            return float('nan')
        stamp_ns = self.stamp_ns if self.thermal_stamp_ns is None else self.thermal_stamp_ns
        return (self.stamp_ns - stamp_ns) * 1e-9

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
        valid = None if self.thermal_valid is None else self.thermal_valid[y1:y2, x1:x2]
        return replace(self, rgb=self.rgb[y1:y2, x1:x2], thermal=thermal, region=region,
                       thermal_valid=valid)

    def images(self) -> list[Image8]:
        """Return the images a model sees: RGB, then thermal as three equal channels.

        An image that is missing, or too old to be shown, is a black one. The model saw such black
        images in training, for a silent sensor.
        """
        rgb, black = self.rgb, np.zeros(self.rgb.shape[:2], np.uint8)
        if self.health.rgb is ImageState.FROZEN:
            rgb = np.zeros_like(self.rgb)
        grey = black if self.thermal is None else self.thermal
        return [rgb, np.repeat(grey[:, :, None], 3, axis=2)]
