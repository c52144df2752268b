"""A recorder that is killed has lost no more than the last second, and nobody else can read it."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from std_msgs.msg import String

from rtrack_ros.data.bag import open_bag
from rtrack_ros.nodes.bags.bag_recorder import sync

DOMAIN = 1 + os.getpid() % 101


def test_what_was_synced_is_read_while_the_recording_goes_on(tmp_path: Path) -> None:
    types = get_typestore(Stores.ROS2_JAZZY)
    path = tmp_path / 'bag'
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        talk = writer.add_connection('/talk', 'std_msgs/msg/String', typestore=types)
        message = types.types['std_msgs/msg/String']
        for number in range(6):
            writer.write(talk, number, types.serialize_cdr(message(data=f'{number}'),
                                                           'std_msgs/msg/String'))
            if number == 3:
                sync(writer)
                sync(writer)  # nothing new: no empty chunk
        with open_bag(path) as reader:
            assert reader.cut
            assert [reader.deserialize(data, connection.msgtype).data
                    for connection, _, data in reader.messages()] == ['0', '1', '2', '3']
    with open_bag(path) as reader:
        assert not reader.cut and reader.message_count == 6


@pytest.mark.system
def test_a_recorder_that_is_killed_leaves_a_recording(tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(DOMAIN))
    out = tmp_path / 'bag'
    rclpy.init(domain_id=DOMAIN)
    node = rclpy.create_node('talker')
    talker = node.create_publisher(String, '/talk', 100)
    recorder = subprocess.Popen([sys.executable, '-P', '-m', 'rtrack_ros.nodes.bags.bag_recorder',
                                 '/talk:std_msgs/msg/String', '--out', str(out)])
    try:
        end, sent = time.monotonic() + 60.0, 0
        file = out / 'bag.mcap'
        # Until a chunk is on the disk: the file had its header only.
        while not file.exists() or file.stat().st_size < 1000:
            assert time.monotonic() < end, 'nothing was written'
            if talker.get_subscription_count():
                talker.publish(String(data=f'{sent}'))
                sent += 1
            time.sleep(0.02)
        recorder.send_signal(signal.SIGKILL)
        recorder.wait(20)
    finally:
        recorder.kill()
        node.destroy_node()
        rclpy.try_shutdown()
    with open_bag(out) as reader:
        texts = [reader.deserialize(data, connection.msgtype).data
                 for connection, _, data in reader.messages()]
    assert texts and texts == [str(int(texts[0]) + place) for place in range(len(texts))]
    for path in (out, file):
        assert not stat.S_IMODE(os.stat(path).st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
