"""Where training samples come from: clips of frame pairs in which objects have names and boxes.

A clip is read at any frame in any order, so that a data loader can shuffle. Sources: scenes of the
simulated world, and the annotated sequences of every layout in ``rtrack_ros.data.layouts``.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.layouts import layouts_with_sentences, read_layout
from rtrack_ros.data.pairs import DataError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.simulation import CONDITIONS, Scene, make_scene
from rtrack_ros.simulation.descriptions import checkable, describe_sighting
from rtrack_ros.training.tasks.drawn_clips import open_shards

_LOG: Final = logging.getLogger(__name__)
SIMULATION: Final = 'simulation'
SHARDS: Final = 'shards'
SCENE_SECONDS, SCENE_FPS = 12.0, 2
KEPT_FRAMES = 64


class Clip(Protocol):
    """Frame pairs with boxes by id, and sentences about them."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Sentences that refer to objects of the clip."""

    def __len__(self) -> int:
        """Return the number of frames."""

    def pair(self, index: int) -> FramePair:
        """Return a frame pair."""

    def objects(self, index: int) -> Mapping[int, Box]:
        """Return boxes by id at a frame, pixels of the RGB image."""

    def meant(self, sentence: int, index: int) -> frozenset[int]:
        """Return the ids a sentence means at a frame; empty where it means nothing."""

    def label(self, identity: int) -> str:
        """Return the word for an object."""


@runtime_checkable
class DescribesObjects(Protocol):
    """A clip that knows what an object crop shows."""

    def claims(self, identity: int, index: int) -> Sequence[tuple[str, bool]]:
        """Return sentences that such a crop decides, and whether they are true of the object."""

    def description(self, identity: int, index: int) -> str:
        """Return what the object is and does at a frame."""


class SimulatedClip:
    """A scene of the simulated world, all conditions one after another.

    Args:
        seed: Seed of the scene.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    @cached_property
    def _scene(self) -> Scene:
        return make_scene(self._seed, SCENE_SECONDS, conditions=CONDITIONS, fps=SCENE_FPS)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences about the scene."""
        return tuple(item.text for item in self._scene.expressions)

    def __len__(self) -> int:
        return round(SCENE_SECONDS * SCENE_FPS)

    def pair(self, index: int) -> FramePair:
        """Draw a frame pair."""
        return _draw(self._seed, index)

    def objects(self, index: int) -> Mapping[int, Box]:
        """Return the boxes of everything that can be referred to."""
        return {item.actor.id: item.box for item in self._scene.sightings(index)}

    def meant(self, sentence: int, index: int) -> frozenset[int]:
        """Return the ids a sentence means at a frame."""
        return self._scene.expressions[sentence].ids[index]

    def claims(self, identity: int, index: int) -> Sequence[tuple[str, bool]]:
        """Return the sentences that an object crop decides, and whether they are true."""
        condition = self._scene.condition(index)
        return [(item.text, identity in item.ids[index]) for item in self._scene.expressions
                if checkable(item.kind, condition)]

    def description(self, identity: int, index: int) -> str:
        """Return what the object is and does at a frame."""
        item = next(item for item in self._scene.sightings(index) if item.actor.id == identity)
        return describe_sighting(item, self._scene.condition(index))

    def label(self, identity: int) -> str:
        """Return the category of an object."""
        return next(actor.category for actor in self._scene.actors if actor.id == identity)


@lru_cache(KEPT_FRAMES)
def _draw(seed: int, index: int) -> FramePair:
    scene = make_scene(seed, SCENE_SECONDS, conditions=CONDITIONS, fps=SCENE_FPS)
    return scene.frame(index).pair()


def with_sentences(clips: Sequence[Clip]) -> list[Clip]:
    """Return the clips that have a sentence.

    Raises:
        DataError: there is none.
    """
    found = [clip for clip in clips if clip.sentences]
    if not found:
        raise DataError('none of the clips has a sentence; train the task locate on them, or '
                        f'take a layout with sentences: {", ".join(layouts_with_sentences())}')
    return found


def open_clips(source: str, layout: str, seed: int, scenes: int) -> Sequence[Clip]:
    """Return the clips of a source, frames without annotation left out.

    Args:
        source: 'simulation', or the folder of a data set.
        layout: Layout of the folder, see ``rtrack_ros.data.layouts``, or 'shards': simulated
            frames that lie on the disk.
        seed: Seed of the first simulated scene.
        scenes: Number of simulated scenes.

    Raises:
        DataError: the folder is not in the layout, or none of its frames is annotated.
    """
    if source == SIMULATION:
        return [SimulatedClip(seed + number) for number in range(scenes)]
    if layout == SHARDS:
        return open_shards(Path(source))
    found = [replace(sequence, frames=tuple(frame for frame in sequence.frames if frame.labelled))
             for sequence in read_layout(layout, source)]
    clips = [sequence for sequence in found if len(sequence)]
    if not clips:
        raise DataError(f'{source} holds no annotated frame; choose a split whose truth is public')
    empty = [sequence.name for sequence in found if not len(sequence)]
    if empty:
        _LOG.warning('%d of %d sequences of %s are left out, none of their frames is annotated: '
                     '%s', len(empty), len(found), source, ', '.join(empty[:5]))
    return clips


def clips_as_text(clips: Sequence[Clip]) -> str:
    """Return how much there is to learn from."""
    recorded = [clip for clip in clips if isinstance(clip, AnnotatedSequence)]
    if not recorded:
        return f'{len(clips)} clips'
    sentences = {text for clip in recorded for text in clip.sentences}
    bare = sum(not clip.sentences for clip in recorded)
    shown = sum(bool(frame.objects) for clip in recorded for frame in clip.frames)
    return (f'{len(recorded)} sequences, {sum(map(len, recorded))} annotated frames, {shown} of '
            f'them with objects, {len(sentences)} different sentences'
            + (f', {bare} sequences without one' if bare else ''))


def labels_of(clips: Sequence[Clip]) -> frozenset[str]:
    """Return the words for the objects of recorded clips; none for simulated ones."""
    return frozenset(clip.label(name) for clip in clips if isinstance(clip, AnnotatedSequence)
                     for frame in clip.frames for name in frame.objects)


def most_meant(clips: Sequence[Clip]) -> int:
    """Return how many boxes the longest answer about recorded clips has; 0 for simulated ones."""
    return max((len(frame.meant) for clip in clips if isinstance(clip, AnnotatedSequence)
                for frame in clip.frames), default=0)
