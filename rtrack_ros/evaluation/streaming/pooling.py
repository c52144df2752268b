"""Trials pooled into rows of a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from rtrack_ros.evaluation.metrics.hota import Scores, pool_counts
from rtrack_ros.evaluation.metrics.presence import Presence
from rtrack_ros.evaluation.streaming.latency import AT_ONCE
from rtrack_ros.evaluation.streaming.trials import Trial


@dataclass(frozen=True)
class Row:
    """One method with one engine delay, pooled over scenes and sentences.

    Attributes:
        answers: 'oracle' or the name of a model.
        method: Name of the method.
        profile: Name of the engine delay.
        scores: Streaming scores.
        presence: Frames by presence.
        trials: Pairs of scene and sentence.
        delay_s: Mean engine delay of an answer.
        pair_ms: Median over trials of the median own work for a pair.
        answer_ms: The same for an answer.
    """

    answers: str
    method: str
    profile: str
    scores: Scores
    presence: Presence
    trials: int
    delay_s: float
    pair_ms: float
    answer_ms: float

    @property
    def engine(self) -> str:
        """Name of the engine delay, the same where its answers come at once."""
        return self.profile.removesuffix(AT_ONCE)

    @property
    def label(self) -> str:
        """Name of the method, marked where its answers come at once."""
        return self.method if self.engine == self.profile else f'{self.method}, no delay'

    @property
    def switch_rate(self) -> float:
        """Identity switches per thousand true boxes that were matched at IoU 0.5.

        A method that loses its objects has few boxes on which an identity could switch.
        """
        matched = self.scores.recall * self.scores.truth_boxes / 100
        return 1000 * self.scores.idsw / max(matched, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {'answers': self.answers, 'method': self.method, 'profile': self.profile,
                'trials': self.trials, 'delay_s': round(self.delay_s, 4),
                'pair_ms': self.pair_ms, 'answer_ms': self.answer_ms,
                'idsw_per_1000': round(self.switch_rate, 3),
                'presence': self.presence.as_dict(), **self.scores.as_dict()}


def pool(trials: Iterable[Trial]) -> list[Row]:
    """Return one row for each combination of answers, method and engine delay, in first order."""
    groups: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.answers, trial.method, trial.profile), []).append(trial)
    return [_row(key, group) for key, group in groups.items()]


def _row(key: tuple[str, str, str], trials: Sequence[Trial]) -> Row:
    asked = [trial for trial in trials if trial.questions]
    return Row(*key, pool_counts([trial.counts for trial in trials]),
               sum((trial.presence for trial in trials), Presence()), len(trials),
               mean(trial.delay_s for trial in asked) if asked else 0.0,
               median(trial.pair_ms for trial in trials),
               median(trial.answer_ms for trial in trials))
