"""What is scored: one (video, expression) pair, its truth and the tracks somebody reported.

In referring tracking a sequence is a pair of a video and a sentence; the same video under another
sentence is another sequence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rtrack_ros.data.mot import MotFrames, MotRow


@dataclass(frozen=True)
class EvaluationSequence:
    """Truth and tracks of one (video, expression) pair.

    Attributes:
        truth: Rows by frame, from 1; rows of score 0 do not count (MOTChallenge rule).
        tracks: Rows by frame, from 1.
        frames: Number of frames, those in which nobody is seen included.
    """

    truth: MotFrames
    tracks: MotFrames
    frames: int
    name: str = field(default='sequence')

    def __post_init__(self) -> None:
        for what, rows in (('truth', self.truth), ('tracks', self.tracks)):
            outside = [frame for frame in rows if not 1 <= frame <= self.frames]
            if outside:
                raise ValueError(f'{self.name}: {what} name frame {outside[0]}, but the sequence '
                                 f'has frames 1 to {self.frames}; correct the number of frames or '
                                 'the frame numbers')

    def truth_rows(self, frame: int) -> list[MotRow]:
        """Return the truth of a frame that counts."""
        return [row for row in self.truth.get(frame, ()) if row.score > 0]

    def track_rows(self, frame: int) -> list[MotRow]:
        """Return the reported boxes of a frame."""
        return list(self.tracks.get(frame, ()))


def by_frame(rows: Iterable[MotRow]) -> MotFrames:
    """Return rows grouped by their frame number."""
    frames: MotFrames = {}
    for row in rows:
        frames.setdefault(row.frame, []).append(row)
    return frames


def last_frame(*sources: MotFrames) -> int:
    """Return the highest frame number that has a row, 0 without rows."""
    return max((frame for source in sources for frame in source), default=0)
