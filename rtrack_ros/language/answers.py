"""What the model said about one frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rtrack_ros.boxes import iou
from rtrack_ros.frames import Region

Box = tuple[float, float, float, float]

_ONE_OBJECT: Final = 0.5
"""IoU from which boxes of answers are of one object."""


def on_one_of(box: Box, others: Sequence[Box]) -> bool:
    """Return whether a box is of the same object as one of others, all in the same pixels."""
    return bool(others) and bool(iou([box], others).max() >= _ONE_OBJECT)


@dataclass(frozen=True)
class Grounding:
    """One object that matches the sentence.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the original RGB image.
        label: The model's word for it.
        score: Confidence in [0, 1].
    """

    box: Box
    label: str
    score: float = 1.0


@dataclass(frozen=True)
class Answer:
    """The model's answer to one query about one frame; no groundings means that nothing matches.

    Attributes:
        stamp_ns: Stamp of the frame pair that was asked about.
        query_id: The query's id.
        epoch: The query's epoch when the frame was taken.
        groundings: Objects found, in pixels of the original RGB image.
        latency_ms: Wall time from asking to parsed answer.
        region: The part of the image that was asked about, in pixels of the original RGB image;
            the answer says nothing about what lies outside. None for the whole image.
        partial: Whether it is still being written: more boxes may follow, and a missing box says
            nothing yet.
        trust: What a missing box weighs, in [0, 1]: less where the model is known to err.
    """

    stamp_ns: int
    query_id: str
    epoch: int
    groundings: tuple[Grounding, ...]
    latency_ms: float = 0.0
    region: Region | None = None
    partial: bool = False
    trust: float = 1.0

    @property
    def present(self) -> bool:
        """Whether anything matches."""
        return bool(self.groundings)


@dataclass(frozen=True)
class Verdict:
    """The model's yes or no to one query about one track.

    Attributes:
        stamp_ns: Stamp of the frame pair that the track was shown on.
        query_id: The query's id.
        epoch: The query's epoch when the frame was taken.
        track_id: The track.
        probability: Of a yes, in [0, 1].
    """

    stamp_ns: int
    query_id: str
    epoch: int
    track_id: int
    probability: float


OnAnswer = Callable[[Answer], object]
"""Takes an answer, or a partial one."""
