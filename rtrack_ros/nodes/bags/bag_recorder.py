"""Records topics to a rosbag2 bag (mcap) on machines without ``ros2 bag``.

Messages are stored as they arrive, serialised and with their type definitions, so that any reader
of bags understands them without ROS. Once a second they are on the disk: a recorder that is killed
loses no more. Nobody but the user can read what is recorded.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.utilities import remove_ros_args
from rosbags.rosbag2 import StoragePlugin, Writer

from rtrack_ros.nodes.bags.interfaces import InterfaceError, message_class, typestore_for
from rtrack_ros.nodes.bags.shared_memory import remove_abandoned
from rtrack_ros.nodes.spinning import spin

TIMER_PERIOD_S = 0.2
SYNC_PERIOD_S = 1.0
QUEUE_DEPTH = 1000
HEARING = 'hearing'
"""Logged with a topic on its first message: from then on nothing of it is missed."""
RECORDED = 'recorded so far'
"""Logged, at level debug, with the count of every topic whenever one has grown."""


class BagRecorder(Node):
    """Subscribes to topics, as soon as their types are known, and writes what arrives.

    Args:
        writer: An open bag.
        topics: Topic names; the type of each, or '' to take it from the first publisher.
        published_time: Log a message at the time its publisher sent it, not when it arrived.
    """

    def __init__(self, writer: Writer, topics: dict[str, str], published_time: bool) -> None:
        super().__init__('bag_recorder')
        self._writer = writer
        self._time_field = 'source_timestamp' if published_time else 'received_timestamp'
        self._waiting = {self.resolve_topic_name(topic): name for topic, name in topics.items()}
        self.counts: dict[str, int] = dict.fromkeys(self._waiting, 0)
        self._told: dict[str, int] = {}
        self._discover()
        self._timer = self.create_timer(TIMER_PERIOD_S, self._on_timer)
        self._synced: dict[str, int] = {}
        self._sync_timer = self.create_timer(SYNC_PERIOD_S, self._sync)

    def _on_timer(self) -> None:
        self._discover()
        if self.counts != self._told:
            self._told = dict(self.counts)
            self.get_logger().debug(f'{RECORDED}: {json.dumps(self._told)}')

    def _sync(self) -> None:
        """Put what came since the last time onto the disk, as a chunk that can be read alone."""
        if self.counts != self._synced:
            self._synced = dict(self.counts)
            sync(self._writer)

    def _discover(self) -> None:
        for topic, name in list(self._waiting.items()):
            publishers = self.get_publishers_info_by_topic(topic)
            if not name and not publishers:
                continue
            del self._waiting[topic]
            self._record(topic, name or publishers[0].topic_type, publishers)

    def _record(self, topic: str, name: str, publishers: list[Any]) -> None:
        try:
            connection = self._writer.add_connection(topic, name, typestore=typestore_for([name]))
            message_type = message_class(name)
        except InterfaceError as error:
            self.get_logger().error(f'{topic} is not recorded: {error}')
            return

        def write(data: bytes, info: dict[str, int]) -> None:
            self._writer.write(connection, info[self._time_field] or time.time_ns(), data)
            self.counts[topic] += 1
            if self.counts[topic] == 1:
                self.get_logger().info(f'{HEARING} {topic}')

        self.create_subscription(message_type, topic, write, _matching_qos(publishers), raw=True)
        self.get_logger().info(f'recording {topic} ({name})')


def sync(writer: Writer) -> None:
    """Close the chunk that is being filled, and wait until the disk has it."""
    storage: Any = writer.storage
    if storage.chunk.msgs:
        storage.close_chunk()
    storage.bio.flush()
    os.fsync(storage.bio.fileno())


def _matching_qos(publishers: list[Any]) -> QoSProfile:
    """Return the strictest profile that all these publishers can serve."""
    profiles = [publisher.qos_profile for publisher in publishers]
    reliable = all(profile.reliability != ReliabilityPolicy.BEST_EFFORT for profile in profiles)
    latched = bool(profiles) and all(
        profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for profile in profiles)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=QUEUE_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='bag_recorder', description=__doc__.splitlines()[0])
    parser.add_argument('topics', nargs='+', metavar='TOPIC[:TYPE]',
                        help='with a type the topic is recorded from the start, e.g. '
                             '/tracks:vision_msgs/msg/Detection2DArray; without, once published')
    parser.add_argument('--out', type=Path, required=True, help='folder to write; must not exist')
    parser.add_argument('--log-time', choices=('received', 'published'), default='received',
                        help='the time a message is logged under')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Record until interrupted (SIGINT or SIGTERM), then close the bag."""
    argv = sys.argv if argv is None else argv
    options = _arguments(remove_ros_args(argv)[1:])
    if options.out.exists():
        sys.exit(f'bag_recorder: {options.out} exists already; remove it or choose another --out')
    topics = dict(entry.partition(':')[::2] for entry in options.topics)
    os.umask(0o077)  # cameras see people
    remove_abandoned()
    rclpy.init(args=argv)
    with Writer(options.out, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        node = BagRecorder(writer, topics, options.log_time == 'published')
        spin(node)
        counts = node.counts
        node.destroy_node()
    rclpy.try_shutdown()
    print('recorded', ', '.join(f'{count} on {topic}' for topic, count in counts.items()),
          f'in {options.out}', flush=True)


if __name__ == '__main__':
    main()
