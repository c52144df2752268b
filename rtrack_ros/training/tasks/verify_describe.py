"""Questions about an object crop: check a sentence on it, describe it."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from rtrack_ros.data.pairs import DataError
from rtrack_ros.language.closeup import OBJECT_CROP_FACTOR
from rtrack_ros.language.grammar import NO, YES, description_grammar
from rtrack_ros.language.prompts import describe_prompt, plain_sentence, verify_prompt
from rtrack_ros.training.shards.corruption import Corruption
from rtrack_ros.training.tasks.clips import Clip, DescribesObjects, with_sentences
from rtrack_ros.training.tasks.ground import Example
from rtrack_ros.training.tasks.locate import AS_TRACKED, ObjectTask, Reader, Target


class _SentenceTask(ObjectTask):
    """A task about one object whose answers come from the sentences of its clip."""

    def __init__(self, clips: Sequence[Clip], reader: Reader, count: int, seed: int,
                 corruption: Corruption = AS_TRACKED) -> None:
        super().__init__(with_sentences(clips), reader, count, seed, corruption)

    def drawn(self, rng: np.random.Generator, texts_of: Callable[[Target], Sequence[str]],
              found: str, needed: str) -> tuple[Target, Sequence[str]]:
        """Draw objects until one has texts, and return it with them.

        Args:
            rng: The source of chance.
            texts_of: Returns the texts of an object, none where it has none.
            found: What such a text is, for the message where none is found.
            needed: What the clips need then.

        Raises:
            DataError: no object of the clips has any.
        """
        for target in self.targets(rng):
            texts = texts_of(target)
            if texts:
                return target, texts
        raise DataError(f'there is no {found}; the clips need {needed}')


class Verify(_SentenceTask):
    """A box and a sentence in, Yes or No out, half of each.

    A sentence is true of the objects it means and false of the others of its clip; where a clip
    has none, a sentence of another clip stands for a wrong one, which by chance may be right.

    Args:
        clips: Where frames, boxes and sentences come from.
        reader: The model that is asked.
        count: Number of questions.
        seed: Fixes the draw.
        corruption: How loose the boxes are.

    Raises:
        DataError: no clip has a sentence.
    """

    def __getitem__(self, number: int) -> Example:
        rng = self.rng(number)
        true = bool(rng.random() < 0.5)

        def claims_of(target: Target) -> Sequence[str]:
            claims = [text for text, holds in _claims(target) if holds == true]
            return claims or ([] if true else self._foreign(rng, target))

        target, claims = self.drawn(
            rng, claims_of, f'sentence that is {str(true).lower()} of an object',
            'sentences about different objects')
        claim = str(rng.choice(claims))
        images, named = self.named(rng, target, OBJECT_CROP_FACTOR)
        return Example(images, verify_prompt(claim, named, self.reader.style), (), (),
                        YES if true else NO)

    def _foreign(self, rng: np.random.Generator, target: Target) -> list[str]:
        """Return sentences of another clip, without those that are true here."""
        other = self.clips[int(rng.integers(len(self.clips)))]
        return sorted(set(other.sentences) - set(target.clip.sentences))


def _claims(target: Target) -> Sequence[tuple[str, bool]]:
    clip = target.clip
    if isinstance(clip, DescribesObjects):
        return clip.claims(target.name, target.index)
    return [(text, target.name in clip.meant(number, target.index))
            for number, text in enumerate(clip.sentences)]


class Describe(_SentenceTask):
    """OmniPT's task: a box in, a sentence about the object out.

    Sentences are those of the simulation, or those of a data set that mean this object alone and
    can be written in the grammar.

    Args:
        clips: Where frames, boxes and sentences come from.
        reader: The model that is asked.
        count: Number of questions.
        seed: Fixes the draw.
        corruption: How loose the boxes are.

    Raises:
        DataError: no clip has a sentence.
    """

    def __getitem__(self, number: int) -> Example:
        rng = self.rng(number)
        target, words = self.drawn(rng, _descriptions, 'sentence about one object alone',
                                   'sentences that mean one object, in plain letters')
        images, named = self.named(rng, target, OBJECT_CROP_FACTOR)
        return Example(images, describe_prompt(named, self.reader.style), (), (),
                       str(rng.choice(words)))


def _descriptions(target: Target) -> list[str]:
    clip = target.clip
    if isinstance(clip, DescribesObjects):
        return [clip.description(target.name, target.index)]
    alone = (plain_sentence(text) for number, text in enumerate(clip.sentences)
             if clip.meant(number, target.index) == {target.name})
    return [text for text in alone if re.fullmatch(description_grammar().regex, text)]
