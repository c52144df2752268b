"""Stamps of serialised messages, and what the player says about a bag it cannot play."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image

from rtrack_ros.nodes.bags.bag_player import header_stamp_ns, main, with_header_stamp

STAMPS = st.integers(0, (2**31 - 1) * 1_000_000_000)


@settings(deadline=None)
@given(stamp_ns=STAMPS, new_ns=STAMPS)
def test_only_the_stamp_changes(stamp_ns: int, new_ns: int) -> None:
    message = Image(encoding='mono8', width=2, height=1, step=2, data=[7, 9])
    message.header.frame_id = 'camera'
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    data = serialize_message(message)
    assert header_stamp_ns(data) == stamp_ns
    restored = deserialize_message(with_header_stamp(data, new_ns), Image)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(new_ns, 1_000_000_000)
    assert restored == message


def test_a_big_endian_stamp_is_read() -> None:
    assert header_stamp_ns(bytes([0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 9])) == 5_000_000_009


def test_a_missing_bag_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match='no bag at .*nothing'):
        main(['bag_player', '--bag', str(tmp_path / 'nothing')])


def test_a_folder_without_a_bag_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match='cannot be played'):
        main(['bag_player', '--bag', str(tmp_path)])


def test_commands_of_the_wrong_form_are_explained(tmp_path: Path) -> None:
    commands = tmp_path / 'commands.json'
    commands.write_text(json.dumps([{'when': 1}]))
    with pytest.raises(SystemExit, match='"at": seconds'):
        main(['bag_player', '--bag', str(tmp_path), '--queries', str(commands)])
