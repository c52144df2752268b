"""Two ways from serialised images to serialised detections, run without DDS to be timed.

One is the code of the node: its intake, its pipeline, its messages. The other is the common way
in ROS: ApproximateTime, cv_bridge, ByteTrack on every frame.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from rtrack_ros.benchmarks.cost.pair_cost import RecordedPair
from rtrack_ros.benchmarks.cost.ros_baseline import (
    RGB,
    THERMAL,
    ApproximateTime,
    imgmsg_to_cv2,
    stretched_thermal,
)
from rtrack_ros.benchmarks.cost.stage_clock import StageClock
from rtrack_ros.evaluation.streaming.bytetrack import ByteTrack
from rtrack_ros.intake.config import IntakeConfig
from rtrack_ros.intake.messages import stamp_of
from rtrack_ros.intake.receiving import Intake
from rtrack_ros.language.answers import Answer, Box, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.nodes.conversion import (
    detections_message,
    image_message,
)
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.pipeline import TrackingPipeline
from rtrack_ros.simulation import SimFrame
from rtrack_ros.tracking.motion.field import OpticalFlow
from rtrack_ros.tracking.redetection import Redetector
from rtrack_ros.tracking.track import Belief, Track, TrackState, published
from rtrack_ros.tracking.tracker import Tracker

_FIRST_STAMP_NS = 1_000_000_000


def receive(data: bytes) -> Image:
    """Return the image message that the middleware delivers."""
    return deserialize_message(data, Image)


def publish(tracks: Iterable[Track], header: Header, sentences: Mapping[str, str]) -> bytes:
    """Return the array of detections as it goes to the middleware."""
    return bytes(serialize_message(detections_message(tracks, header, sentences)))


def recorded_pair(frame: SimFrame) -> RecordedPair:
    """Return a simulated frame as rgb8 and mono16 messages under one stamp."""
    header = Header(frame_id='rgb_optical_frame')
    header.stamp.sec, header.stamp.nanosec = divmod(_FIRST_STAMP_NS + frame.stamp_ns, 10**9)
    return RecordedPair(bytes(serialize_message(image_message(frame.rgb, 'rgb8', header))),
                        bytes(serialize_message(image_message(frame.thermal, 'mono16', header))))


class NodePath:
    """The way of the tracker node, with its parameters at their defaults.

    Args:
        queries: What is followed; answers come by ``apply``.
        clock: Counts the stages.
    """

    def __init__(self, queries: Sequence[Query], clock: StageClock) -> None:
        self._clock = clock
        self._intake = clock.timed('intake', Intake(
            IntakeConfig(), ThrottledLog(logging.getLogger(__name__))))
        self._pipeline = TrackingPipeline(None, tracker=Tracker(
            motion=clock.timed('flow', OpticalFlow()),
            redetector=clock.timed('siamese', Redetector())))
        for query in queries:
            self._pipeline.set_query(query.text, query.id)

    def process(self, pair: RecordedPair, boxes: Sequence[Box]) -> bytes | None:
        """Take both images as the node's callbacks do; ``boxes`` are of no use to it."""
        stage = self._clock.stage
        with stage('receive'):
            thermal, rgb = receive(pair.thermal), receive(pair.rgb)
        self._intake.add_thermal(thermal)
        self._intake.add_rgb(rgb)
        array = None
        for received in self._intake.poll():
            with stage('tracking'):
                tracks = self._pipeline.push(received.pair)
            with stage('publish'):
                sentences = {query.id: query.text for query in self._pipeline.active_queries()}
                array = publish(published(tracks), received.header, sentences)
        return array

    def apply(self, answer: Answer) -> None:
        """Correct the tracks by an answer."""
        self._pipeline.tracker.apply(_on_the_wire(answer))

    def alive(self) -> int:
        """Return the number of tracks alive."""
        return len(self._pipeline.tracker.tracks())


class CommonPath:
    """ApproximateTime, cv_bridge's copies, ByteTrack of the package ``trackers`` on every frame.

    One ByteTrack serves all queries, which is the cheapest way to serve them. Association counts
    as 'tracking'.

    Args:
        clock: Counts the stages.

    Raises:
        ModuleNotFoundError: ``trackers`` is not installed.
    """

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock
        self._pairing: ApproximateTime[Image] = ApproximateTime()
        self._tracker = ByteTrack()
        self._alive = 0

    def process(self, pair: RecordedPair, boxes: Sequence[Box]) -> bytes | None:
        """Pair, convert both images as a detector needs them, and associate its boxes."""
        stage = self._clock.stage
        with stage('receive'):
            thermal, rgb = receive(pair.thermal), receive(pair.rgb)
        with stage('intake'):
            self._pairing.add(THERMAL, stamp_of(thermal), thermal)
            matched = self._pairing.add(RGB, stamp_of(rgb), rgb)
            if matched is None:
                return None
            stretched_thermal(imgmsg_to_cv2(matched[1]), (rgb.width, rgb.height))
            imgmsg_to_cv2(matched[0], 'bgr8')
        with stage('tracking'):
            found = Answer(stamp_of(rgb), '', 0, tuple(Grounding(box, 'object') for box in boxes))
            beliefs = (Belief('', 1.0, 1.0, TrackState.CONFIRMED, 0),)
            tracks = [Track(identity, box, (0.0, 0.0), 1.0, 'object', beliefs)
                      for identity, box in self._tracker.associate(found)]
        self._alive = len(tracks)
        with stage('publish'):
            return publish(tracks, rgb.header, {})

    def apply(self, answer: Answer) -> None:
        """Do nothing: its boxes come with every frame."""

    def alive(self) -> int:
        """Return the number of objects with an identity."""
        return self._alive


def _on_the_wire(answer: Answer) -> Answer:
    """Return an answer about the stamp that the frame was recorded under."""
    return Answer(answer.stamp_ns + _FIRST_STAMP_NS, answer.query_id, answer.epoch,
                  answer.groundings)
