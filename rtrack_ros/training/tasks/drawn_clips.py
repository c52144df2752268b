"""Frames of the simulated world that lie on the disk, as clips of one frame each.

Drawing a frame pair takes about 50 ms, reading one back a tenth of a millisecond: what a small
model asks again and again is drawn once.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from rtrack_ros.data.pairs import DataError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.training.shards.frames import (
    CATEGORIES,
    FrameRow,
    Shard,
    read_shard,
    shard_numbers,
)


class DrawnFrame:
    """One frame of a shard, with its own sentences.

    Boxes are in pixels of the stored images, which have the size of the model's input.

    Args:
        shard: Frames on the disk.
        index: Which of them.
    """

    def __init__(self, shard: Shard, index: int) -> None:
        self._shard, self._index = shard, index

    @property
    def _row(self) -> FrameRow:
        return self._shard.rows[self._index]

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences about the frame."""
        return tuple(sentence.text for sentence in self._row.sentences)

    def __len__(self) -> int:
        return 1

    def pair(self, index: int) -> FramePair:
        """Read the frame pair; the stamp is 0, a frame without a clip has no time."""
        return FramePair(0, self._shard.rgb[self._index], self._shard.thermal[self._index])

    def objects(self, index: int) -> Mapping[int, Box]:
        """Return the boxes of everything that can be referred to."""
        height, width = self._shard.rgb.shape[1:3]
        x, y = width / 1000, height / 1000
        return {number: (item.box[0] * x, item.box[1] * y, item.box[2] * x, item.box[3] * y)
                for number, item in enumerate(self._row.objects)}

    def meant(self, sentence: int, index: int) -> frozenset[int]:
        """Return the objects a sentence means."""
        return frozenset(self._row.sentences[sentence].objects)

    def label(self, identity: int) -> str:
        """Return the category of an object."""
        return CATEGORIES[self._row.objects[identity].category]


def open_shards(folder: Path) -> list[DrawnFrame]:
    """Return every frame of the shards of a folder, as ``rtrack train nano`` draws them.

    Raises:
        DataError: there is none.
    """
    numbers = shard_numbers(folder)
    if not numbers:
        raise DataError(f'{folder} holds no shards; name the folder data/train of a run of '
                        'rtrack train nano')
    shards = [read_shard(folder, number) for number in numbers]
    return [DrawnFrame(shard, index) for shard in shards for index in range(len(shard.rows))]
