"""Sequences with one target each: real clips with a box per frame, and held-out scenes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from rtrack_ros.benchmarks.tasks.locating import (
    SightedTarget,
    chosen_targets,
    scene_frames,
    scene_plan,
)
from rtrack_ros.data.boxes_file import read_boxes
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.videos import open_pairs
from rtrack_ros.evaluation.metrics.single_object import TargetFrame
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box

TRUTH_SUFFIX: Final = '.gt.txt'
"""What the file of boxes is called beside a clip of the same name."""
_TARGET: Final = 1


@dataclass(frozen=True)
class MarkedTarget:
    """The truth of a target in one frame of a clip, a ``TargetFrame``.

    Attributes:
        box: x1, y1, x2, y2 in pixels; None where the target is marked as absent.
    """

    box: Box | None

    @property
    def objects(self) -> dict[int, Box]:
        """The box by id."""
        return {} if self.box is None else {_TARGET: self.box}

    @property
    def meant(self) -> frozenset[int]:
        """The id where the target is in view."""
        return frozenset(self.objects)

    @property
    def labelled(self) -> bool:
        """Whether somebody looked: at every frame."""
        return True

    @property
    def cover(self) -> float:
        """Visible share; a marked box says nothing of it and counts in full."""
        return 1.0


@dataclass(frozen=True)
class BoxSequence:
    """A target with its frames; the first one shows it.

    Attributes:
        name: Of the clip, or of scene and target.
        group: What its row of the table is: the name of a clip, or a condition.
        first: The target in the first frame, x1, y1, x2, y2 in pixels.
        frames: Yields the pairs with the truth, anew on every call.
    """

    name: str
    group: str
    first: Box
    frames: Callable[[], Iterator[tuple[FramePair, TargetFrame]]]


def clips_in(folder: Path, frames: int) -> list[BoxSequence]:
    """Return the clips of a folder: ``NAME.gt.txt`` beside a video NAME of any ending.

    The video of one camera stands for both.

    Args:
        folder: Where they are.
        frames: Most frames of a clip.

    Raises:
        DataError: there is none, a box has no video, or a file cannot be read.
    """
    truths = sorted(folder.glob(f'*{TRUTH_SUFFIX}'))
    if not truths:
        raise DataError(f'{folder} holds no NAME{TRUTH_SUFFIX}; give a folder with videos and, '
                        'beside each, a file of that name with left,top,width,height per frame')
    return [_clip_beside(truth, frames) for truth in truths]


def _clip_beside(truth: Path, frames: int) -> BoxSequence:
    name = truth.name.removesuffix(TRUTH_SUFFIX)
    videos = [path for path in sorted(truth.parent.glob(f'{name}.*'))
              if path.stem == name and path != truth]
    if len(videos) != 1:
        raise DataError(f'{truth} needs one video {name}.* beside it; there are {len(videos)}')
    return clip_sequence(videos[0], videos[0], truth, frames)


def clip_sequence(rgb: Path, thermal: Path | None, truth: Path, frames: int,
                  fps: float = 30.0) -> BoxSequence:
    """Return a clip as a sequence.

    Args:
        rgb: Its video or folder of images.
        thermal: The same of the thermal camera; the same recording stands for both.
        truth: A box per frame, ``left,top,width,height``, 0 by 0 where the target is absent.
        frames: Most frames.
        fps: Rate of folders of images.

    Raises:
        DataError: a file cannot be read, or the first frame has no box.
    """
    marks = [MarkedTarget(box) for box in read_boxes(truth)[:frames]]
    if not marks or marks[0].box is None:
        raise DataError(f'{truth} has no box in its first line; a target begins with its box')
    pairs = open_pairs(rgb, thermal, fps)

    def frames_of() -> Iterator[tuple[FramePair, TargetFrame]]:
        return zip(islice(pairs, len(marks)), marks, strict=False)

    name = f'{truth.parent.name}/{rgb.stem}'
    return BoxSequence(name, name, marks[0].box, frames_of)


def held_out_targets(scenes_per_condition: int, seed: int, seconds: float
                     ) -> Iterator[BoxSequence]:
    """Yield up to two targets of every scene, as ``rtrack benchmark tasks`` chooses them.

    Args:
        scenes_per_condition: Scenes of each condition.
        seed: Of the first scene.
        seconds: Length of a scene.
    """
    for number, condition in scene_plan(scenes_per_condition, seed):
        objects = next(iter(scene_frames(number, condition, seconds)))[1]
        for target in chosen_targets(number, objects):
            yield BoxSequence(f'{number}/{target.id}', condition, target.box,
                              _SceneFrames(number, condition, seconds, target.id))


@dataclass(frozen=True)
class _SceneFrames:
    """Yields the frames of a scene with the truth of one target."""

    seed: int
    condition: str
    seconds: float
    target: int

    def __call__(self) -> Iterator[tuple[FramePair, TargetFrame]]:
        for pair, objects in scene_frames(self.seed, self.condition, self.seconds):
            mine = next((item for item in objects if item.id == self.target), None)
            yield pair, SightedTarget(mine)


def count_of(sequences: Sequence[BoxSequence]) -> dict[str, int]:
    """Return how many sequences each group has, in order."""
    groups: dict[str, int] = {}
    for sequence in sequences:
        groups[sequence.group] = groups.get(sequence.group, 0) + 1
    return groups
