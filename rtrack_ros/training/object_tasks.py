"""Questions about one object: find it again, check a sentence on it, describe it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import FramePair, Image8, Region
from rtrack_ros.language.answers import Box
from rtrack_ros.language.closeup import PORTRAIT_FACTOR, SEARCH_FACTOR, window_around, within
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.grammar import NO, YES, description_grammar
from rtrack_ros.language.prompts import (
    describe_prompt,
    locate_prompt,
    plain_sentence,
    verify_prompt,
)
from rtrack_ros.training.clips import Clip, Portrayed
from rtrack_ros.training.corruption import Corruption
from rtrack_ros.training.tasks import Question

LEAST_SHOWN: Final = 0.5
"""Share of a target that a window must show for the target to be in it."""
_AS_TRACKED: Final = Corruption()
_DRAWS: Final = 64
_REDRAWS: Final = 8


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
class _Target:
    """An object at a frame of a clip."""

    clip: Clip
    index: int
    name: int

    @property
    def box(self) -> Box:
        return self.clip.objects(self.index)[self.name]


class _ObjectTask:
    """What the questions about one object share: how many, of whom, and how loose its box is."""

    def __init__(self, clips: Sequence[Clip], reader: Reader, count: int, seed: int,
                 corruption: Corruption) -> None:
        self._clips, self._reader, self._count, self._seed = clips, reader, count, seed
        self._corruption = corruption

    def __len__(self) -> int:
        return self._count

    def _rng(self, number: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, number))

    def _target(self, rng: np.random.Generator) -> _Target:
        for _ in range(_DRAWS):
            clip = self._clips[int(rng.integers(len(self._clips)))]
            index = int(rng.integers(len(clip)))
            names = sorted(clip.objects(index))
            if names:
                return _Target(clip, index, names[int(rng.integers(len(names)))])
        raise ValueError(f'no frame with an object in {_DRAWS} draws; the clips are all but empty')

    def _window(self, pair: FramePair, around: Box, factor: float) -> Region:
        return window_around(around, factor, (pair.width, pair.height), self._reader.size)

    def _named(self, rng: np.random.Generator, target: _Target, factor: float
               ) -> tuple[tuple[Image8, ...], Box]:
        """Return the window about a target's loose box, and that box as the model writes it."""
        pair, named = target.clip.pair(target.index), self._corruption.template(rng, target.box)
        region = self._window(pair, named, factor)
        return (self._reader.images(pair, region),
                self._reader.written(self._reader.shown(named, region)))


class Locate(_ObjectTask):
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
                 seed: int, corruption: Corruption = _AS_TRACKED) -> None:
        super().__init__(clips, reader, count, seed, corruption)
        self._absent_share = absent_share

    def __getitem__(self, number: int) -> Question:
        rng = self._rng(number)
        target = self._target(rng)
        template, named = self._named(rng, target, SEARCH_FACTOR)
        absent = bool(rng.random() < self._absent_share)
        index = self._other_frame(rng, target, absent)
        truth = target.clip.objects(index).get(target.name)
        pair = target.clip.pair(index)
        region = self._window(pair, self._believed(rng, target, index, pair, absent),
                              SEARCH_FACTOR)
        found = () if truth is None or _share_inside(truth, region) < LEAST_SHOWN else (
            self._reader.shown(truth, region),)
        return Question(template + self._reader.images(pair, region),
                        locate_prompt(named, self._reader.style), found,
                        (target.clip.label(target.name),) * len(found))

    @staticmethod
    def _other_frame(rng: np.random.Generator, target: _Target, absent: bool) -> int:
        """Return another frame with or without the target; the same one if a few draws fail."""
        for other in rng.integers(len(target.clip), size=_REDRAWS).tolist():
            if other != target.index and (
                    target.name in target.clip.objects(other)) != absent:
                return other
        return target.index

    def _believed(self, rng: np.random.Generator, target: _Target, index: int, pair: FramePair,
                  absent: bool) -> Box:
        """Return where a tracker would look: near the target, or where it is not."""
        objects = target.clip.objects(index)
        known = objects.get(target.name)
        if known is None:
            return self._corruption.belief(rng, target.box)
        if not absent:
            return self._corruption.belief(rng, known)
        others = sorted(set(objects) - {target.name})
        if others and rng.random() < 0.5:
            return objects[others[int(rng.integers(len(others)))]]
        x, y = rng.uniform((0, 0), (pair.width, pair.height)) - known[:2]
        return known[0] + x, known[1] + y, known[2] + x, known[3] + y


