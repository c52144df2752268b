"""Callbacks that fail are reported and counted; the waiting timer runs only while it must."""

from types import SimpleNamespace
from typing import Any

import pytest
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import UnsupportedEventTypeError
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

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


class Node:
    """Stands in for a ROS node: keeps what is created."""

    def __init__(self, events: bool = True) -> None:
        self.events = events
        self.subscriptions: dict[str, Any] = {}
        self.timers: list[Timer] = []

    def resolve_topic_name(self, name: str) -> str:
        return f'/front/{name}'

    def create_subscription(self, kind: Any, topic: str, callback: Any, qos: Any,
                            **options: Any) -> str:
        if options.get('event_callbacks') and not self.events:
            raise UnsupportedEventTypeError('not here')
        self.subscriptions[topic] = SimpleNamespace(kind=kind, callback=callback, qos=qos,
                                                    **options)
        return topic

    def create_timer(self, period_s: float, callback: Any, clock: Clock) -> Timer:
        self.timers.append(Timer(callback, clock))
        return self.timers[-1]

    def destroy_subscription(self, topic: str) -> None:
        del self.subscriptions[topic]

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
        if message == 'bad':
            raise ZeroDivisionError('a bug')
        self.received.append(message)

    on_rgb = on_thermal = take

    def track_ready(self) -> None:
        self.received.append('look')

    def publish_status(self) -> None:
        raise KeyError('status')

    publish_diagnostics = track_ready


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
    for subscription in node.subscriptions.values():
        subscription.callback('bad')
        subscription.callback('good')
    for timer in node.timers:
        timer.callback()
    assert session.received.count('good') == 4
    assert session.activity.callback_errors == 5
    assert 'ZeroDivisionError: a bug' in lines[0]


def test_the_waiting_timer_runs_only_while_an_image_waits(log: ThrottledLog) -> None:
    node = Node()
    _, session = make_inputs(log, node)
    timer = node.timers[0]
    assert not timer.running
    session.waiting = True
    node.subscriptions['/front/rgb/image_raw'].callback('image')
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


def test_a_middleware_without_events_still_delivers(log: ThrottledLog) -> None:
    node = Node(events=False)
    _, session = make_inputs(log, node)
    node.subscriptions['/front/rgb/image_raw'].callback('image')
    assert session.received == ['image']


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
    assert len(node.subscriptions) == 4 and len(node.timers) == 3
    inputs.destroy()
    assert not node.subscriptions and not node.timers
