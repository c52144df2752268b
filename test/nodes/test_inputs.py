"""Callbacks that fail are reported and counted; the waiting timer runs only while it must."""

import math
import time
from types import SimpleNamespace
from typing import Any

import pytest
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import UnsupportedEventTypeError
from rclpy.qos import HistoryPolicy, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rtrack_ros.msg import ReferringQuery
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from rtrack_ros.nodes.activity import Activity
from rtrack_ros.nodes.inputs import Inputs
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.parameters.values import defaults


class Timer:
    def __init__(self, callback: Any, clock: Clock) -> None:
        self.callback, self.clock, self.running = callback, clock, True

    def cancel(self) -> None:
        self.running = False

    def reset(self) -> None:
        self.running = True

    def is_canceled(self) -> bool:
        return not self.running


class Queue:
    """Stands in for the middleware's side of a subscription."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def __enter__(self) -> 'Queue':
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def take_message(self, kind: Any, raw: bool) -> Any:
        return self.waiting.pop(0) if self.waiting else None


class Node:
    """Stands in for a ROS node: keeps what is created."""

    def __init__(self, events: bool = True) -> None:
        self.events = events
        self.subscriptions: dict[str, Any] = {}
        self.timers: list[Timer] = []

    def resolve_topic_name(self, name: str) -> str:
        return f'/front/{name}'

    def create_subscription(self, kind: Any, topic: str, callback: Any, qos: Any,
                            **options: Any) -> SimpleNamespace:
        if options.get('event_callbacks') and not self.events:
            raise UnsupportedEventTypeError('not here')
        self.subscriptions[topic] = SimpleNamespace(
            topic=topic, kind=kind, msg_type=kind, callback=callback, qos=qos, handle=Queue(),
            **options)
        return self.subscriptions[topic]

    def image(self, camera: str, *messages: str, received_ns: int = 0) -> None:
        """Let images come: the first by the executor, the others lie in the queue behind it."""
        subscription = self.subscriptions[f'/front/{camera}/image_raw']
        first, *others = [(message, {'received_timestamp': received_ns}) for message in messages]
        subscription.handle.waiting += others
        subscription.callback(*first)

    def create_timer(self, period_s: float, callback: Any, clock: Clock) -> Timer:
        self.timers.append(Timer(callback, clock))
        return self.timers[-1]

    def destroy_subscription(self, subscription: SimpleNamespace) -> None:
        del self.subscriptions[subscription.topic]

    def destroy_timer(self, timer: Timer) -> None:
        self.timers.remove(timer)


class Session:
    """Stands in for the session: fails on request."""

    def __init__(self) -> None:
        self.activity = Activity()
        self.waiting = False
        self.received: list[Any] = []
        self.commands = SimpleNamespace(on_sentence=self.take, on_query=self.take)

    def take(self, message: Any) -> None:
        message = getattr(message, 'text', getattr(message, 'data', message))
        if message == 'bad':
            raise ZeroDivisionError('a bug')
        self.received.append(message)

    add_rgb = add_thermal = add_detections = take

    def track_ready(self, newest_only: bool) -> None:
        self.received.append('newest' if newest_only else 'all')

    def publish_status(self) -> None:
        raise KeyError('status')

    def publish_diagnostics(self) -> None:
        pass


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def log(lines: list[str]) -> ThrottledLog:
    return ThrottledLog(SimpleNamespace(warning=lines.append, error=lines.append))


def make_inputs(log: ThrottledLog, node: Node, **changes: object) -> tuple[Inputs, Session]:
    session = Session()
    settings = defaults() | changes
    return Inputs(node, settings, session, log), session


def test_a_failing_callback_is_reported_and_the_next_one_runs(log: ThrottledLog,
                                                              lines: list[str]) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    for message in ('bad', 'good'):
        node.image('rgb', message)
        node.image('thermal', message)
        for topic, kind, field in (('referring_query', String, 'data'),
                                   ('~/query', ReferringQuery, 'text')):
            node.subscriptions[topic].callback(serialize_message(kind(**{field: message})))
    for timer in node.timers:
        timer.callback()
    assert session.received.count('good') == 4
    assert session.activity.callback_errors == 5
    assert 'ZeroDivisionError: a bug' in lines[0]


def test_a_message_that_would_keep_the_camera_waiting_is_refused_unread(
        log: ThrottledLog, lines: list[str]) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    boxes = Detection2DArray(detections=[Detection2D()] * 20_000)
    for topic, message in (('~/query', ReferringQuery(text='x' * 100_000)),
                           ('~/query', ReferringQuery(id='x' * 100_000)),
                           ('referring_query', String(data='x' * 100_000)),
                           ('~/detections', boxes)):
        node.subscriptions[topic].callback(serialize_message(message))
    assert not session.received and session.activity.callback_errors == 4
    assert any('was not read' in line and 'Detection2DArray' in line for line in lines)
    whole = ReferringQuery(id='i' * 64, text='\N{GRINNING FACE}' * 2000)  # as long as may be
    node.subscriptions['~/query'].callback(serialize_message(whole))
    crowd = Detection2DArray(detections=[Detection2D(results=[ObjectHypothesisWithPose()])] * 500)
    node.subscriptions['~/detections'].callback(serialize_message(crowd))
    assert len(session.received) == 2


@pytest.mark.parametrize('topic', ['referring_query', '~/query', '~/detections'])
def test_no_topic_that_anybody_may_write_to_is_without_a_pace(log: ThrottledLog, topic: str
                                                              ) -> None:
    node = Node()
    make_inputs(log, node)
    group, served = node.subscriptions[topic].callback_group, 0
    while group.can_execute(None) and served < 1000:
        group.beginning_execution(None)
        served += 1
    assert 8 <= served < 1000


def test_the_waiting_timer_runs_only_while_an_image_waits(log: ThrottledLog) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    timer = node.timers[0]
    assert not timer.running
    session.waiting = True
    node.image('rgb', 'image')
    assert timer.running
    timer.callback()
    assert timer.running
    session.waiting = False
    timer.callback()
    assert not timer.running


def test_every_timer_runs_where_the_simulated_time_stands_still(log: ThrottledLog) -> None:
    node = Node()
    make_inputs(log, node)
    assert {timer.clock.clock_type for timer in node.timers} == {ClockType.STEADY_TIME}


def test_sentences_are_heard_in_the_namespace_of_the_node(log: ThrottledLog) -> None:
    node = Node()
    make_inputs(log, node)
    assert {'referring_query', '~/query'} <= set(node.subscriptions)


def test_the_compressed_transport_follows_the_remapped_topic(log: ThrottledLog) -> None:
    node = Node()
    make_inputs(log, node, **{'rgb.transport': 'compressed'})
    assert node.subscriptions['/front/rgb/image_raw/compressed'].kind is CompressedImage
    assert node.subscriptions['/front/thermal/image_raw'].kind is Image


def test_each_camera_has_a_profile_of_its_own_that_overrides_may_change(
        log: ThrottledLog) -> None:
    node = Node()
    make_inputs(log, node)
    rgb, thermal = (node.subscriptions[f'/front/{camera}/image_raw'].qos
                    for camera in ('rgb', 'thermal'))
    assert rgb is not thermal
    rgb.reliability = ReliabilityPolicy.RELIABLE  # as rclpy does for qos_overrides
    assert thermal.reliability == ReliabilityPolicy.BEST_EFFORT and thermal.depth == 10
    make_inputs(log, node)
    again = node.subscriptions['/front/rgb/image_raw'].qos
    assert again.reliability == ReliabilityPolicy.BEST_EFFORT


def test_what_came_while_an_image_was_tracked_is_taken_before_the_next_is_tracked(
        log: ThrottledLog) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    node.subscriptions['/front/thermal/image_raw'].handle.waiting = [
        ('thermal 1', None), ('thermal 2', None)]
    node.image('rgb', 'rgb 1', 'rgb 2', 'rgb 3')
    assert session.received == ['rgb 1', 'rgb 2', 'rgb 3', 'thermal 1', 'thermal 2', 'newest']


def test_a_publisher_without_a_pause_does_not_hold_up_tracking(log: ThrottledLog) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    node.image('rgb', *map(str, range(1000)))
    assert session.received[-1] == 'newest' and len(session.received) <= 12


def test_a_replay_keeps_every_image_and_asks_for_reliability(log: ThrottledLog) -> None:
    node = Node()
    _, session = make_inputs(log, node, **{'input.profile': 'replay'})
    qos = node.subscriptions['/front/rgb/image_raw'].qos
    assert qos.reliability == ReliabilityPolicy.RELIABLE
    assert qos.history == HistoryPolicy.KEEP_ALL
    node.image('rgb', 'rgb 1', 'rgb 2')
    assert session.received == ['rgb 1', 'all']


def test_the_time_in_the_queue_is_measured(log: ThrottledLog) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    node.image('rgb', 'rgb 1')
    assert math.isnan(session.activity.behind_ms), 'the middleware told no time'
    node.image('rgb', 'rgb 2', received_ns=time.time_ns() - 2_000_000_000)
    assert session.activity.behind_ms >= 2000.0


def test_a_middleware_without_events_still_delivers(log: ThrottledLog) -> None:
    node = Node(events=False)
    _, session = make_inputs(log, node)
    node.image('rgb', 'image')
    assert session.received == ['image', 'newest']


def test_events_are_explained(log: ThrottledLog, lines: list[str]) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    events = node.subscriptions['/front/rgb/image_raw'].event_callbacks
    events.message_lost(SimpleNamespace(total_count=7, total_count_change=3))
    events.incompatible_qos(SimpleNamespace())
    assert session.activity.messages_lost == 3
    assert '/front/rgb/image_raw: 7 images were lost' in lines[0]
    assert 'qos_overrides./front/rgb/image_raw.subscription.reliability' in lines[1]


def test_nothing_is_left_after_destroy(log: ThrottledLog) -> None:
    node = Node()
    inputs, _ = make_inputs(log, node)
    assert len(node.subscriptions) == 5 and len(node.timers) == 3
    inputs.destroy()
    assert not node.subscriptions and not node.timers
