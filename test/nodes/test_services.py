"""Whoever calls a service gets an answer, in every state and whatever happens."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rtrack_ros.srv import DescribeTrack, InitializeTrack, SetQuery
from std_srvs.srv import Trigger

from rtrack_ros.nodes import services
from rtrack_ros.nodes.tracker_node import TrackerNode
from rtrack_ros.pipeline import RequestError

DOMAIN = 1 + os.getpid() % 101
CALLS = {'describe_track': DescribeTrack, 'initialize_track': InitializeTrack, 'reset': Trigger,
         'set_query': SetQuery}


def told(answer: Any) -> str:
    return answer.message if hasattr(answer, 'message') else answer.reason


class Caller:
    """The node and whoever calls it, in one executor."""

    def __init__(self, node: TrackerNode) -> None:
        self.node, self.executor = node, SingleThreadedExecutor()
        self.executor.add_node(node)

    def ask(self, kind: Any, name: str, request: Any = None) -> Any:
        return self.node.create_client(kind, f'~/{name}').call_async(request or kind.Request())

    def result(self, asked: Any) -> Any:
        self.executor.spin_until_future_complete(asked, timeout_sec=30.0)
        assert asked.done(), 'the call was never answered'
        return asked.result()

    def change(self, *transitions: int) -> None:
        for transition in transitions:
            asked = self.ask(ChangeState, 'change_state',
                             ChangeState.Request(transition=Transition(id=transition)))
            assert self.result(asked).success


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    script = tmp_path / 'script.json'
    script.write_text('["[]"]')
    rclpy.init(domain_id=DOMAIN, args=['--ros-args', '-p', 'engine.name:=scripted', '-p',
                                       f'engine.model:={script}'])
    node = TrackerNode()
    made = Caller(node)
    yield made
    made.executor.remove_node(node)
    node.close()
    node.destroy_node()
    rclpy.try_shutdown()


def test_calls_are_refused_with_a_reason_while_the_node_is_not_active(caller: Caller) -> None:
    for _ in range(2):
        for name, kind in CALLS.items():
            answer = caller.result(caller.ask(kind, name))
            assert not answer.success and 'not active' in told(answer)
        if _ == 0:
            caller.change(Transition.TRANSITION_CONFIGURE)


@pytest.mark.parametrize('in_work', [True, False])
def test_calls_in_flight_are_answered_on_deactivate_and_cleanup(
        caller: Caller, in_work: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.change(Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
    assert caller.node._session is not None
    described: list[Future[str]] = []

    def describe(track_id: int) -> 'Future[str]':
        described.append(Future())
        if in_work:
            described[-1].set_running_or_notify_cancel()  # it cannot be taken back
        return described[-1]

    monkeypatch.setattr(caller.node._session.model.pipeline, 'describe', describe)
    asked = [caller.ask(DescribeTrack, 'describe_track', DescribeTrack.Request(id='1'))
             for _ in range(3)]
    while len(described) < 3:
        caller.executor.spin_once(timeout_sec=5.0)
    caller.change(Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
    for one in asked:
        answer = caller.result(one)
        assert not answer.success and 'deactivated meanwhile' in answer.message
    if in_work:
        described[0].set_result('too late')  # and nobody minds


def test_a_call_that_fails_in_a_way_that_nobody_thought_of_is_answered(
        caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.change(Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
    assert caller.node._session is not None

    def fail(*arguments: Any) -> Any:
        raise ZeroDivisionError('nobody thought of it')
    for method in ('reset', 'initialize', 'describe'):
        monkeypatch.setattr(caller.node._session.model.pipeline, method, fail)
    monkeypatch.setattr(caller.node._session.commands, 'set', fail)
    for name, kind in CALLS.items():
        request = kind.Request(id='1') if name == 'describe_track' else kind.Request()
        answer = caller.result(caller.ask(kind, name, request))
        assert not answer.success and 'nobody thought of it' in told(answer)


@pytest.mark.parametrize('text', ['x' * 10_000_000, '9' * 10_000_000, '\x1b[2J', ''])
def test_what_is_no_id_is_not_sent_back_whole(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        services._number(text)
    assert len(str(refused.value)) < 200 and str(refused.value).isprintable()
