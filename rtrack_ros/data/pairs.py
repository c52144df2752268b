"""What every reader of recorded frame pairs offers."""

from collections.abc import Iterator
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
