"""What is worth asking: expected gain of certainty per second of model time.

With a detector the model need not say where objects are. It may be asked for a sentence

- to *ground*: which objects of the whole image does the sentence mean? Every object gets evidence,
  objects that the detector missed are found, and writing the boxes takes long;
- to *verify*: does the sentence mean this object? One object gets evidence, by one short answer.

The uncertainty about an object is the entropy of "it is meant", $H(M)$ in bits, with the
probability $M$ that the sentence means it. A question whose yes comes with the probability $d$ if
the object is meant and $f$ if it is not leaves, on average,

    y = M d + (1 - M) f,    H' = y H(M d / y) + (1 - y) H(M (1 - d) / (1 - y))

The gain of a question is the sum of E (H - H') over the objects that it is about, with the
probability E that an object is there. To ground gains besides what the detector did not show: in
t seconds without an answer about the whole image, t / T objects came into view, of which the
detector misses a share m, each worth H(prior). So

    ground:  (sum over all objects of E (H - H')  +  m t / T H(prior)) / seconds to ground
    verify:  sum over the best k objects / (k seconds to verify one)

and the larger is asked. An object that is sure gains almost nothing until its time is up: then it
counts as if nothing were known. This is our own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import Track

# An object that gains less than this share of the best one's would only make that verdict later.
_WORTH_A_LOOK: Final = 0.25
# After so many objects that came into view unseen, the whole image is overdue anyhow.
_MOST_CAME: Final = 10.0
# A scripted engine takes no time.
_INSTANT_S: Final = 1e-6


@dataclass(frozen=True)
class Worth:
    """What questions cost, and when one is put again; the tracker's settings say the rest.

    Attributes:
        ground_s: Seconds to ground a sentence.
        verify_s: Seconds to verify one object.
        recheck_s: Seconds after which a sure object is asked about again.
        most_objects: Most objects in one question.
    """

    ground_s: float = 0.6
    verify_s: float = 0.08
    recheck_s: float = 5.0
    most_objects: int = 4


def entropy(probability: float) -> float:
    """Return the entropy in bits of a yes with this probability."""
    if not 0 < probability < 1:
        return 0.0
    return -sum(part * math.log2(part) for part in (probability, 1 - probability))


def information(meant: float, accuracy: AnswerAccuracy) -> float:
    """Return the bits that one yes or no about an object is expected to give."""
    detected, false = accuracy.detection_probability, accuracy.false_alarm_probability
    yes = meant * detected + (1 - meant) * false
    left = (yes * entropy(meant * detected / yes)
            + (1 - yes) * entropy(meant * (1 - detected) / (1 - yes)))
    return max(entropy(meant) - left, 0.0)


def objects_to_verify(query: Query, tracks: Sequence[Track], stamp_ns: int, waited_s: float,
                      worth: Worth, config: TrackerConfig) -> tuple[Track, ...]:
    """Return the objects worth verifying now; none where grounding is worth more.

    Args:
        query: The sentence.
        tracks: All tracks as of the pair that is asked about.
        stamp_ns: Stamp of the pair.
        waited_s: Seconds since the sentence was last asked about the whole image; infinite if it
            never was.
        worth: What questions cost.
        config: Settings of the tracker: how far the model and the detector can be trusted, and
            how often objects come into view.
    """
    gains = {track.id: track.existence * information(
        _meant(track, query, stamp_ns, worth, config), config.accuracy) for track in tracks}
    best = sorted(tracks, key=lambda track: -gains[track.id])[:worth.most_objects]
    best = [track for track in best if gains[track.id] > _WORTH_A_LOOK * gains[best[0].id]]
    if not best:
        return ()
    came = min(waited_s / config.birth_interval_s, _MOST_CAME)
    missed = (1 - config.detector_recall) * came * entropy(config.belief_prior)
    ground = (sum(gains.values()) + missed) / max(worth.ground_s, _INSTANT_S)
    verify = sum(gains[track.id] for track in best) / (
        len(best) * max(worth.verify_s, _INSTANT_S))
    return tuple(best) if verify >= ground else ()


def _meant(track: Track, query: Query, stamp_ns: int, worth: Worth, config: TrackerConfig
           ) -> float:
    belief = track.belief(query.id)
    if belief is None:
        return config.belief_prior
    if stamp_ns - belief.heard_ns > worth.recheck_s * 1e9:
        return belief.prior
    return belief.meant
