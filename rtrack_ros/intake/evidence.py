"""What the two images of a pair are evidence of, and the pair that the tracker gets.

Three rules. A repeated image proves nothing if the other camera shows that time went on; if both
repeat, the world stands still. A dead image proves nothing. The newest good image of a camera that
is slow, late or pausing is shown with its own stamp for as long as the settings say, and proves
nothing about the instant of the pair.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtrack_ros.frames import FramePair, Image8, ImageState, Mask, PairHealth
from rtrack_ros.intake.config import IntakeConfig, homography_matrix
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal, register_valid
from rtrack_ros.intake.validity import Array, ImageJudge, Judgement, fill_specks

_KEPT = 32
# Stamps that differ by so much are not of the same run.
_JUMP_NS = 500_000_000


@dataclass(frozen=True, eq=False)
class SeenImage:
    """One image with what it is worth.

    Attributes:
        stamp_ns: Its stamp, on the clock of the RGB stamps.
        pixels: RGB uint8 (H, W, 3), or thermal counts (h, w).
        judgement: What it is worth.
        since_ns: Stamp of the first image that looked like it.
    """

    stamp_ns: int
    pixels: Array
    judgement: Judgement
    since_ns: int


@dataclass
class EvidenceCounts:
    """What the images so far were worth.

    Attributes:
        rgb_repeated: RGB images that repeated the one before.
        rgb_dead: RGB images that showed nothing.
        thermal_repeated: Thermal images that repeated the one before.
        thermal_dead: Thermal images that showed nothing.
        thermal_invalid_share: Share of the pixels of the newest thermal image without a value.
        thermal_steps: Steps of the gain or offset of thermal images.
        pairs_fresh: Pairs with a thermal image of their own instant.
        pairs_held: Pairs that were given an older thermal image.
        pairs_without_rgb: Pairs of a thermal image alone, made while RGB was silent.
        thermal_age_ms: Age of the thermal image in the newest pair; None without one.
    """

    rgb_repeated: int = 0
    rgb_dead: int = 0
    thermal_repeated: int = 0
    thermal_dead: int = 0
    thermal_invalid_share: float = 0.0
    thermal_steps: int = 0
    pairs_fresh: int = 0
    pairs_held: int = 0
    pairs_without_rgb: int = 0
    thermal_age_ms: float | None = None


class _Camera:
    """The images of one camera: which are good, and when they last changed."""

    def __init__(self, values: bool) -> None:
        self.judge = ImageJudge(values)
        self.good: deque[SeenImage] = deque(maxlen=_KEPT)
        self.newest: SeenImage | None = None
        self.changed_ns: int | None = None

    def see(self, stamp_ns: int, pixels: Array) -> SeenImage:
        if self.newest is not None and stamp_ns < self.newest.stamp_ns - _JUMP_NS:
            self.good.clear()
            self.newest = self.changed_ns = None
        judgement, before = self.judge(pixels), self.newest
        repeats = before is not None and judgement.repeated
        seen = SeenImage(stamp_ns, pixels, judgement,
                         before.since_ns if before is not None and repeats else stamp_ns)
        if before is not None and not repeats:
            self.changed_ns = stamp_ns
        if not (repeats or judgement.dead):
            self.good.append(seen)
        self.newest = seen
        return seen

    def state(self, seen: SeenImage, other: '_Camera') -> ImageState:
        """Return whether an image is dead, frozen, or fresh at its own stamp."""
        if seen.judgement.dead:
            return ImageState.DEAD
        went_on = other.changed_ns is not None and (
            seen.since_ns < other.changed_ns < seen.stamp_ns + _JUMP_NS)
        frozen = seen.judgement.repeated and went_on
        return ImageState.FROZEN if frozen else ImageState.FRESH


class EvidenceKeeper:
    """Judges the images of both cameras and makes frame pairs of them.

    Stamps are those of the RGB camera's clock. Calls must come from one thread at a time.

    Args:
        config: Scaling, registration and how long a thermal image is held.
        counts: Goes on counting; None begins anew.
    """

    def __init__(self, config: IntakeConfig, counts: EvidenceCounts | None = None) -> None:
        self.counts = counts or EvidenceCounts()
        self._hold_ns = int(config.sync.thermal_hold_ms * 1e6)
        self._slop_ns = int(config.sync.slop_ms * 1e6)
        self._normalise = ThermalNormaliser(limits=config.thermal.limits)
        self._homography = homography_matrix(config.thermal.homography)
        self._rgb, self._thermal = _Camera(values=False), _Camera(values=True)
        self._used_ns: int | None = None
        self._shown: tuple[SeenImage, tuple[int, int], Image8, Mask | None] | None = None

    def see_rgb(self, stamp_ns: int, pixels: Image8) -> SeenImage:
        """Judge an RGB image as it arrives; it must not be changed later."""
        seen = self._rgb.see(stamp_ns, pixels)
        self.counts.rgb_repeated += seen.judgement.repeated
        self.counts.rgb_dead += seen.judgement.dead
        return seen

    def see_thermal(self, stamp_ns: int, counts: Array) -> SeenImage:
        """Judge a thermal image (h, w) as it arrives; it must not be changed later."""
        seen = self._thermal.see(stamp_ns, counts)
        self.counts.thermal_repeated += seen.judgement.repeated
        self.counts.thermal_dead += seen.judgement.dead
        self.counts.thermal_invalid_share = seen.judgement.invalid_share
        return seen

    @property
    def thermal_size(self) -> tuple[int, int] | None:
        """(width, height) of the newest thermal image as it came, None before one."""
        newest = self._thermal.newest
        return None if newest is None else _size_of(newest)

    def pair(self, rgb: SeenImage, partner: SeenImage | None, frame_id: str = '') -> FramePair:
        """Return the frame pair of an RGB image.

        Args:
            rgb: The RGB image.
            partner: The thermal image of the same instant, if one came.
            frame_id: Optical frame of the RGB header.
        """
        shown, state = self._thermal_of(rgb.stamp_ns, partner)
        counts, pixels = self.counts, rgb.pixels
        counts.pairs_fresh += state is ImageState.FRESH
        counts.pairs_held += state is ImageState.HELD
        health = PairHealth(self._rgb_state(rgb), state)
        if shown is None:
            counts.thermal_age_ms = None
            return FramePair(rgb.stamp_ns, pixels, None, frame_id, health=health)
        counts.thermal_age_ms = (rgb.stamp_ns - shown.since_ns) * 1e-6
        grey, valid = self._registered(shown, pixels.shape[1], pixels.shape[0])
        return FramePair(rgb.stamp_ns, pixels, grey, frame_id, health=health,
                         thermal_stamp_ns=shown.stamp_ns, thermal_valid=valid,
                         thermal_size=_size_of(shown))

    def lone_pair(self, seen: SeenImage, size: tuple[int, int],
                  frame_id: str = '') -> FramePair | None:
        """Return the pair of a thermal image while RGB is silent; None where it proves nothing.

        Args:
            seen: The thermal image.
            size: (width, height) of the last RGB image.
            frame_id: Optical frame of the last RGB header.
        """
        if seen.judgement.dead or seen.judgement.repeated:
            return None
        grey, valid = self._registered(seen, *size)
        self._used_ns = seen.stamp_ns
        self.counts.pairs_without_rgb += 1
        self.counts.pairs_fresh += 1
        self.counts.thermal_age_ms = 0.0
        return FramePair(seen.stamp_ns, np.zeros((size[1], size[0], 3), np.uint8), grey, frame_id,
                         health=PairHealth(ImageState.MISSING), thermal_stamp_ns=seen.stamp_ns,
                         thermal_valid=valid, thermal_size=_size_of(seen))

    def _rgb_state(self, rgb: SeenImage) -> ImageState:
        state = self._rgb.state(rgb, self._thermal)
        held = state is ImageState.FROZEN and rgb.stamp_ns - rgb.since_ns <= self._hold_ns
        return ImageState.HELD if held else state

    def _thermal_of(self, stamp_ns: int, partner: SeenImage | None
                    ) -> tuple[SeenImage | None, ImageState]:
        """Return the thermal image for a stamp and what it is evidence of."""
        state = ImageState.MISSING
        if partner is not None:
            state = self._thermal.state(partner, self._rgb)
            if state is ImageState.FRESH:
                used = partner.stamp_ns == self._used_ns
                self._used_ns = partner.stamp_ns
                return partner, ImageState.HELD if used else state
        held = next((seen for seen in reversed(self._thermal.good)
                     if seen.stamp_ns <= stamp_ns + self._slop_ns), None)
        if held is not None and stamp_ns - held.stamp_ns <= self._hold_ns:
            return held, ImageState.HELD
        return None, state

    def _registered(self, seen: SeenImage, width: int, height: int
                    ) -> tuple[Image8, Mask | None]:
        """Return an image in 8 bits on the RGB grid, and where it has a value."""
        if self._shown is not None and self._shown[:2] == (seen, (width, height)):
            return self._shown[2], self._shown[3]
        raw: Any = seen.pixels
        valid = seen.judgement.valid
        if valid is not None and raw.dtype != 'uint8':
            raw, valid = fill_specks(raw, valid)
        grey = self._normalise(raw, seen.stamp_ns, valid, judged=True)
        self.counts.thermal_steps = self._normalise.steps
        if valid is not None and valid.all():
            valid = None
        grey = register_thermal(grey, width, height, self._homography)
        valid = register_valid(valid, seen.pixels.shape, width, height, self._homography)
        self._shown = seen, (width, height), grey, valid
        return grey, valid


def _size_of(seen: SeenImage) -> tuple[int, int]:
    return seen.pixels.shape[1], seen.pixels.shape[0]
