"""What every reader of recorded frame pairs offers, and what it says about its reading."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from rtrack_ros.frames import FramePair


class DataError(ValueError):
    """Data cannot be read or written; the message names the file and the remedy."""


class PairSource(Protocol):
    """Frame pairs in the order of their stamps; iterating again starts from the beginning."""

    @property
    def fps(self) -> float:
        """RGB frames per second."""

    def __len__(self) -> int:
        """Return the number of pairs, as far as it is known without decoding them."""

    def __iter__(self) -> Iterator[FramePair]:
        """Yield the pairs, thermal registered to the RGB grid."""


@dataclass
class Losses:
    """What one camera's part of a recording lacks.

    Attributes:
        images: Images that the recording should have, lost ones included.
        damaged: Those of them that cannot be read.
        missing: Those of them that are not there: a gap in the names, a file that was cut.
        repeated: Those of them that came out of order or under a stamp that was there before.
    """

    images: int = 0
    damaged: int = 0
    missing: int = 0
    repeated: int = 0

    @property
    def share(self) -> float:
        """Share of the images that is lost, in [0, 1]."""
        return (self.damaged + self.missing + self.repeated) / max(self.images, 1)

    def parts(self) -> list[str]:
        """Return what is lost in words, nothing where nothing is."""
        return [f'{count} {what}' for what, count in (
            ('damaged', self.damaged), ('missing', self.missing),
            ('out of order or repeated', self.repeated)) if count]


@dataclass
class Tally:
    """What a reading used and left out.

    Attributes:
        used: Pairs that were yielded.
        without_thermal: Those of them without a thermal image; 0 where there is no thermal camera.
        thermal_alone: Pairs of a thermal image alone besides, while RGB was silent.
        rgb: What the RGB camera's part lacks.
        thermal: What the thermal camera's part lacks.
        thermal_size: (width, height) of the thermal camera's own images; None without one.
        notes: What else there is to say, one sentence each.
    """

    used: int = 0
    without_thermal: int = 0
    thermal_alone: int = 0
    rgb: Losses = field(default_factory=Losses)
    thermal: Losses = field(default_factory=Losses)
    thermal_size: tuple[int, int] | None = None
    notes: list[str] = field(default_factory=list)

    def add(self, other: 'Tally') -> None:
        """Add what another reading used and left out."""
        self.used += other.used
        self.without_thermal += other.without_thermal
        self.thermal_alone += other.thermal_alone
        for mine, its in ((self.rgb, other.rgb), (self.thermal, other.thermal)):
            mine.images += its.images
            mine.damaged += its.damaged
            mine.missing += its.missing
            mine.repeated += its.repeated
        self.notes += [note for note in other.notes if note not in self.notes]

    @property
    def lost_share(self) -> float:
        """Share of images that the recording should have and that could not be used, in [0, 1].

        That of the camera that lacks more.
        """
        return max(self.rgb.share, self.thermal.share)

    @property
    def thermal_unused(self) -> bool:
        """Whether thermal images are there and not one pair shows one: they do not belong."""
        return bool(self.used and self.thermal.images) and self.without_thermal == self.used

    @property
    def sentence(self) -> str:
        """What was used and left out, as in 'used 300 of 412 images, 41 without thermal'."""
        alone = [f'{self.without_thermal} without thermal'] if self.without_thermal else []
        if self.thermal_alone:
            alone.append(f'{self.thermal_alone} thermal images without RGB')
        thermal = [f'thermal: {part}' for part in self.thermal.parts()]
        return ', '.join([f'used {self.used} of {max(self.rgb.images, self.used)} images',
                          *alone, *self.rgb.parts(), *thermal])
