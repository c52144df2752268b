"""The benchmark of one target from a box: average overlap and cost of every method, in one run.

Average overlap (AO) is that of GOT-10k (Huang et al., 2019): the first frame is left out, and so
are frames in which the target is absent. A method that says "gone" of a target in view has an
overlap of 0 there.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from rtrack_ros.benchmarks.box.followers import Follower
from rtrack_ros.benchmarks.box.sequences import BoxSequence
from rtrack_ros.evaluation.metrics.single_object import TargetFrame, TargetRun, pool_targets
from rtrack_ros.language.answers import Box

Makers = Mapping[str, Callable[[], Follower]]


@dataclass(frozen=True, eq=False)
class FollowedRun:
    """What one method made of one sequence.

    Attributes:
        group: Row of the table.
        method: Its name.
        run: Its boxes beside the truth.
        costs_ms: Processor time of every frame after the first, that of the model left out.
        model_ms: Processor time of the model, a frame on average.
    """

    group: str
    method: str
    run: TargetRun
    costs_ms: tuple[float, ...]
    model_ms: float


def follow_sequence(sequence: BoxSequence, method: str, follower: Follower,
                    clock: Callable[[], float] = time.process_time) -> FollowedRun:
    """Return what a method makes of a sequence; all see the same frames.

    Args:
        sequence: The target.
        method: What the follower is called.
        follower: One that follows nothing yet.
        clock: Seconds of processor time.
    """
    truth: list[TargetFrame] = []
    told: list[Box | None] = []
    costs: list[float] = []
    size = (0, 0)
    for pair, frame in sequence.frames():
        truth.append(frame)
        if not told:
            size = (pair.width, pair.height)
            follower.start(pair, sequence.first)
            told.append(sequence.first)
            continue
        model_s, begun = follower.elsewhere_s, clock()
        told.append(follower.follow(pair))
        spent = clock() - begun - (follower.elsewhere_s - model_s)
        costs.append(spent * 1e3)
    return FollowedRun(sequence.group, method, TargetRun(truth, told, size), tuple(costs),
                       follower.elsewhere_s * 1e3 / max(len(costs), 1))


def run_boxes(sequences: Iterable[BoxSequence], methods: Makers) -> dict[str, Any]:
    """Return average overlap by group and method, and the cost of a frame by method.

    Args:
        sequences: Targets to follow.
        methods: What makes a follower, by name.

    Raises:
        DataError: in a sequence the target is never in view after its first frame.
    """
    runs = [follow_sequence(sequence, name, make())
            for sequence in sequences for name, make in methods.items()]
    groups: dict[str, dict[str, list[FollowedRun]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        groups[run.group][run.method].append(run)
    return {'overlap': {group: {name: _scores(found) for name, found in by_method.items()}
                        for group, by_method in groups.items()},
            'cost': {name: _cost([run for run in runs if run.method == name])
                     for name in methods}}


def _scores(runs: list[FollowedRun]) -> dict[str, Any]:
    scores = pool_targets(runs[0].method, [run.run for run in runs])
    return {'ao': round(scores.ao, 4), 'sr50': round(scores.sr50, 4), 'frames': scores.frames,
            'targets': len(runs)}


def _cost(runs: list[FollowedRun]) -> dict[str, float]:
    costs = sorted(cost for run in runs for cost in run.costs_ms)
    if not costs:
        return {'median_ms': 0.0, 'p99_ms': 0.0, 'model_ms': 0.0}
    return {'median_ms': round(median(costs), 2),
            'p99_ms': round(costs[min(len(costs) - 1, int(0.99 * len(costs)))], 2),
            'model_ms': round(sum(run.model_ms for run in runs) / len(runs), 2)}


def mean_of_conditions(overlap: Mapping[str, Mapping[str, Mapping[str, float]]],
                       conditions: Iterable[str], method: str) -> float | None:
    """Return a method's overlap over the frames of several groups; None where there is none."""
    rows = [overlap[name][method] for name in conditions
            if name in overlap and method in overlap[name]]
    frames = sum(row['frames'] for row in rows)
    return sum(row['ao'] * row['frames'] for row in rows) / frames if frames else None
