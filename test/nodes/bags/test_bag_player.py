"""Stamps of serialised messages, and what the player says about a bag it cannot play."""

import json
import os
from pathlib import Path

import pytest
import rclpy
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image

from rtrack_ros.data.bag import open_bag
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.nodes.bags.bag_player import (
    CLOCK_TOPIC,
    BagPlayer,
    _arguments,
    header_stamp_ns,
    main,
    with_header_stamp,
)
from rtrack_ros.simulation import make_scene

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


@pytest.mark.parametrize('restamp', [False, True])
def test_the_clock_tells_the_time_of_the_recording_and_no_message_is_ahead_of_it(
        tmp_path: Path, restamp: bool) -> None:
    write_bag(tmp_path / 'bag', make_scene(5, seconds=0.4, conditions=['day']))
    options = _arguments(['--bag', str(tmp_path / 'bag'), '--rate', '2', '--clock', '50',
                          *(['--restamp'] if restamp else [])])
    wall_ns = 9_000_000_000
    rclpy.init(domain_id=1 + os.getpid() % 101)
    try:
        with open_bag(tmp_path / 'bag') as reader:
            player = BagPlayer(reader, options)
            entries = list(player._entries([]))
            start_ns = reader.start_time
            player.destroy_node()
    finally:
        rclpy.try_shutdown()
    clock_ns, times = 0, []
    for entry in entries:
        if entry.topic == CLOCK_TOPIC:
            shown = player._time(entry.due_ns, wall_ns).clock
            clock_ns = shown.sec * 1_000_000_000 + shown.nanosec
            times.append(clock_ns)
        elif entry.topic in player._stamped:
            # The bag is logged at its stamps. Twice as fast, a robot's second lasts half of one.
            stamp_ns = header_stamp_ns(entry.data)
            if restamp:
                stamp_ns = wall_ns + (stamp_ns - start_ns) // 2
            assert abs(clock_ns - stamp_ns) <= 20
    assert times[0] == (wall_ns if restamp else start_ns)
    assert times == sorted(times) and len(times) > 10
