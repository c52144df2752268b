"""A stand-in for the model with known faults: the truth with misses, false boxes and jitter.

It judges tracking apart from language. Its faults are drawn from the scene, the sentence and the
frame alone, so that every method that asks about a frame gets the same answer. Boxes are written
in any order.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rtrack_ros.data.mot import MotFrames
from rtrack_ros.evaluation.streaming.protocol import Inference
from rtrack_ros.language.answers import Answer, Box, Grounding
from rtrack_ros.language.queries import Query

_MIN_PX = 2.0
_WORD = 'object'


@dataclass(frozen=True)
class Faults:
    """How far an oracle is from the truth.

    Attributes:
        miss_rate: Probability that a box that is meant is left out, in [0, 1].
        false_rate: Probability that an answer holds one box too many, in [0, 1]: another object
            where one is in view, every other time anything anywhere.
        jitter: Standard deviation of a box's centre, as a share of its width and height, and of
            the logarithm of its width and height.
    """

    miss_rate: float = 0.15
    false_rate: float = 0.1
    jitter: float = 0.04

    def __post_init__(self) -> None:
        for name in ('miss_rate', 'false_rate'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} is a probability; got {getattr(self, name)}')
        if self.jitter < 0:
            raise ValueError(f'jitter is a share of the box size from 0 on; got {self.jitter}')


class Oracle:
    """Answers about one scene and sentence.

    Args:
        scene: Number of the scene, part of the seed of every answer.
        stamps_ns: Stamps of the pairs by index.
        meant: Boxes that the sentence means, by frame from 1 (index + 1).
        others: Boxes in view that it does not mean, by frame from 1.
        size: (width, height) of the RGB image in pixels.
        faults: How bad the answers are.
        seed: Another seed gives other faults.
        words: A word for each object, by its number; a false box has one of them. Without any
            all are called 'object'.
    """

    def __init__(self, scene: int, stamps_ns: Sequence[int], meant: MotFrames, others: MotFrames,
                 size: tuple[int, int], faults: Faults, seed: int = 0,
                 words: Mapping[int, str] | None = None) -> None:
        self._words = words or {}
        self._scene, self._stamps_ns = scene, stamps_ns
        self._meant, self._others = meant, others
        self._size, self._faults, self._seed = size, faults, seed

    def about(self, index: int, query: Query) -> Inference:
        """Return the answer about the pair of this index."""
        sentence = zlib.crc32(query.text.encode())
        rng = np.random.default_rng((self._seed, self._scene, sentence, index))
        boxes = [(self._jittered(row.box, rng), self._words.get(row.id, _WORD))
                 for row in self._meant.get(index + 1, ())
                 if rng.random() >= self._faults.miss_rate]
        if rng.random() < self._faults.false_rate:
            boxes.append((self._jittered(self._false_box(index, rng), rng),
                          self._any_word(index)))
        written = [boxes[place] for place in rng.permutation(len(boxes))]
        groundings = tuple(Grounding(box, word) for box, word in written if box is not None)
        return Inference(Answer(self._stamps_ns[index], query.id, query.epoch, groundings))

    def _any_word(self, index: int) -> str:
        words = sorted({*self._words.values()}) or [_WORD]
        return words[zlib.crc32(f'{self._scene} {index}'.encode()) % len(words)]

    def _false_box(self, index: int, rng: np.random.Generator) -> Box:
        others = self._others.get(index + 1, [])
        if others and rng.random() < 0.5:
            return others[int(rng.integers(len(others)))].box
        width, height = self._size
        tall = height * float(rng.uniform(0.1, 0.4))
        wide = tall * float(rng.uniform(0.4, 1.6))
        left, top = float(rng.uniform(0, width)) - wide / 2, float(rng.uniform(0, height - tall))
        return left, top, left + wide, top + tall

    def _jittered(self, box: Box, rng: np.random.Generator) -> Box | None:
        """Return the box moved and scaled, clipped to the image; None if nothing is left."""
        edges = np.array(box)
        extent = edges[2:] - edges[:2]
        noise = rng.normal(0.0, self._faults.jitter, 4)
        centre = (edges[:2] + edges[2:]) / 2 + noise[:2] * extent
        half = extent * np.exp(noise[2:]) / 2
        limit = np.array(self._size, dtype=np.float64)
        x1, y1 = np.clip(centre - half, 0.0, limit)
        x2, y2 = np.clip(centre + half, 0.0, limit)
        if min(x2 - x1, y2 - y1) < _MIN_PX:
            return None
        return float(x1), float(y1), float(x2), float(y2)
