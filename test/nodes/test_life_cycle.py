"""Refused transitions are answered, and a failed configure is told on /diagnostics."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor

from rtrack_ros.nodes.tracker_node import TrackerNode, main, without_parameters

# One of its own, or a second run beside this one would answer for it.
DOMAIN = 1 + os.getpid() % 101


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., TrackerNode]]:
    """Make the node in a context of its own; the model is a script that is not there yet."""
    made: list[TrackerNode] = []

    def make(problem: str = '', *arguments: str) -> TrackerNode:
        rclpy.init(domain_id=DOMAIN, args=[
            '--ros-args', '-r', '__ns:=/front', '-p', 'engine.name:=scripted', '-p',
            f'engine.model:={tmp_path / "script.json"}', *arguments])
        made.append(TrackerNode(problem))
        return made[0]

    yield make
    made[0].close()
    made[0].destroy_node()
    rclpy.try_shutdown()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[DiagnosticArray]:
    """Return what any publisher sends on /diagnostics."""
    sent: list[DiagnosticArray] = []
    create = TrackerNode.create_publisher

    def record(node: TrackerNode, kind: Any, *rest: Any, **options: Any) -> Any:
        publisher = create(node, kind, *rest, **options)
        if kind is DiagnosticArray:
            monkeypatch.setattr(publisher, 'publish', sent.append, raising=False)
        return publisher

    monkeypatch.setattr(TrackerNode, 'create_publisher', record)
    return sent


def change(node: TrackerNode, transition: int) -> bool:
    """Ask the node for a transition as a lifecycle manager does, over the wire."""
    client = node.create_client(ChangeState, '~/change_state')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    future = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
    executor.spin_until_future_complete(future, timeout_sec=30.0)
    executor.remove_node(node)
    node.destroy_client(client)
    assert future.done(), 'the request was never answered'
    return bool(future.result().success)


def test_a_transition_that_the_state_forbids_is_answered(
        make_node: Callable[..., TrackerNode], capfd: pytest.CaptureFixture[str]) -> None:
    node = make_node()
    assert not change(node, Transition.TRANSITION_ACTIVATE)
    assert not change(node, Transition.TRANSITION_CLEANUP)
    said = capfd.readouterr().err
    assert f'transition number {Transition.TRANSITION_ACTIVATE} is refused in state' in said
    assert 'unconfigured; ros2 lifecycle list' in said


def test_a_failed_configure_is_published_until_it_succeeds(
        make_node: Callable[..., TrackerNode], published: list[DiagnosticArray],
        tmp_path: Path) -> None:
    node = make_node()
    node.trigger_configure()
    (status,) = published[-1].status
    assert (status.name, status.level) == ('front/rtrack: model', DiagnosticStatus.ERROR)
    assert 'needs a JSON list of answers' in status.message
    timer, = node.timers
    count = len(published)
    timer.callback()
    assert len(published) == count + 1
    (tmp_path / 'script.json').write_text('["[]"]')
    node.trigger_configure()
    assert list(node.timers) == []
    assert len(list(node.publishers)) == len({item.topic_name for item in node.publishers})


def test_parameters_that_cannot_be_read_are_published_and_never_configured(
        make_node: Callable[..., TrackerNode], published: list[DiagnosticArray],
        tmp_path: Path) -> None:
    (tmp_path / 'script.json').write_text('["[]"]')
    node = make_node('no file tracker.yaml')
    assert published[-1].status[0].message == 'cannot configure: no file tracker.yaml'
    node.trigger_configure()
    assert node._state_machine.current_state[1] == 'unconfigured'


def test_a_parameter_file_that_is_missing_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(['tracker_node', '--ros-args', '--params-file', '/nowhere/tracker.yaml'])
    text = str(ended.value)
    assert '/nowhere/tracker.yaml' in text and 'config/tracker.yaml' in text
    assert '\n' not in text and 'arguments.c' not in text


def test_the_command_line_without_parameters() -> None:
    assert without_parameters(
        ['tracker_node', '--on-failure', 'report', '--ros-args', '--params-file', 'a.yaml', '-r',
         '__ns:=/front', '-p', 'a:=1', '--param', 'b:=2', '--log-level', 'info']) == [
        'tracker_node', '--on-failure', 'report', '--ros-args', '-r', '__ns:=/front',
        '--log-level', 'info']
