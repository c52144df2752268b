"""Whoever sends faster than the pace waits; nobody else does."""

import uuid
from typing import Any

import pytest
from std_msgs.msg import String

from rtrack_ros.nodes.pacing import Pace, PacedGroup, pace_services


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def served(pace: Pace) -> int:
    """Return how many are served now."""
    count = 0
    while pace.ready:
        pace.serve()
        count += 1
    return count


def test_a_burst_is_served_at_once_and_then_the_rate() -> None:
    clock = Clock()
    pace = Pace(lambda: 20.0, 64, clock)
    assert served(pace) == 64
    for _ in range(10):
        clock.now += 0.25
        assert served(pace) == 5
    clock.now += 1000.0  # a quiet hour gives no more than a burst
    assert served(pace) == 64


def test_a_rate_that_changes_counts_from_now_on() -> None:
    clock, rates = Clock(), [1.0]
    pace = Pace(lambda: rates[0], 1, clock)
    assert served(pace) == 1
    clock.now += 0.5
    assert served(pace) == 0
    rates[0] = 100.0
    clock.now += 0.01
    assert served(pace) == 1


@pytest.fixture
def ros(request: pytest.FixtureRequest) -> Any:
    rclpy = pytest.importorskip('rclpy')
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node(f'paced_{uuid.uuid4().hex[:8]}', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node, executor
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_a_flood_on_one_topic_leaves_the_executor_to_the_others(ros: Any) -> None:
    node, executor = ros
    clock, heard, waited = Clock(), {'flood': 0, 'other': 0}, []
    group = PacedGroup(Pace(lambda: 20.0, 8, clock), lambda: waited.append(1))

    def hear(name: str) -> Any:
        def count(message: String) -> None:
            heard[name] += 1
        return count
    node.create_subscription(String, '~/flood', hear('flood'), 64, callback_group=group)
    node.create_subscription(String, '~/other', hear('other'), 64)
    flood, other = (node.create_publisher(String, f'~/{name}', 64) for name in heard)
    for _ in range(50):
        flood.publish(String(data='x'))
        other.publish(String(data='x'))
    for _ in range(2000):
        if heard['other'] == 50:
            break
        executor.spin_once(timeout_sec=0.05)
    for _ in range(20):  # nothing of the flood is left to be looked at
        executor.spin_once(timeout_sec=0.0)
    assert heard == {'flood': 8, 'other': 50} and waited
    clock.now += 0.25  # five more are due
    for _ in range(200):
        executor.spin_once(timeout_sec=0.01)
    assert heard['flood'] == 13


def test_every_service_of_a_node_has_a_pace_of_its_own(ros: Any) -> None:
    node, _ = ros
    assert len(list(node.services)) > 3  # those of the parameters
    pace_services(node, lambda: 1.0, 2)
    first, second, *_ = node.services
    for _ in range(2):
        assert first.callback_group.can_execute(first)
        first.callback_group.beginning_execution(first)
    assert not first.callback_group.can_execute(first)
    assert second.callback_group.can_execute(second)
