"""A node is served until it is shut down, and ends in order wherever the signal strikes."""

import os
import threading
from collections.abc import Iterator

import pytest

rclpy = pytest.importorskip('rclpy', reason='needs ROS 2')

from rclpy.node import Node  # noqa: E402

from rtrack_ros.nodes import spinning  # noqa: E402

DOMAIN = 1 + os.getpid() % 101


@pytest.fixture
def node() -> Iterator[Node]:
    rclpy.init(domain_id=DOMAIN)
    made = Node('spun', enable_rosout=False)
    yield made
    made.destroy_node()
    rclpy.try_shutdown()


def test_an_error_of_a_callback_is_told_and_the_node_goes_on(node: Node) -> None:
    calls: list[int] = []
    told: list[Exception] = []

    def work() -> None:
        calls.append(len(calls))
        if len(calls) == 3:
            rclpy.shutdown()
        else:
            raise ValueError(f'call {len(calls)}')

    node.create_timer(0.01, work)
    spinning.spin(node, told.append)
    assert [str(error) for error in told] == ['call 1', 'call 2']
    assert len(calls) == 3


def test_an_error_of_a_callback_ends_a_node_that_does_not_want_to_be_told(node: Node) -> None:
    def work() -> None:
        raise OSError('disk full')

    node.create_timer(0.01, work)
    with pytest.raises(OSError, match='disk full'):
        spinning.spin(node)


def test_a_context_that_ends_before_it_is_waited_in_is_no_error(
        node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes after rclpy has asked whether all is well, before it waits."""
    ask = spinning.rclpy.ok

    def ask_too_early() -> bool:
        well = ask()
        rclpy.try_shutdown()
        return bool(well)

    monkeypatch.setattr(spinning.rclpy, 'ok', ask_too_early)
    told: list[Exception] = []
    spinning.spin(node, told.append)
    assert told == []


def test_an_interrupt_between_two_callbacks_ends_the_node_in_order(
        node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(spinning.rclpy, 'ok', interrupted)
    spinning.spin(node)


def test_a_context_that_ends_without_waking_the_node_is_noticed(node: Node) -> None:
    """As where the signal strikes between two waits: its wake-up call is spent by then."""
    spun = threading.Thread(target=spinning.spin, args=(node,), daemon=True)
    spun.start()
    spun.join(0.3)
    assert spun.is_alive()
    context = rclpy.get_default_context()
    with context.handle:
        context.handle.shutdown()
    spun.join(30.0)
    assert not spun.is_alive()
