"""One method with one engine delay on one recording; tables of scores are pooled from these."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtrack_ros.evaluation.metrics.hota import Counts, count_sequence
from rtrack_ros.evaluation.metrics.presence import Presence, measure_presence
from rtrack_ros.evaluation.streaming.baselines import (
    Blocking,
    KalmanOnly,
    Ours,
    PerfectMotion,
    StaticBoxes,
)
from rtrack_ros.evaluation.streaming.bytetrack import ByteTrack
from rtrack_ros.evaluation.streaming.detecting import (
    DetectorTracker,
    OursDetecting,
    OursJudging,
)
from rtrack_ros.evaluation.streaming.judging import SimulatedDetector
from rtrack_ros.evaluation.streaming.latency import Fixed, LatencyProfile
from rtrack_ros.evaluation.streaming.protocol import (
    Answers,
    Method,
    OwnCost,
    Replay,
    Stream,
    replay,
    score_replay,
)
from rtrack_ros.tracking.config import TrackerConfig

OURS, BLOCKING, BYTETRACK, PERFECT = (
    'rtrack_ros', 'blocking model', 'ByteTrack', 'perfect motion')
STATIC, KALMAN, AT_THE_STAMP = 'static first box', 'Kalman only', 'rtrack_ros at the stamp'
WHOLE_ANSWERS = 'rtrack_ros by whole answers'
DETECTING, JUDGING = 'rtrack_ros + detector', 'rtrack_ros + detector + judge'
BYTETRACK_JUDGED, OCSORT_JUDGED = 'ByteTrack + detector + judge', 'OC-SORT + detector + judge'


def for_now(stream: Stream) -> TrackerConfig:
    """Return the defaults, with boxes for when a stream's next array comes, not for the stamp."""
    return TrackerConfig(prediction_horizon_s=stream.interval_s)


METHODS: dict[str, Callable[[Stream, LatencyProfile], Method]] = {
    STATIC: lambda *_: StaticBoxes(), BLOCKING: lambda *_: Blocking(),
    KALMAN: lambda stream, _: KalmanOnly(for_now(stream)), BYTETRACK: lambda *_: ByteTrack(),
    OURS: lambda stream, _: Ours(for_now(stream)), AT_THE_STAMP: lambda *_: Ours(),
    WHOLE_ANSWERS: lambda stream, _: Ours(for_now(stream), wants_partial=False),
    DETECTING: lambda stream, _: OursDetecting(for_now(stream)),
    JUDGING: lambda stream, profile: OursJudging(for_now(stream), profile),
    BYTETRACK_JUDGED: lambda *_: DetectorTracker('ByteTrackTracker', frame_rate=10.0),
    OCSORT_JUDGED: lambda *_: DetectorTracker('OCSORTTracker', frame_rate=10.0),
    PERFECT: lambda stream, _: PerfectMotion(stream),
}
"""Methods by name, in the order of the table, and how to make one for a stream and an engine."""
WITH_DETECTOR = (DETECTING, JUDGING, BYTETRACK_JUDGED, OCSORT_JUDGED)
"""Those that use a detector."""

NO_DELAY = Fixed(0.0)


@dataclass(frozen=True)
class Trial:
    """One method with one engine delay on one scene and sentence.

    Attributes:
        answers: 'oracle' or the name of a model.
        method: Name of the method.
        profile: Name of the engine delay.
        sentence: The sentence.
        counts: What it contributes to pooled scores.
        presence: Frames by presence.
        questions: Questions put to the engine.
        delay_s: Mean engine delay.
        pair_ms: Median own work for a pair.
        answer_ms: Median own work for an answer.
        skipped: Pairs that own work left no time for.
        draw: Which draw of the oracle's faults, from 0.
    """

    answers: str
    method: str
    profile: str
    sentence: str
    counts: Counts
    presence: Presence
    questions: int
    delay_s: float
    pair_ms: float
    answer_ms: float
    skipped: int
    draw: int = 0


def run_trial(stream: Stream, answers_name: str, answers: Answers, method: str,
              profile: LatencyProfile, cost: OwnCost,
              detector: SimulatedDetector | None = None) -> Trial:
    """Return what one method makes of a stream.

    Args:
        stream: What happens.
        answers_name: Who answers, for the record.
        answers: The answers.
        method: Name of the method.
        profile: How long the engine takes.
        cost: What own work is charged with.
        detector: Sees objects, for methods that use one.
    """
    outcome = replay(stream, METHODS[method](stream, profile), answers, profile, cost,
                     detector.sets() if detector and method in WITH_DETECTOR else ())
    sequence = score_replay(stream, outcome)
    return Trial(answers_name, method, profile.name, stream.name, count_sequence(sequence),
                 measure_presence([sequence]), **_facts(outcome))


def _facts(outcome: Replay) -> dict[str, Any]:
    def middle(values: Sequence[float], scale: float) -> float:
        return round(float(np.median(values)) * scale, 3) if values else 0.0

    return {'questions': outcome.questions, 'skipped': outcome.skipped,
            'delay_s': round(float(np.mean(outcome.delays_s)), 4) if outcome.delays_s else 0.0,
            'pair_ms': middle(outcome.pair_costs_s, 1e3),
            'answer_ms': middle(outcome.answer_costs_s, 1e3)}
