"""Observation: the boxes that somebody gives for one frame, an answer or a detector.

Both take the same way into the past. They differ in what they are evidence of: an answer says what
its sentence means, a detector what is there.
"""

from dataclasses import dataclass, replace

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.detections import Detections
from rtrack_ros.frames import Region
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.tracking.belief import Key
from rtrack_ros.tracking.config import TrackerConfig


@dataclass(frozen=True)
class Observation:
    """Boxes on one frame, and who gives them.

    Attributes:
        stamp_ns: Stamp of the frame.
        key: The sentence that is answered; None for a detector.
        groundings: The boxes, in pixels of the original RGB image.
        accuracy: How far the source can be trusted.
        region: The part of the RGB image that was looked at; None for all of it.
        partial: Whether more boxes may follow, and a missing box says nothing yet.
        weight: What it weighs, in [0, 1]: of a detector what it says that the set before did not
            say already, of an answer what it leaves out.
    """

    stamp_ns: int
    key: Key | None
    groundings: tuple[Grounding, ...]
    accuracy: AnswerAccuracy
    region: Region | None = None
    partial: bool = False
    weight: float = 1.0


def of_answer(answer: Answer, config: TrackerConfig) -> Observation:
    """Return an answer as an observation."""
    return Observation(answer.stamp_ns, (answer.query_id, answer.epoch), answer.groundings,
                       config.accuracy, answer.region, answer.partial, answer.trust)


def of_detections(detections: Detections, since_s: float, config: TrackerConfig) -> Observation:
    """Return a set of detections as an observation.

    A detector repeats its errors from frame to frame, so that a set counts the less, the sooner it
    follows the one before.

    Args:
        detections: Boxes in RGB pixels.
        since_s: Seconds since the frame of the set before; infinite for the first.
        config: Tracker settings.
    """
    groundings = tuple(Grounding(item.box, item.label, item.score)
                       for item in detections.detections)
    weight = min(1.0, max(since_s, 1e-3) / config.detection_correlation_s)
    return Observation(detections.stamp_ns, None, groundings, detector_accuracy(config),
                       weight=weight)


def detector_accuracy(config: TrackerConfig) -> AnswerAccuracy:
    """Return how far the detector can be trusted, by the settings."""
    return replace(config.accuracy,
                   detection_probability=config.detector_recall,
                   false_alarm_probability=config.detector_false_alarms,
                   centre_noise=config.detector_noise, size_noise=config.detector_noise)
