"""A simulated detector, and an oracle that also says yes or no about single objects."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rtrack_ros.boxes import iou
from rtrack_ros.data.mot import MotFrames
from rtrack_ros.detections import Detection, Detections
from rtrack_ros.evaluation.streaming.oracle import Faults, Oracle
from rtrack_ros.language.answers import Box
from rtrack_ros.language.queries import Query

_ON_OBJECT = 0.4
_SURE = 0.89


@dataclass(frozen=True)
class SimulatedDetector:
    """The truth of a scene with misses, false boxes and jitter; a class name, and no sentence.

    Attributes:
        stamps_ns: Stamps of the pairs by index.
        objects: All boxes in view, by frame from 1.
        size: (width, height) of the RGB image in pixels.
        scene: Number of the scene, part of the seed.
        faults: How bad it is.
        rate_hz: Sets of detections in a second.
        latency_s: Seconds from the stamp until a set is there.
        words: The class name of each object, by its number.
    """

    stamps_ns: Sequence[int]
    objects: MotFrames
    size: tuple[int, int]
    scene: int
    faults: Faults = field(default_factory=Faults)
    rate_hz: float = 10.0
    latency_s: float = 0.03
    words: Mapping[int, str] = field(default_factory=dict)

    def sets(self) -> list[tuple[int, Detections]]:
        """Return all sets with the time at which each is there, nanoseconds."""
        oracle = Oracle(self.scene, self.stamps_ns, self.objects, {}, self.size, self.faults,
                        words=self.words)
        every = Query('detector', 'all objects', 1)
        period_ns, due_ns = 1e9 / self.rate_hz, float(self.stamps_ns[0])
        sets = []
        for index, stamp_ns in enumerate(self.stamps_ns):
            if stamp_ns + 1e6 < due_ns:
                continue
            due_ns += period_ns
            found = oracle.about(index, every).answer.groundings
            sets.append((stamp_ns + round(self.latency_s * 1e9), Detections(
                stamp_ns, tuple(Detection(item.box, item.label, 0.9) for item in found))))
        return sets


class JudgingOracle(Oracle):
    """An oracle that also says yes or no about an object, with the faults of its answers.

    It denies what is meant as often as it leaves a box out, and affirms what is not as often as it
    lists a box too many. A box on nothing is denied as what is not meant is.
    """

    def judge(self, index: int, query: Query, box: Box) -> float:
        """Return the probability of a yes about a box on the pair of this index."""
        meant = self._meant.get(index + 1, [])
        overlap = iou([box], [row.box for row in meant])[0] if meant else np.zeros(0)
        best = int(overlap.argmax()) if len(overlap) else -1
        on_meant = best >= 0 and overlap[best] >= _ON_OBJECT
        identity = meant[best].id if on_meant else round(box[0]) * 10_000 + round(box[1]) % 10_000
        rng = np.random.default_rng((self._seed, self._scene, zlib.crc32(query.text.encode()),
                                     index, abs(identity), 7))
        yes = rng.random() >= self._faults.miss_rate if on_meant else (
            rng.random() < self._faults.false_rate)
        return _SURE if yes else 1 - _SURE
