"""The questions a stage trains on: which images, which prompt, which answer, at any index.

A question is drawn from a clip by its number alone, so that a run which resumes, and every process
of a distributed one, sees the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from rtrack_ros.boxes import clip as clip_boxes
from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.balance import balanced_frames
from rtrack_ros.engines.base import Prompt
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.prompts import ground_prompt, locate_prompt
from rtrack_ros.training.clips import Clip

CROP_FACTOR = 4.0
"""Side of a square crop over the square root of the box's area (R1-Track)."""


@dataclass(frozen=True, eq=False)
class Question:
    """One question with its answer.

    Attributes:
        images: uint8 (h, w, 3) in the order of the prompt, all of one size.
        prompt: What is asked.
        boxes: Boxes meant, pixels of the images, left to right.
        labels: A word for each.
    """

    images: tuple[Image8, ...]
    prompt: Prompt
    boxes: tuple[Box, ...]
    labels: tuple[str, ...]


class Task(Protocol):
    """Questions by number, drawn from clips."""

    def __len__(self) -> int:
        """Return the number of questions."""

    def __getitem__(self, number: int) -> Question:
        """Return one question."""


class Ground:
    """RTrack's task: RGB, thermal and a sentence in, the boxes it means out.

    Args:
        clips: Where frames and sentences come from.
        style: Wording of the prompt.
        count: Number of questions.
        absent_share: Share of questions for which a frame is sought where nobody is meant.
            Recordings are balanced over their conditions too.
        seed: Fixes the draw.

    Raises:
        ValueError: no clip has a sentence.
    """

    def __init__(self, clips: Sequence[Clip], style: str, count: int, absent_share: float,
                 seed: int) -> None:
        self._clips = [clip for clip in clips if clip.sentences]
        if not self._clips:
            raise ValueError('none of the clips has a sentence; train the task locate on them')
        self._style, self._count = style, count
        self._absent_share, self._seed = absent_share, seed
        recorded = [clip for clip in self._clips if isinstance(clip, AnnotatedSequence)]
        self._frames = list(balanced_frames(recorded, count, seed, absent_share)
                            ) if recorded else None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Question:
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
        return Question(tuple(clip.pair(index).images()),
                        ground_prompt(clip.sentences[sentence], self._style),
                        tuple(objects[name] for name in meant),
                        tuple(clip.label(name) for name in meant))

    def _draw(self, rng: np.random.Generator, clip: Clip) -> tuple[int, int]:
        """Return a sentence and a frame, a few times redrawn for the wanted kind of answer."""
        absent = bool(rng.random() < self._absent_share)
        for _ in range(8):
            sentence = int(rng.integers(len(clip.sentences)))
            index = int(rng.integers(len(clip)))
            if bool(clip.meant(sentence, index)) != absent:
                break
        return sentence, index


class Locate:
    """R1-Track's task: a template crop with a box and a search crop in, the box there out.

    Both crops are squares of ``CROP_FACTOR`` times the root of the box's area, black beyond the
    image (arXiv 2506.21980). The search crop is centred near where the target was, as a tracker's
    would be; in ``absent_share`` of the questions it shows another place and the answer is empty,
    which R1-Track has not. RGB only, as there.

    Args:
        clips: Where frames and boxes come from.
        style: Wording of the prompt.
        count: Number of questions.
        absent_share: Share of questions whose target is not in the search crop.
        seed: Fixes the draw.
        size: (width, height) of the crops in pixels.
        protocol: Coordinate protocol of the model, for the box in the prompt.
    """

    def __init__(self, clips: Sequence[Clip], style: str, count: int, absent_share: float,
                 seed: int, size: tuple[int, int], protocol: str) -> None:
        self._clips, self._style, self._count = clips, style, count
        self._absent_share, self._seed = absent_share, seed
        self._size, self._protocol = size, protocol

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Question:
        rng = np.random.default_rng((self._seed, number))
        clip, index, name = self._target(rng)
        box = clip.objects(index)[name]
        template, shown = crop_square(clip.pair(index).rgb, box, box, self._size)
        other, target = self._again(rng, clip, index, name)
        search, found = crop_square(clip.pair(other).rgb, target, self._near(rng, target),
                                    self._size)
        example = model_from_pixels(shown[0], self._protocol, self._size, self._size)
        return Question((template, search), locate_prompt(example, self._style), found,
                        (clip.label(name),) * len(found))

    @staticmethod
    def _again(rng: np.random.Generator, clip: Clip, index: int, name: int) -> tuple[int, Box]:
        """Return another frame that shows the target, the same one if a few draws show none."""
        for other in rng.integers(len(clip), size=8).tolist():
            found = clip.objects(other).get(name)
            if found is not None and other != index:
                return other, found
        return index, clip.objects(index)[name]

    def _near(self, rng: np.random.Generator, target: Box) -> Box:
        """Return the target's box where a tracker might have it, or one crop away from it."""
        shift = rng.uniform(-0.2, 0.2, 2)
        if rng.random() < self._absent_share:
            shift = rng.choice((-1.0, 1.0), 2)
        x, y = shift * crop_side(target)
        return target[0] + x, target[1] + y, target[2] + x, target[3] + y

    def _target(self, rng: np.random.Generator) -> tuple[Clip, int, int]:
        for _ in range(64):
            clip = self._clips[int(rng.integers(len(self._clips)))]
            index = int(rng.integers(len(clip)))
            names = sorted(clip.objects(index))
            if names:
                return clip, index, names[int(rng.integers(len(names)))]
        raise ValueError('no frame with an object in 64 draws; the clips are all but empty')


def crop_side(box: Box) -> float:
    """Return the side of the square crop around a box, in pixels."""
    area = max((box[2] - box[0]) * (box[3] - box[1]), 1.0)
    return float(np.ceil(CROP_FACTOR * np.sqrt(area)))


def crop_square(image: Image8, box: Box, around: Box, size: tuple[int, int]
                ) -> tuple[Image8, tuple[Box, ...]]:
    """Return the crop around ``around`` at ``size`` and ``box`` in it.

    Args:
        image: uint8 (H, W, 3).
        box: Box wanted in the crop, pixels of ``image``.
        around: Box whose centre and size make the crop, pixels of ``image``.
        size: (width, height) of the crop in pixels.

    Returns:
        The crop, black beyond the image, and the box cut to it; no box if less than half of it is
        inside the crop.
    """
    side = crop_side(around)
    left, top = ((around[axis] + around[axis + 2] - side) / 2 for axis in (0, 1))
    scale = np.array([size[0] / side, size[1] / side])
    move = np.array([[scale[0], 0, -left * scale[0]], [0, scale[1], -top * scale[1]]])
    crop = np.asarray(cv2.warpAffine(image, move, size, flags=cv2.INTER_LINEAR), np.uint8)
    whole = (np.reshape(box, (2, 2)) - (left, top)) * scale
    cut = clip_boxes(whole.ravel(), *size).reshape(2, 2)
    sizes = [float((part[1] - part[0]).clip(0).prod()) for part in (cut, whole)]
    if sizes[0] < 0.5 * sizes[1]:
        return crop, ()
    (x1, y1), (x2, y2) = cut.tolist()
    return crop, ((x1, y1, x2, y2),)
