"""Questions about one object: what they share, and the task to find it again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtrack_ros.boxes import share_inside
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import FramePair, Image8, Region
from rtrack_ros.language.answers import Box
from rtrack_ros.language.closeup import (
    MIN_SHOWN,
    SEARCH_FACTOR,
    window_around,
    within,
)
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.prompts import locate_prompt
from rtrack_ros.training.shards.corruption import Corruption, elsewhere
from rtrack_ros.training.tasks.clips import Clip
from rtrack_ros.training.tasks.ground import Example

AS_TRACKED: Final = Corruption()


@dataclass(frozen=True)
class Reader:
    """The model that is asked.

    Attributes:
        style: Wording of its prompts.
        size: (width, height) in pixels of every image it sees.
        protocol: How it writes coordinates.
    """

    style: str
    size: tuple[int, int]
    protocol: str

    def images(self, pair: FramePair, region: Region) -> tuple[Image8, ...]:
        """Return RGB and thermal of a region as the model sees them, uint8 (h, w, 3)."""
        return tuple(resize_image(image, self.size) for image in pair.crop(region).images())

    def shown(self, box: Box, region: Region) -> Box:
        """Return a box of the whole image in pixels of those images, cut to them."""
        x, y = self.size[0] / (region[2] - region[0]), self.size[1] / (region[3] - region[1])
        x1, y1, x2, y2 = within(box, region)
        return x1 * x, y1 * y, x2 * x, y2 * y

    def written(self, box: Box) -> Box:
        """Return a box in pixels of those images as the model writes it, not rounded."""
        return model_from_pixels(box, self.protocol, self.size, self.size)


@dataclass(frozen=True)
class Target:
    """An object, by its id, at a frame of a clip."""

    clip: Clip
    index: int
    name: int

    @property
    def box(self) -> Box:
        """Its box, x1, y1, x2, y2 in pixels of the RGB image."""
        return self.clip.objects(self.index)[self.name]


class ObjectTask:
    """What the questions about one object share: their number, the object, its loose box.

    Args:
        clips: Where frames and boxes come from.
        reader: The model that is asked.
        count: Number of questions.
        seed: Fixes the draw.
        corruption: How far from the truth histories are.
    """

    def __init__(self, clips: Sequence[Clip], reader: Reader, count: int, seed: int,
                 corruption: Corruption) -> None:
        self.clips, self.reader, self._count, self._seed = clips, reader, count, seed
        self._corruption = corruption

    def __len__(self) -> int:
        return self._count

    def rng(self, number: int) -> np.random.Generator:
        """Return the source of chance of one question."""
        return np.random.default_rng((self._seed, number))

    def target(self, rng: np.random.Generator) -> Target:
        """Draw an object at a frame: a clip that shows one, then a frame of it that does.

        Raises:
            DataError: no frame of the clips shows an object.
        """
        for target in self.targets(rng):
            return target
        raise DataError('no frame shows an object; the clips are all but empty')

    def targets(self, rng: np.random.Generator) -> Iterator[Target]:
        """Yield every object at every frame once, in random order, clip after clip."""
        for number in rng.permutation(len(self.clips)).tolist():
            clip = self.clips[number]
            for index in rng.permutation(len(clip)).tolist():
                for name in rng.permutation(sorted(clip.objects(index))).tolist():
                    yield Target(clip, index, name)

    def _window(self, pair: FramePair, around: Box, factor: float) -> Region:
        return window_around(around, factor, (pair.width, pair.height), self.reader.size)

    def named(self, rng: np.random.Generator, target: Target, factor: float
               ) -> tuple[tuple[Image8, ...], Box]:
        """Return the window about a target's loose box, and that box as the model writes it.

        Args:
            rng: Loosens the box.
            target: The object.
            factor: Of the window, see ``language.closeup.window_around``.
        """
        pair, named = target.clip.pair(target.index), self._corruption.template(rng, target.box)
        region = self._window(pair, named, factor)
        return (self.reader.images(pair, region),
                self.reader.written(self.reader.shown(named, region)))


class Locate(ObjectTask):
    """R1-Track's task on both spectra: a template with a box and a search window in, its box out.

    The windows are those of ``language.locator``; R1-Track (arXiv 2506.21980) shows RGB alone and
    has no answer for a target that is gone. Boxes of the template and the place of the window are
    as wrong as a tracker's history can be, see ``Corruption``.

    Args:
        clips: Where frames and boxes come from.
        reader: The model that is asked.
        count: Number of questions.
        absent_share: Share of questions in which the target is sought to be absent: gone from view
            or hidden at the frame, or the window elsewhere.
        seed: Fixes the draw.
        corruption: How far from the truth histories are.
    """

    def __init__(self, clips: Sequence[Clip], reader: Reader, count: int, absent_share: float,
                 seed: int, corruption: Corruption = AS_TRACKED) -> None:
        super().__init__(clips, reader, count, seed, corruption)
        self._absent_share = absent_share

    def __getitem__(self, number: int) -> Example:
        rng = self.rng(number)
        target = self.target(rng)
        template, named = self.named(rng, target, SEARCH_FACTOR)
        absent = bool(rng.random() < self._absent_share)
        index = self._other_frame(rng, target, absent)
        truth = target.clip.objects(index).get(target.name)
        pair = target.clip.pair(index)
        region = self._window(pair, self._predicted(rng, target, index, pair, absent),
                              SEARCH_FACTOR)
        found = () if truth is None or share_inside(truth, region)[0] < MIN_SHOWN else (
            self.reader.shown(truth, region),)
        return Example(template + self.reader.images(pair, region),
                        locate_prompt(named, self.reader.style), found,
                        (target.clip.label(target.name),) * len(found))

    @staticmethod
    def _other_frame(rng: np.random.Generator, target: Target, absent: bool) -> int:
        """Return another frame with or without the target; the same one where there is none."""
        for other in rng.permutation(len(target.clip)).tolist():
            if other != target.index and (
                    target.name in target.clip.objects(other)) != absent:
                return other
        return target.index

    def _predicted(self, rng: np.random.Generator, target: Target, index: int, pair: FramePair,
                  absent: bool) -> Box:
        """Return where a tracker would look: near the target, or where it is not."""
        objects = target.clip.objects(index)
        known = objects.get(target.name)
        others = [objects[name] for name in sorted(set(objects) - {target.name})]
        if known is None or not absent:
            return self._corruption.predicted(rng, known or target.box, others)
        return elsewhere(rng, known, others, (pair.width, pair.height))
