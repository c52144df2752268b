"""A recorded run of the tracker, and its scores: what overlay, report and metrics are made from.

A frame belongs to the sentence that was published last before it; the frames of one sentence are
one (video, expression) pair, numbered from 1. Nothing is left out: the first frames after a change
of the sentence count although the model has not answered yet, a frame for which no array was
published counts as nothing found, and before the first sentence nothing is right but silence.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.metrics.hota import Scores, evaluate_sequences
from rtrack_ros.evaluation.metrics.presence import Presence, measure_presence
from rtrack_ros.evaluation.sequences import EvaluationSequence, by_frame


@dataclass(frozen=True)
class RunQuery:
    """One sentence of a run.

    Attributes:
        text: The sentence.
        start_s: When it was published, seconds from the first image.
        kind: Kind of the expression, empty where it is not known.
    """

    text: str
    start_s: float
    kind: str = ''


@dataclass(frozen=True)
class RunFrame:
    """One RGB image of a run; the frame numbers of its rows play no part.

    Attributes:
        time_s: Seconds from the first image.
        query: Index of the active sentence, -1 before the first.
        tracks: What was published; None when no array came.
        truth: What the sentence means; None where there is no truth.
        condition: Name of the weather, empty where it is not known.
        stamp_to_publish_ms: From the image's stamp to the publication of its array.
    """

    time_s: float
    query: int
    tracks: tuple[MotRow, ...] | None
    truth: tuple[MotRow, ...] | None = None
    condition: str = ''
    stamp_to_publish_ms: float | None = None


@dataclass(frozen=True)
class StatusSample:
    """What the node said about itself at one time.

    Attributes:
        time_s: Seconds from the first image.
        answers: Answers of the model applied so far.
        answer_age_ms: Age of the newest of them; None before the first.
        answer_latency_ms: Wall time of the newest answer; None before the first.
    """

    time_s: float
    answers: int
    answer_age_ms: float | None = None
    answer_latency_ms: float | None = None


@dataclass(frozen=True)
class Run:
    """Everything recorded about one run, in the order of time."""

    queries: tuple[RunQuery, ...]
    frames: tuple[RunFrame, ...]
    statuses: tuple[StatusSample, ...] = ()
    title: str = 'Run'
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def has_truth(self) -> bool:
        """Whether every frame has truth to be scored against."""
        return bool(self.frames) and all(frame.truth is not None for frame in self.frames)

    @property
    def conditions(self) -> list[str]:
        """Names of the weather in the order in which they first appear."""
        return list(dict.fromkeys(frame.condition for frame in self.frames if frame.condition))

    def sentence(self, frame: RunFrame) -> str:
        """Return the sentence of a frame, empty before the first."""
        return self.queries[frame.query].text if frame.query >= 0 else ''


@dataclass(frozen=True)
class Split:
    """Scores of a part of a run."""

    name: str
    scores: Scores
    presence: Presence
    frames: int


@dataclass(frozen=True)
class RunScores:
    """Scores of a run: pooled over its sentences, by sentence, and by weather.

    Within one weather the frames of each sentence are a pair of their own, so that an identity
    that changes when the weather does costs nothing there; it does in the pooled score.
    """

    overall: Split
    by_query: tuple[Split, ...]
    by_condition: tuple[Split, ...]


def score_run(run: Run) -> RunScores:
    """Return the scores of a run with truth.

    Raises:
        MissingTrackEval: TrackEval is not installed.
        ValueError: the run has no truth.
    """
    if not run.has_truth:
        raise ValueError('this run has no truth to be scored against; simulate one')
    queries = sorted({frame.query for frame in run.frames})
    return RunScores(
        overall=_split('all', run, run.frames),
        by_query=tuple(_split(_query_name(run, index), run,
                              [frame for frame in run.frames if frame.query == index])
                       for index in queries),
        by_condition=tuple(_split(name, run,
                                  [frame for frame in run.frames if frame.condition == name])
                           for name in run.conditions))


def _query_name(run: Run, index: int) -> str:
    return run.queries[index].text if index >= 0 else 'no sentence yet'


def _split(name: str, run: Run, frames: Sequence[RunFrame]) -> Split:
    """Score some frames of a run, pooled over sentences."""
    groups: dict[int, list[RunFrame]] = {}
    for frame in frames:
        groups.setdefault(frame.query, []).append(frame)
    sequences = {f'{name}+{_query_name(run, query)}': _sequence(frames)
                 for query, frames in groups.items()}
    return Split(name, evaluate_sequences(sequences), measure_presence(sequences.values()),
                 len(frames))


def _sequence(frames: list[RunFrame]) -> EvaluationSequence:
    def numbered(rows: Callable[[RunFrame], Iterable[MotRow]]) -> dict[int, list[MotRow]]:
        return by_frame(replace(row, frame=number) for number, frame in enumerate(frames, start=1)
                        for row in rows(frame))

    return EvaluationSequence(numbered(lambda frame: frame.truth or ()),
                              numbered(lambda frame: frame.tracks or ()), len(frames))


def percentile(values: Iterable[float | None], share: float) -> float | None:
    """Return a percentile of the known values, None without any."""
    known = [value for value in values if value is not None]
    return float(np.percentile(known, share)) if known else None


def run_metrics(run: Run, scores: RunScores | None) -> dict[str, object]:
    """Return the figures of a run for ``metrics.json``; scores are null without truth."""
    latencies = [frame.stamp_to_publish_ms for frame in run.frames]
    ages = [sample.answer_age_ms for sample in run.statuses]
    answering = [sample.answer_latency_ms for sample in run.statuses]
    metrics: dict[str, object] = dict.fromkeys(('hota', 'deta', 'assa', 'idf1', 'mota'))
    if scores is not None:
        metrics |= _figures(scores.overall)
    metrics |= {
        'pairs_in': len(run.frames),
        'arrays_out': sum(frame.tracks is not None for frame in run.frames),
        'stamp_to_publish_ms_p50': _rounded(percentile(latencies, 50)),
        'stamp_to_publish_ms_p99': _rounded(percentile(latencies, 99)),
        'answers': run.statuses[-1].answers if run.statuses else 0,
        'answer_age_ms_p50': _rounded(percentile(ages, 50)),
        'answer_latency_ms_p50': _rounded(percentile(answering, 50)),
        'by_condition': {split.name: _figures(split) for split in scores.by_condition}
        if scores else {},
        'by_query': [{'text': split.name, **_figures(split)} for split in scores.by_query]
        if scores else [{'text': query.text} for query in run.queries],
    }
    return metrics


def _figures(split: Split) -> dict[str, object]:
    figures = split.scores.as_dict()
    del figures['hota_alpha']
    return {**figures, 'frames': split.frames, 'presence': split.presence.as_dict()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
