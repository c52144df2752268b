"""Settings of a pipeline: those of its parts, put together."""

from dataclasses import dataclass, field

from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.limits import Limits
from rtrack_ros.scheduling.detection_feed import FeedPixels
from rtrack_ros.scheduling.scheduler import Schedule
from rtrack_ros.tracking.config import TrackerConfig


@dataclass(frozen=True)
class PipelineConfig:
    """Settings of a pipeline; the model itself says what it can do.

    Attributes:
        tracker: Settings of the tracker; its ``accuracy`` is replaced by the model's, where the
            model knows its own.
        schedule: What the model is asked in which order.
        crops: Whether sure tracks are asked about enlarged, one of ``engines.base.USES``.
        refine: Whether every box of an answer is asked about again, enlarged, likewise; None
            takes 'never' where answers are wanted at once (live) and 'auto' elsewhere.
        max_boxes: Most boxes in one answer.
        limits: How much may be asked for.
        believed: Whether the model passed its self-test. What a model does not list, or denies,
            that failed it ends no track.
        detector: How a detector of our own choice looks.
        feed: Which image a detector outside looks at.
        split_sentences: Whether a sentence that denies or relates is asked as two; one of
            ``engines.base.USES``.
    """

    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    schedule: Schedule = field(default_factory=Schedule)
    crops: str = 'auto'
    refine: str | None = None
    max_boxes: int = 12
    limits: Limits = field(default_factory=Limits)
    believed: bool = True
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    feed: FeedPixels = field(default_factory=FeedPixels)
    split_sentences: str = 'auto'
