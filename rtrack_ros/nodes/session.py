"""What exists while the node is configured: the model, and the way of an image through it."""

import time
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray

from rtrack_ros.foreign_text import shown
from rtrack_ros.intake.receiving import Intake, ReceivedPair
from rtrack_ros.limits import limit_named
from rtrack_ros.nodes.activity import Activity
from rtrack_ros.nodes.diagnostics import NO_CLOCK, Health, diagnostic_array, status_message
from rtrack_ros.nodes.model import Model
from rtrack_ros.nodes.publishing import Outputs
from rtrack_ros.nodes.query_topics import QueryCommands
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.parameters.values import feed_pixels, intake_config
from rtrack_ros.scheduling.detection_message import received_boxes

CLOCK_PATIENCE_NS = 3_000_000_000
"""So long a simulated time may take to come before its absence is reported."""


def node_name(node: Node) -> str:
    """Return the name of a node with its namespace, such as 'front/rtrack'."""
    return str(node.get_fully_qualified_name()).lstrip('/')


def _count(sentences: int) -> str:
    return 'nothing' if not sentences else f'{sentences} sentence{"s" * (sentences > 1)}'


class Session:
    """Takes images and commands, tracks, publishes; everything in the executor's one thread.

    Hence neither the session nor what it holds (intake, outputs, counts, log) has a lock. The
    model computes in threads of its own, which the pipeline starts and joins; what they share with
    this thread, the pipeline and the tracker lock themselves.

    Args:
        node: Node that publishes and logs.
        settings: The node's parameters, read by name.
        log: For warnings that may come with every frame.

    Raises:
        EngineError: the model cannot be loaded; the message names the remedy.
    """

    def __init__(self, node: LifecycleNode, settings: Any, log: ThrottledLog) -> None:
        self._node, self._settings, self._log = node, settings, log
        self.activity = Activity()
        self._outputs = Outputs(node, settings, self.activity)
        try:
            self.model = Model(settings, node.get_logger().warning)
        except BaseException:
            self._outputs.destroy()
            raise
        if self.model.verdict is not None and self.model.verdict.ok:
            node.get_logger().info(f'self-test passed: {self.model.verdict}')
        self._intake = Intake(intake_config(settings), log)
        self.commands = QueryCommands(
            self.model.pipeline.queries, lambda why: log.warning(f'query {limit_named(why)}', why),
            self.announce_queries)
        self._announced: set[int] = set()
        self._frame_id = ''
        self._no_time_since_ns = 0
        if settings['query.initial']:
            self.commands.on_sentence(String(data=settings['query.initial']))

    @property
    def waiting(self) -> bool:
        """Whether an RGB image waits for its thermal partner."""
        return self._intake.waiting

    def close(self) -> None:
        """Free the model and remove the publishers."""
        self._outputs.destroy()
        self.model.close()

    def reconfigure(self) -> None:
        """Take over changed parameters of the input."""
        self._intake.configure(intake_config(self._settings))
        self.model.pipeline.detecting.feed.configure(feed_pixels(self._settings))

    def add_rgb(self, message: Image | CompressedImage) -> None:
        """Take an RGB image."""
        self._intake.add_rgb(message)

    def add_thermal(self, message: Image | CompressedImage) -> None:
        """Take a thermal image."""
        self._intake.add_thermal(message)

    def add_detections(self, message: Detection2DArray) -> None:
        """Take what a detector saw; a thread of the pipeline does the rest."""
        feed, offset_ms = self.model.pipeline.detecting.feed, 0.0
        if self._settings['detections.spectrum'] == 'thermal':
            offset_ms = self._intake.thermal_stamp_offset_ms
        try:
            received = received_boxes(message, round(offset_ms * 1e6))
        except ValueError as error:
            feed.refuse(str(error))
            return
        feed.offer(received)

    def track_ready(self, newest_only: bool) -> None:
        """Track every pair that is complete, or the newest of them."""
        for received in self._intake.poll(newest_only):
            self._track(received)

    def _track(self, received: ReceivedPair) -> None:
        pipeline, activity = self.model.pipeline, self.activity
        if received.after_reset:
            pipeline.reset()
        activity.pairs_in += 1
        activity.pairs_without_thermal += received.pair.thermal is None
        activity.pair_rate.tick(received.received_ns)
        self._frame_id = received.header.frame_id
        tracks = pipeline.push(received.pair)
        self._outputs.publish_tracks(received, tracks, pipeline.active_queries())

    def announce_queries(self) -> None:
        """Log and publish which sentences are followed now."""
        queries = self.model.pipeline.active_queries()
        known, self._announced = self._announced, {query.epoch for query in queries}
        # What is new alone: whoever changes sentences quickly would fill the log with the others.
        new = [repr(shown(query.text)) for query in queries if query.epoch not in known]
        self._log.info('following', f'following {_count(len(queries))}'
                       + (f'; new: {", ".join(new)}' if new else ''))
        self._outputs.publish_active(queries)

    def publish_queries(self) -> None:
        """Publish which sentences are followed; nothing changed, so the log says nothing."""
        self._outputs.publish_active(self.model.pipeline.active_queries())

    def publish_status(self) -> None:
        """Publish ``~/status``; a model that fails is named in the log, too."""
        health = self._health()
        if health.model_failure:
            self._log.error('model', health.model_failure)
        if health.clock_silent:
            self._log.warning('clock', NO_CLOCK)
        self._outputs.publish_status(status_message(
            health, self._node.get_clock().now().to_msg(), self._frame_id))

    def publish_diagnostics(self) -> None:
        """Publish ``/diagnostics``."""
        self._outputs.publish_diagnostics(diagnostic_array(
            self._health(), self._node.get_clock().now().to_msg()))

    def _health(self) -> Health:
        pipeline = self.model.pipeline
        return Health(time.monotonic_ns(), self.activity, self._intake, pipeline.stats(),
                      self.model.capabilities, pipeline.active_queries(), pipeline.queries.epoch,
                      self._settings, node_name(self._node),
                      self._node.resolve_topic_name('referring_query'),
                      self._clock_silent())

    def _clock_silent(self) -> bool:
        """Return whether the node has waited in vain for a simulated time."""
        if self._node.get_clock().now().nanoseconds:
            self._no_time_since_ns = 0
            return False
        now_ns = time.monotonic_ns()
        self._no_time_since_ns = self._no_time_since_ns or now_ns
        return now_ns - self._no_time_since_ns >= CLOCK_PATIENCE_NS
