"""Does the system know whether anybody matches? Presence over frames.

HOTA does not move when an expression that means nobody is rightly answered with nothing, so the
skill is measured here. A frame is positive when the truth has at least one box, and predicted
positive when at least one box was reported. F1 hides false alarms on absent frames, therefore the
absent false-positive rate stands beside it (definitions of CognitiveTrack, in multi-object form).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rtrack_ros.evaluation.sequences import EvaluationSequence


@dataclass(frozen=True)
class Presence:
    """Counts of frames; add two to pool them.

    Attributes:
        present_reported: Somebody there, somebody reported (true positive).
        present_missed: Somebody there, nobody reported (false negative).
        absent_reported: Nobody there, somebody reported (false positive).
        absent_quiet: Nobody there, nobody reported (true negative).
    """

    present_reported: int = 0
    present_missed: int = 0
    absent_reported: int = 0
    absent_quiet: int = 0

    def __add__(self, other: 'Presence') -> 'Presence':
        return Presence(self.present_reported + other.present_reported,
                        self.present_missed + other.present_missed,
                        self.absent_reported + other.absent_reported,
                        self.absent_quiet + other.absent_quiet)

    @property
    def precision(self) -> float | None:
        """Percent of frames with reports in which somebody was there; None without reports."""
        return _percent(self.present_reported, self.present_reported + self.absent_reported)

    @property
    def recall(self) -> float | None:
        """Percent of frames with somebody in which somebody was reported."""
        return _percent(self.present_reported, self.present_reported + self.present_missed)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall in percent; None where neither is defined."""
        return _percent(2 * self.present_reported,
                        2 * self.present_reported + self.absent_reported + self.present_missed)

    @property
    def absent_fpr(self) -> float | None:
        """Percent of frames with nobody in which somebody was reported."""
        return _percent(self.absent_reported, self.absent_reported + self.absent_quiet)

    def as_dict(self) -> dict[str, float | int | None]:
        """Return plain values for JSON."""
        rounded = {name: None if value is None else round(value, 2)
                   for name, value in (('precision', self.precision), ('recall', self.recall),
                                       ('f1', self.f1), ('absent_fpr', self.absent_fpr))}
        return {**rounded, 'frames_present': self.present_reported + self.present_missed,
                'frames_absent': self.absent_reported + self.absent_quiet}


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


def measure_presence(sequences: Iterable[EvaluationSequence]) -> Presence:
    """Return the presence counts pooled over the frames of all sequences."""
    total = Presence()
    for sequence in sequences:
        for frame in range(1, sequence.frames + 1):
            there = bool(sequence.truth_rows(frame))
            reported = bool(sequence.track_rows(frame))
            total += Presence(there and reported, there and not reported,
                              reported and not there, not there and not reported)
    return total
