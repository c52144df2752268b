"""Pairs from real clips with labels: people as cameras show them.

Labels are MOTChallenge rows, by hand or as ``rtrack compose`` had a detector propose them, with an
identity that is the same from frame to frame. Clips that are held out are not opened.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from rtrack_ros.data.mot import MotFrames, read_mot
from rtrack_ros.frames import FramePair
from rtrack_ros.simulation.scene import ObjectTruth
from rtrack_ros.training.composites.clips import ClipSettings, read_frames
from rtrack_ros.training.composites.labels import SURE
from rtrack_ros.training.siamese.pairs import Moment, Pairs, draw_pair, seen_as

FRAMES_PER_CLIP: Final = 100
LONGEST_GAP: Final = 45
"""Frames between the two moments of a pair."""
PARTNERS: Final = 8
"""Moments at which every person of a frame is looked for."""


def draw_clips(folder: Path, settings: ClipSettings, labels: Path, seed: int) -> Iterator[Pairs]:
    """Draw the pairs of all clips of training.

    Args:
        folder: Holds ``visible/`` and ``infrared/``.
        settings: Which clips.
        labels: Folder of ``<clip>.gt.txt``.
        seed: Draws partners and windows.

    Raises:
        DataError: a clip is missing or unreadable.
        MotError: its labels are.
    """
    for number, geometry in enumerate(settings.train):
        truth = read_mot(labels / f'{geometry.name}.gt.txt')
        frames = read_frames(folder, geometry.name, FRAMES_PER_CLIP, frozenset(truth))
        yield from draw_clip(frames, truth, np.random.default_rng((seed, 29, number)))


def draw_clip(frames: Mapping[int, FramePair], truth: MotFrames, rng: np.random.Generator
              ) -> Iterator[Pairs]:
    """Draw the pairs of one clip from its labelled frames, by frame number from 1."""
    moments = {number: _moment(frames[number], truth, number) for number in sorted(truth)
               if number in frames}
    numbers = np.array(list(moments))
    for number, moment in moments.items():
        near = numbers[np.abs(numbers - number) <= LONGEST_GAP]
        for partner in rng.permutation(near)[:PARTNERS].tolist():
            other = moments[partner]
            for name in moment.objects.keys() & other.objects.keys():
                pair = draw_pair(rng, moment, other, name)
                if pair is not None:
                    yield pair


def _moment(pair: FramePair, truth: MotFrames, number: int) -> Moment:
    return seen_as(pair, {row.id: ObjectTruth(row.id, 'person', row.box, row.visibility)
                          for row in truth[number] if row.score >= SURE})