def _share_inside(box: Box, region: Region) -> float:
    x1, y1, x2, y2 = within(box, region)
    return (x2 - x1) * (y2 - y1) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)


def _with_sentences(clips: Sequence[Clip]) -> list[Clip]:
    found = [clip for clip in clips if clip.sentences]
    if not found:
        raise ValueError('none of the clips has a sentence; train the task locate on them')
    return found


class Verify(_ObjectTask):
    """A box and a sentence in, Yes or No out, half of each.

    A sentence is true of who is meant. It is false of the other objects of its clip; where a clip
    has none, a sentence of another clip stands for a wrong one, which by chance may be right.

    Args:
        clips: Where frames, boxes and sentences come from.
        reader: The model that is asked.
        count: Number of questions.
        seed: Fixes the draw.
        corruption: How loose the boxes are.

    Raises:
        ValueError: no clip has a sentence.
    """

    def __init__(self, clips: Sequence[Clip], reader: Reader, count: int, seed: int,
                 corruption: Corruption = _AS_TRACKED) -> None:
        super().__init__(_with_sentences(clips), reader, count, seed, corruption)

    def __getitem__(self, number: int) -> Question:
        rng = self._rng(number)
        true = bool(rng.random() < 0.5)
        for _ in range(_DRAWS):
            target = self._target(rng)
            claims = [text for text, holds in _claims(target) if holds == true]
            if not claims and not true:
                claims = self._foreign(rng, target)
            if claims:
                return self._question(rng, target, str(rng.choice(claims)), true)
        raise ValueError(f'no sentence that is {"true" if true else "false"} of an object in '
                         f'{_DRAWS} draws; the clips need sentences about different objects')

    def _question(self, rng: np.random.Generator, target: _Target, claim: str, true: bool
                  ) -> Question:
        images, named = self._named(rng, target, PORTRAIT_FACTOR)
        return Question(images, verify_prompt(claim, named, self._reader.style), (), (),
                        YES if true else NO)

    def _foreign(self, rng: np.random.Generator, target: _Target) -> list[str]:
        """Return sentences of another clip, without those that are true here."""
        other = self._clips[int(rng.integers(len(self._clips)))]
        return sorted(set(other.sentences) - set(target.clip.sentences))


def _claims(target: _Target) -> Sequence[tuple[str, bool]]:
    clip = target.clip
    if isinstance(clip, Portrayed):
        return clip.claims(target.name, target.index)
    return [(text, target.name in clip.meant(number, target.index))
            for number, text in enumerate(clip.sentences)]


class Describe(_ObjectTask):
    """OmniPT's task: a box in, a sentence about the object out.

    Sentences are those of the simulation, or those of a data set that mean the object and nobody
    else and can be written in the grammar.

    Args:
        clips: Where frames, boxes and sentences come from.
        reader: The model that is asked.
        count: Number of questions.
        seed: Fixes the draw.
        corruption: How loose the boxes are.

    Raises:
        ValueError: no clip has a sentence.
    """

    def __init__(self, clips: Sequence[Clip], reader: Reader, count: int, seed: int,
                 corruption: Corruption = _AS_TRACKED) -> None:
        super().__init__(_with_sentences(clips), reader, count, seed, corruption)

    def __getitem__(self, number: int) -> Question:
        rng = self._rng(number)
        for _ in range(_DRAWS):
            target = self._target(rng)
            words = _descriptions(target)
            if words:
                images, named = self._named(rng, target, PORTRAIT_FACTOR)
                return Question(images, describe_prompt(named, self._reader.style), (), (),
                                str(rng.choice(words)))
        raise ValueError(f'no sentence about one object alone in {_DRAWS} draws; the clips need '
                         'sentences that mean one object, in plain letters')


def _descriptions(target: _Target) -> list[str]:
    clip = target.clip
    if isinstance(clip, Portrayed):
        return [clip.description(target.name, target.index)]
    alone = (plain_sentence(text) for number, text in enumerate(clip.sentences)
             if clip.meant(number, target.index) == {target.name})
    return [text for text in alone if re.fullmatch(description_grammar().regex, text)]
