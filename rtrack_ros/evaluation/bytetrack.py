"""ByteTrack of the package ``trackers`` on the model's answers, as a baseline."""

import numpy as np

from rtrack_ros.boxes import as_boxes
from rtrack_ros.evaluation.baselines import as_array
from rtrack_ros.evaluation.streaming import Array
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import Query


class ByteTrack:
    """ByteTrack (Zhang et al., ECCV 2022) with the package's defaults, one update an answer.

    An answer is the detections of one of its frames. What ``update`` returns is published on
    arrival and stands until the next answer: its association wants detections on consecutive
    frames, so that it cannot be stepped on frames without an answer.

    Raises:
        ModuleNotFoundError: the package is not installed; it comes with the extra bytetrack.
    """

    def __init__(self) -> None:
        from trackers import ByteTrackTracker

        self._tracker = ByteTrackTracker()

    def see(self, pair: FramePair, query: Query) -> Array | None:
        """Publish nothing new."""
        return None

    def hear(self, answer: Answer) -> Array | None:
        """Associate the answer and publish what has an identity."""
        from supervision import Detections

        boxes = as_boxes([grounding.box for grounding in answer.groundings])
        scores = np.array([grounding.score for grounding in answer.groundings])
        tracked = self._tracker.update(Detections(xyxy=boxes, confidence=scores))
        known = tracked.tracker_id >= 0
        return as_array(as_boxes(tracked.xyxy)[known],
                        [int(identity) + 1 for identity in tracked.tracker_id[known]])
