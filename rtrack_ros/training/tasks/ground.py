"""The questions a stage trains on: which images, which prompt, which answer, at any index.

A question is drawn from a clip by its number alone, so that a run which resumes, and every process
of a distributed one, sees the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.balance import balanced_frames
from rtrack_ros.engines.base import Prompt
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.language.prompts import ground_prompt
from rtrack_ros.training.tasks.clips import Clip, with_sentences


@dataclass(frozen=True, eq=False)
class Example:
    """One question with its answer.

    Attributes:
        images: uint8 (h, w, 3) in the order of the prompt, all of one size.
        prompt: What is asked.
        boxes: Boxes meant, pixels of the images, left to right; of the last ones where they show
            different places.
        labels: A word for each.
        words: The answer where it is no list of boxes, else empty.
    """

    images: tuple[Image8, ...]
    prompt: Prompt
    boxes: tuple[Box, ...]
    labels: tuple[str, ...]
    words: str = ''


class Task(Protocol):
    """Questions by number, drawn from clips."""

    def __len__(self) -> int:
        """Return the number of questions."""

    def __getitem__(self, number: int) -> Example:
        """Return one question."""


class Ground:
    """RTrack's task: RGB, thermal and a sentence in, the boxes it means out.

    Args:
        clips: Where frames and sentences come from.
        style: Wording of the prompt.
        count: Number of questions.
        absent_share: Share of questions for which a frame is sought where nothing is meant.
            Recordings are balanced over their conditions too.
        seed: Fixes the draw.

    Raises:
        DataError: no clip has a sentence.
    """

    def __init__(self, clips: Sequence[Clip], style: str, count: int, absent_share: float,
                 seed: int) -> None:
        self._clips = with_sentences(clips)
        self._style, self._count = style, count
        self._absent_share, self._seed = absent_share, seed
        recorded = [clip for clip in self._clips if isinstance(clip, AnnotatedSequence)]
        self._frames = list(balanced_frames(recorded, count, seed, absent_share)
                            ) if recorded else None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Example:
        rng = np.random.default_rng((self._seed, number))
        if self._frames is None:
            clip = self._clips[int(rng.integers(len(self._clips)))]
            sentence, index = self._draw(rng, clip)
        else:
            clip, index = self._clips[self._frames[number].sequence], self._frames[number].frame
            sentence = int(rng.integers(len(clip.sentences)))
        objects = clip.objects(index)
        meant = sorted((name for name in clip.meant(sentence, index) if name in objects),
                       key=lambda name: objects[name])
        return Example(tuple(clip.pair(index).images()),
                        ground_prompt(clip.sentences[sentence], self._style),
                        tuple(objects[name] for name in meant),
                        tuple(clip.label(name) for name in meant))

    def _draw(self, rng: np.random.Generator, clip: Clip) -> tuple[int, int]:
        """Return a sentence and a frame, of the wanted kind of answer where the clip has it."""
        absent = bool(rng.random() < self._absent_share)
        places = [divmod(number, len(clip)) for number in rng.permutation(
            len(clip.sentences) * len(clip)).tolist()]
        fitting = (place for place in places if bool(clip.meant(*place)) != absent)
        return next(fitting, places[0])
