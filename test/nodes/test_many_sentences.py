"""A flood of sentences is bounded in what is followed, in the log, and in the latched topic."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from rtrack_ros.msg import ReferringQuery
from std_msgs.msg import String

from rtrack_ros.limits import Limits
from rtrack_ros.nodes.tracker_node import TrackerNode

DOMAIN = 1 + os.getpid() % 101


@pytest.fixture
def node(tmp_path: Path) -> Iterator[TrackerNode]:
    script = tmp_path / 'script.json'
    script.write_text('["[]"]')
    rclpy.init(domain_id=DOMAIN, args=['--ros-args', '-p', 'engine.name:=scripted', '-p',
                                       f'engine.model:={script}'])
    made = TrackerNode()
    made.trigger_configure()
    made.trigger_activate()
    yield made
    made.close()
    made.destroy_node()
    rclpy.try_shutdown()


def test_500_sentences_that_change_leave_a_short_log_and_a_short_topic(
        node: TrackerNode, capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    session = node._session
    assert session is not None
    latched: list[String] = []
    monkeypatch.setattr(session._outputs._query, 'publish', latched.append)
    session.commands.on_sentence(String(data='the person in red'))
    for turn in range(4):
        for number in range(500):
            session.commands.on_query(ReferringQuery(
                operation=ReferringQuery.REPLACE, id=f'x{number}',
                text=f'person {turn} {number} ' + 'very ' * 100 + '\x1b[2J'))
            session.commands.on_query(ReferringQuery(
                operation=ReferringQuery.REPLACE, id='y' * 100_000, text='cars'))
    active = session.model.pipeline.active_queries()
    assert len(active) == Limits().sentences + 1
    assert active[0].text == 'the person in red'
    assert max(len(message.data) for message in latched) < Limits().sentences * 700
    log = capfd.readouterr().err
    assert 'limits.sentences' in log and '\x1b[2J' not in log
    # 4000 commands in a few seconds: each kind of line comes at most once in five.
    assert len(log) < 5_000
