"""Subscriptions and timers of the active node, and the guard around every callback."""

import functools
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray

from rtrack_ros.intake.transports import RAW, topic_of
from rtrack_ros.msg import ReferringQuery
from rtrack_ros.nodes.bounded import bounded
from rtrack_ros.nodes.camera_queue import REPLAY, CameraQueue, camera_qos
from rtrack_ros.nodes.pacing import Pace, PacedGroup
from rtrack_ros.nodes.session import Session
from rtrack_ros.nodes.throttled_log import ThrottledLog

try:
    from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # the name before ROS 2 Iron
    from rclpy.qos_event import SubscriptionEventCallbacks, UnsupportedEventTypeError

WAIT_PERIOD_S = 0.005
"""How often an RGB image that waits for its thermal partner is looked at."""
COMMANDS_DEPTH = 64
"""Commands that wait: more than there may be sentences, so that all can be set at once."""
COMMAND_BYTES = 32_768
"""Far more than a sentence and an id may have."""
DETECTIONS_HZ, DETECTIONS_BURST = 240.0, 20
"""Twice what a fast detector sends."""
DETECTIONS_BYTES = 1 << 20
"""About 1500 boxes; a crowd is a few hundred."""


class Inputs:
    """Whatever calls the session; made on activation and destroyed on deactivation.

    Messages, timers and events of the middleware all come in the executor's one thread, one after
    the other: a callback never meets another one half-way, and nothing here needs a lock.

    Args:
        node: Node that owns subscriptions and timers.
        settings: The node's parameters, read by name.
        session: Takes the messages.
        log: Where exceptions of callbacks are reported.
    """

    def __init__(self, node: LifecycleNode, settings: Any, session: Session,
                 log: ThrottledLog) -> None:
        self._node, self._settings, self._session, self._log = node, settings, session, log
        # The node's own clock stands still where use_sim_time waits for /clock.
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers = [self._every(WAIT_PERIOD_S, self._look_again),
                        self._every(1.0 / settings['status.rate_hz'], session.publish_status),
                        self._every(1.0 / settings['diagnostics.rate_hz'],
                                    session.publish_diagnostics)]
        self._wait_timer = self._timers[0]
        self._wait_timer.cancel()
        self._replay = settings['input.profile'] == REPLAY
        self._queues = {'rgb': CameraQueue(session.add_rgb),
                        'thermal': CameraQueue(session.add_thermal)}
        self._subscriptions = [
            *(self._camera(camera, queue) for camera, queue in self._queues.items()),
            self._command(String, 'referring_query', session.commands.on_sentence),
            self._command(ReferringQuery, '~/query', session.commands.on_query),
            node.create_subscription(
                Detection2DArray, '~/detections',
                self._guarded(bounded(Detection2DArray, DETECTIONS_BYTES, session.add_detections)),
                qos_profile_sensor_data, raw=True,
                callback_group=PacedGroup(Pace(lambda: DETECTIONS_HZ, DETECTIONS_BURST)),
                qos_overriding_options=QoSOverridingOptions.with_default_policies())]

    def destroy(self) -> None:
        """Receive nothing any more."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        for timer in self._timers:
            self._node.destroy_timer(timer)

    def _command(self, kind: type, topic: str, callback: Callable[..., None]) -> Any:
        """Subscribe to commands, which are carried out at a pace: each costs images their time."""
        def rate_hz() -> float:
            return float(self._settings['limits.commands_hz'])

        def tell() -> None:
            self._log.warning(f'pace {topic}', f'{topic}: commands come faster than '
                              f'{rate_hz():g} a second; they wait, and all but the newest '
                              f'{COMMANDS_DEPTH} are lost (limits.commands_hz)')
        return self._node.create_subscription(
            kind, topic, self._guarded(bounded(kind, COMMAND_BYTES, callback)), COMMANDS_DEPTH,
            raw=True, callback_group=PacedGroup(Pace(rate_hz, COMMANDS_DEPTH), tell))

    def _camera(self, camera: str, images: CameraQueue) -> Any:
        profile = camera_qos(self._settings['input.profile'])
        receive = self._guarded(images.receiver(self._track))
        subscription = self._subscribe(camera, receive, profile)
        images.serve(subscription)
        return subscription

    def _subscribe(self, camera: str, callback: Callable[..., None], profile: QoSProfile) -> Any:
        # A remapping of the image topic must move its compressed variant as well.
        transport = self._settings[f'{camera}.transport']
        topic = topic_of(self._node.resolve_topic_name(f'{camera}/image_raw'), transport)
        kind = Image if transport == RAW else CompressedImage
        subscribe = functools.partial(
            self._node.create_subscription, kind, topic, callback, profile,
            qos_overriding_options=QoSOverridingOptions.with_default_policies())
        try:
            return subscribe(event_callbacks=SubscriptionEventCallbacks(
                incompatible_qos=self._guarded(lambda event: self._explain_qos(topic)),
                message_lost=self._guarded(lambda event: self._count_lost(topic, event))))
        except UnsupportedEventTypeError:  # not every middleware reports these events
            return subscribe()

    def _every(self, period_s: float, callback: Callable[[], None]) -> Any:
        return self._node.create_timer(period_s, self._guarded(callback), clock=self._steady)

    def _track(self) -> None:
        if not self._replay:
            # What came while the last image was tracked: the newest of it counts.
            for images in self._queues.values():
                images.drain()
        self._session.activity.behind_ms = self._queues['rgb'].behind_ms
        self._session.track_ready(newest_only=not self._replay)
        # The timer runs only while an RGB image waits: an idle one costs 5 % of a core.
        if self._session.waiting and self._wait_timer.is_canceled():
            self._wait_timer.reset()

    def _look_again(self) -> None:
        self._track()
        if not self._session.waiting:
            self._wait_timer.cancel()

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Return the callback with its exceptions caught, reported and counted."""
        @functools.wraps(callback)
        def guarded(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                self._session.activity.callback_errors += 1
                self._log.error(f'{callback} {type(error)}', 'a frame or message was skipped: '
                                f'{type(error).__name__}: {error}')
        return guarded

    def _count_lost(self, topic: str, event: Any) -> None:
        self._session.activity.messages_lost += event.total_count_change
        self._log.warning(f'lost {topic}', f'{topic}: {event.total_count} images were lost on the '
                          'way so far; give the shared memory of the camera driver more room '
                          '(config/fastdds.xml), or subscribe reliably with -p qos_overrides.'
                          f'{topic}.subscription.reliability:=reliable')

    def _explain_qos(self, topic: str) -> None:
        self._log.warning(f'qos {topic}', f'{topic}: a publisher offers less than this node asks '
                          f'for; start it with -p qos_overrides.{topic}.subscription.'
                          'reliability:=best_effort, or change the publisher')
