"""ByteTrack of the package ``trackers`` on the model's answers, as a baseline."""

import copy

import numpy as np

from rtrack_ros.boxes import as_boxes, clip
from rtrack_ros.evaluation.streaming.baselines import as_array
from rtrack_ros.evaluation.streaming.protocol import Array
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import Query

_FRAMES_REMEMBERED = 150
_DETECTIONS_TO_SURVIVE = 1


class ByteTrack:
    """ByteTrack (Zhang et al., ECCV 2022), one update for every answer, at the answer's stamp.

    Three things help it with seldom detections: a new track survives a missed answer, tracks are
    remembered for five seconds instead of one (150 of the package's frames at 30 Hz), and every
    pair is published with the boxes of the newest update predicted to its stamp by ByteTrack's own
    Kalman filter. All else is the package's default; an identity is given at the second detection.

    Raises:
        ModuleNotFoundError: the package is not installed; it comes with the extra bytetrack.
    """

    wants_partial = False

    def __init__(self) -> None:
        from trackers import ByteTrackTracker

        self._tracker = ByteTrackTracker(lost_track_buffer=_FRAMES_REMEMBERED,
                                         minimum_consecutive_frames=_DETECTIONS_TO_SURVIVE)
        self._shown: list[int] = []

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Publish where the boxes of the newest answer should be by now."""
        from supervision import Detections

        # A frame without detections would end young tracks, so that a copy looks ahead.
        ahead = copy.deepcopy(self._tracker)
        ahead.update(Detections.empty(), timestamp=pair.stamp_ns * 1e-9)
        tracked = ahead.tracked_objects
        known = np.isin(tracked.tracker_id, self._shown)
        boxes = clip(as_boxes(tracked.xyxy)[known], pair.width, pair.height)
        return as_array(boxes, [int(identity) + 1 for identity in tracked.tracker_id[known]])

    def on_answer(self, answer: Answer) -> Array | None:
        """Associate the answer; the next pair shows it."""
        self.associate(answer)
        return None

    def associate(self, answer: Answer) -> Array:
        """Associate the answer; returns those of its boxes that have an identity."""
        from supervision import Detections

        boxes = as_boxes([grounding.box for grounding in answer.groundings])
        scores = np.array([grounding.score for grounding in answer.groundings])
        tracked = self._tracker.update(Detections(xyxy=boxes, confidence=scores),
                                       timestamp=answer.stamp_ns * 1e-9)
        known = tracked.tracker_id >= 0
        self._shown = [int(identity) for identity in tracked.tracker_id[known]]
        return as_array(as_boxes(tracked.xyxy)[known], [identity + 1 for identity in self._shown])
