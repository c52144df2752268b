"""What the node publishes: tracks, status, diagnostics, the active query, the debug image."""

import time
from collections.abc import Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray

from rtrack_ros.intake.receiving import ReceivedPair
from rtrack_ros.language.queries import Query
from rtrack_ros.msg import TrackerStatus
from rtrack_ros.nodes.activity import Activity
from rtrack_ros.nodes.annotations import FOXGLOVE, annotations_message
from rtrack_ros.nodes.conversion import (
    detections_message,
    image_message,
    objects_message,
)
from rtrack_ros.nodes.debug_image import draw
from rtrack_ros.tracking.track import Track, TrackState, published

FOREIGN_CLOCK_MS = 60_000.0
"""A stamp this far from the node's clock belongs to another clock: an old recording, say."""


class Outputs:
    """The node's publishers; lifecycle publishers are silent unless the node is active.

    Args:
        node: Node that owns the publishers.
        settings: The node's parameters, read by name.
        activity: Where published arrays and latencies are counted.
    """

    def __init__(self, node: LifecycleNode, settings: Any, activity: Activity) -> None:
        latched = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                             durability=DurabilityPolicy.TRANSIENT_LOCAL)
        offer = node.create_lifecycle_publisher
        self._node, self._settings, self._activity = node, settings, activity
        self._tracks = offer(Detection2DArray, '~/tracks', 10)
        self._tentative = offer(Detection2DArray, '~/debug/tentative_tracks', 10)
        self._objects = offer(Detection2DArray, '~/debug/objects', 10)
        self._image = offer(Image, '~/debug/image', 2)
        self._status = offer(TrackerStatus, '~/status', 10)
        self._diagnostics = offer(DiagnosticArray, '/diagnostics', 10)
        self._query = offer(String, '~/active_query', latched)
        # Where Foxglove's messages are installed.
        self._annotations = FOXGLOVE and offer(FOXGLOVE.ImageAnnotations, '~/annotations', 10)
        self._drawn_ns = 0

    def destroy(self) -> None:
        """Remove the publishers from the node."""
        for publisher in (self._tracks, self._tentative, self._objects, self._image, self._status,
                          self._diagnostics, self._query, self._annotations):
            if publisher is None:
                continue
            self._node.destroy_lifecycle_publisher(publisher)

    def publish_tracks(self, received: ReceivedPair, tracks: Sequence[Track],
                       queries: Sequence[Query]) -> None:
        """Publish one array for one RGB image, then what is for debugging."""
        sentences = {query.id: query.text for query in queries}
        confirmed = published(tracks)
        self._tracks.publish(detections_message(confirmed, received.header, sentences))
        self._count(received, len(confirmed))
        if self._tentative.get_subscription_count():
            others = [track for track in tracks if track.state is TrackState.TENTATIVE]
            self._tentative.publish(objects_message(others, received.header, sentences))
        if self._objects.get_subscription_count():
            self._objects.publish(objects_message(tracks, received.header, sentences))
        if self._annotations is not None and self._annotations.get_subscription_count():
            self._annotations.publish(annotations_message(confirmed, received.header, sentences))
        if self._image.get_subscription_count():
            self._publish_image(received, confirmed, sentences)

    def publish_active(self, queries: Sequence[Query]) -> None:
        """Publish the active sentences, one per line; latched for late subscribers."""
        self._query.publish(String(data='\n'.join(query.text for query in queries)))

    def publish_status(self, message: TrackerStatus) -> None:
        """Publish the status."""
        self._status.publish(message)

    def publish_diagnostics(self, message: DiagnosticArray) -> None:
        """Publish the diagnostics."""
        self._diagnostics.publish(message)

    def _count(self, received: ReceivedPair, tracks: int) -> None:
        self._activity.arrays_out += 1
        self._activity.tracks = tracks
        self._activity.receive_to_publish.add((time.monotonic_ns() - received.received_ns) * 1e-6)
        lag_ms = (self._node.get_clock().now().nanoseconds - received.pair.stamp_ns) * 1e-6
        if abs(lag_ms) < FOREIGN_CLOCK_MS:
            self._activity.stamp_to_publish.add(lag_ms)

    def _publish_image(self, received: ReceivedPair, tracks: Sequence[Track],
                       sentences: dict[str, str]) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._drawn_ns < 1e9 / self._settings['debug.image_rate_hz']:
            return
        self._drawn_ns = now_ns
        picture = draw(received.pair, tracks, list(sentences.values()), received.thermal)
        self._image.publish(image_message(picture, 'rgb8', received.header))
