"""Methods with a detector: ours, and trackers that are made for one, with the same verdicts."""

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtrack_ros.boxes import as_boxes, clip
from rtrack_ros.detections import Detections
from rtrack_ros.evaluation.streaming.baselines import Ours, as_array
from rtrack_ros.evaluation.streaming.latency import LatencyProfile, verify_s
from rtrack_ros.evaluation.streaming.protocol import Array, Asked
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding, Verdict
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.expected_gain import Worth
from rtrack_ros.scheduling.scheduler import Schedule, Scheduler
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import Track

_OBJECTS_PER_QUESTION = 4
_FRAMES_REMEMBERED = 150
_FORGET = 0.98
# How long an answer takes is known before it is asked for as little as its boxes are: take two.
_LIKELY = Answer(0, '', 0, (Grounding((0.0, 0.0, 1.0, 1.0), ''),) * 2)


class OursDetecting(Ours):
    """Our tracker with a detector; the model still says where what is meant is."""

    def on_detections(self, detections: Detections) -> None:
        """Follow what the detector saw."""
        self.tracker.detect(detections)


class OursJudging(OursDetecting):
    """Our tracker with a detector, and the model as a judge wherever that is worth more.

    Args:
        config: Tracker settings.
        profile: How long the engine takes, to weigh its questions.
    """

    def __init__(self, config: TrackerConfig, profile: LatencyProfile) -> None:
        super().__init__(config)
        worth = Worth(ground_s=profile.delay_s(_LIKELY), verify_s=verify_s(profile, 1))
        self._scheduler = Scheduler(Schedule(worth=worth), config)
        self._tracks: list[Track] = []

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Track the pair and publish what is meant."""
        self._tracks = self.tracker.step(pair, (query,))
        return self._published(self._tracks)

    def choose(self, pair: FramePair, query: Query) -> Asked:
        """Return the objects that the scheduler wants judged."""
        (question,) = self._scheduler.questions(pair, [query], self._tracks)
        self._scheduler.asked(question, pair.stamp_ns)
        return tuple((track.id, track.box) for track in question.objects)

    def on_verdict(self, verdict: Verdict) -> None:
        """Weigh a yes or no."""
        self.tracker.judge(verdict)


@dataclass
class _Heard:
    """What was said about one identity: log odds of yes, and the stamp of the last verdict."""

    log_odds: float = 0.0
    stamp_ns: int = 0


class DetectorTracker:
    """A tracker of the package ``trackers`` on the detections, published where the judge says yes.

    The verdicts on an identity are added up as log odds, which fade by 2 % a verdict. Identities
    that were never judged are asked about first, then those judged longest ago, four in a
    question. Every pair is published with the boxes of the newest update, predicted to its stamp
    by the tracker's own filter, as for :class:`bytetrack.ByteTrack`.

    Args:
        name: Class in ``trackers``.
        settings: Its settings besides how long tracks are remembered.

    Raises:
        ModuleNotFoundError: the package is not installed; it comes with the extra bytetrack.
    """

    wants_partial = False

    def __init__(self, name: str, **settings: Any) -> None:
        import trackers

        self._tracker = getattr(trackers, name)(lost_track_buffer=_FRAMES_REMEMBERED, **settings)
        self._shown: list[int] = []
        self._boxes: dict[int, tuple[float, float, float, float]] = {}
        self._heard: dict[int, _Heard] = {}

    def on_detections(self, detections: Detections) -> None:
        """Associate a set of detections."""
        from supervision import Detections as Supervised

        boxes = as_boxes([item.box for item in detections.detections])
        scores = np.array([item.score for item in detections.detections])
        tracked = self._tracker.update(Supervised(xyxy=boxes, confidence=scores),
                                       timestamp=detections.stamp_ns * 1e-9)
        self._shown = [int(identity) for identity in tracked.tracker_id if identity >= 0]

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        """Publish where the identities that the judge affirmed should be by now."""
        from supervision import Detections as Supervised

        ahead = copy.deepcopy(self._tracker)
        ahead.update(Supervised.empty(), timestamp=pair.stamp_ns * 1e-9)
        tracked = ahead.tracked_objects
        boxes = clip(as_boxes(tracked.xyxy), pair.width, pair.height)
        array = as_array(boxes, [int(identity) + 1 for identity in tracked.tracker_id])
        self._boxes = {identity: box for identity, box in array if identity - 1 in self._shown}
        return tuple((identity, box) for identity, box in self._boxes.items()
                     if self._heard.get(identity, _Heard()).log_odds > 0)

    def on_answer(self, answer: Answer) -> Array | None:
        """Do nothing: this method has no use for boxes of the model."""
        return None

    def choose(self, pair: FramePair, query: Query) -> Asked:
        """Return identities never judged, then those judged longest ago."""
        waiting = sorted(self._boxes, key=lambda identity: self._heard.get(
            identity, _Heard()).stamp_ns)
        return tuple((identity, self._boxes[identity])
                     for identity in waiting[:_OBJECTS_PER_QUESTION])

    def on_verdict(self, verdict: Verdict) -> None:
        """Add a yes or no up."""
        heard = self._heard.setdefault(verdict.track_id, _Heard())
        odds = math.log(verdict.probability / (1 - verdict.probability))
        heard.log_odds = _FORGET * heard.log_odds + odds
        heard.stamp_ns = verdict.stamp_ns
