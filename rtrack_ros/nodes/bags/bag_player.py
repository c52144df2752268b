"""Plays a rosbag2 bag over DDS at camera rate on machines without ``ros2 bag``.

Messages travel serialised from the bag to the wire; nothing is decoded on the way. With
``--restamp`` the header stamps become wall time, which live latencies need, and keep the offsets
that the sensors had among each other.
"""

import argparse
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from builtin_interfaces.msg import Time
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from rtrack_ros.data.bag import open_bag
from rtrack_ros.data.cut_recording import Recording
from rtrack_ros.intake.transports import camera_of
from rtrack_ros.nodes.bags.interfaces import InterfaceError, message_class
from rtrack_ros.nodes.bags.restamping import Restamper, header_stamp_ns, with_header_stamp
from rtrack_ros.nodes.bags.shared_memory import remove_abandoned
from rtrack_ros.output_files import write_text

QUERY_TOPIC = 'referring_query'
CLOCK_TOPIC = '/clock'
READ_AHEAD = 60
"""Messages read before they are due; two cameras at 30 Hz fill it with one second."""
PUBLISH_DEPTH = 100
"""Messages kept per topic for a reliable subscriber that has fallen behind."""


class Entry(NamedTuple):
    """One message of the bag, or the end of the bag where ``topic`` is empty."""

    due_ns: int
    topic: str
    data: bytes
    recorded_ns: int = 0


def _starts_with_header(message_type: Any) -> bool:
    return next(iter(message_type.get_fields_and_field_types().items()), None) == (
        'header', 'std_msgs/Header')


class BagPlayer(Node):
    """Publishes the messages of a bag when they are due.

    Args:
        reader: The open bag.
        options: Parsed command line, see ``_arguments``.

    Raises:
        InterfaceError: none of its topics can be played here.
    """

    def __init__(self, reader: Recording, options: argparse.Namespace) -> None:
        super().__init__('bag_player')
        self._reader = reader
        self._options = options
        self._start_ns: int = reader.start_time
        self._restamp = Restamper(reader.start_time, options.rate)
        self._stamped: set[str] = set()
        self._outputs: dict[str, Any] = {}
        for connection in self._reader.connections:
            wanted = not options.topics or connection.topic in options.topics
            if wanted and connection.topic not in options.exclude and not (
                    options.clock and connection.topic == CLOCK_TOPIC):
                self._offer(connection.topic, connection.msgtype)
        if not self._outputs:
            raise InterfaceError('it holds no topic that can be played here')
        self._queries = self.create_publisher(String, QUERY_TOPIC, 10)
        self._clock = self.create_publisher(Clock, CLOCK_TOPIC, 10) if options.clock else None
        self.stamp_map: dict[str, list[tuple[int, int]]] = {topic: [] for topic in self._stamped}
        self.published = 0
        self.failure = ''

    def _offer(self, topic: str, name: str) -> None:
        try:
            message_type = message_class(name)
        except InterfaceError as error:
            self.get_logger().warning(f'{topic} is not played: {error}')
            return
        qos = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=PUBLISH_DEPTH,
                         reliability=ReliabilityPolicy.RELIABLE)
        self._outputs[topic] = self.create_publisher(message_type, topic, qos)
        if _starts_with_header(message_type):
            self._stamped.add(topic)

    def wait_until_heard(self, seconds: float, links: list[str]) -> bool:
        """Wait until all image topics have a subscriber, and ``links`` both ends; False if not."""
        # An image that was recorded plain and compressed is subscribed to in one of the ways.
        cameras: dict[str, list[Any]] = {}
        for topic in self._stamped:
            cameras.setdefault(camera_of(topic), []).append(self._outputs[topic])
        until = time.monotonic() + seconds
        while not (all(any(output.get_subscription_count() for output in outputs)
                       for outputs in cameras.values())
                   and all(self.count_publishers(topic) and self.count_subscribers(topic)
                           for topic in links)):
            if time.monotonic() >= until or not rclpy.ok():
                return False
            time.sleep(0.05)
        # The graph knows of a link a moment before both of its ends do.
        time.sleep(0.5)
        return True

    def play(self, commands: list[tuple[float, str]]) -> None:
        """Play the bag once, publishing each (seconds, text) command when it is due."""
        ahead: queue.Queue[Entry] = queue.Queue(READ_AHEAD)
        threading.Thread(target=self._read, args=(ahead, commands), daemon=True).start()
        # The start waits for a full queue, so that the first frames come on time as well.
        deadline = time.monotonic() + 2.0
        while not ahead.full() and time.monotonic() < deadline and rclpy.ok():
            time.sleep(0.02)
        start_ns, wall_ns = time.monotonic_ns(), time.time_ns()
        while rclpy.ok():
            entry = ahead.get()
            if not entry.topic:
                return
            _sleep_until(start_ns + entry.due_ns)
            self._publish(entry, wall_ns)

    def _read(self, ahead: 'queue.Queue[Entry]', commands: list[tuple[float, str]]) -> None:
        """Fill the queue in order of time; an unreadable bag ends the play with an error."""
        try:
            for entry in self._entries(sorted(commands)):
                ahead.put(entry)
        except Exception as error:
            self.failure = f'reading the bag failed: {error}'
        ahead.put(Entry(0, '', b''))

    def _entries(self, commands: list[tuple[float, str]]) -> Iterator[Entry]:
        connections = [connection for connection in self._reader.connections
                       if connection.topic in self._outputs]
        first_ns = self._start_ns
        waiting = [Entry(int(at * 1e9 / self._options.rate), QUERY_TOPIC, text.encode())
                   for at, text in commands]
        tick_ns = 0
        for connection, log_ns, data in self._reader.messages(connections):
            due_ns = int((log_ns - first_ns) / self._options.rate)
            while self._clock is not None and tick_ns < due_ns:
                yield Entry(tick_ns, CLOCK_TOPIC, b'')
                tick_ns += int(1e9 / self._options.clock)
            if self._clock is not None:  # no message is ahead of the time it is of
                yield Entry(due_ns, CLOCK_TOPIC, b'')
            while waiting and waiting[0].due_ns <= due_ns:
                yield waiting.pop(0)
            yield Entry(due_ns, connection.topic, bytes(data), log_ns)
        yield from waiting

    def _publish(self, entry: Entry, wall_ns: int) -> None:
        if entry.topic == QUERY_TOPIC:
            self._queries.publish(String(data=entry.data.decode()))
            return
        if entry.topic == CLOCK_TOPIC and self._clock is not None:
            self._clock.publish(self._time(entry.due_ns, wall_ns))
            return
        data = entry.data
        if entry.topic in self._stamped:
            stamp_ns = header_stamp_ns(data)
            new_ns = stamp_ns
            if self._options.restamp:
                new_ns = self._restamp(entry.topic, stamp_ns, entry.recorded_ns, wall_ns)
                data = with_header_stamp(data, new_ns)
            # Who reads the recording takes the same time where there is no stamp.
            self.stamp_map[entry.topic].append((stamp_ns or entry.recorded_ns, new_ns))
        self._outputs[entry.topic].publish(data)
        self.published += 1

    def _time(self, due_ns: int, wall_ns: int) -> Clock:
        """Return the time of the recording, or of the new stamps, at a moment of the play."""
        now_ns = self._start_ns + int(due_ns * self._options.rate)
        if self._options.restamp:
            now_ns = wall_ns + due_ns
        seconds, nanoseconds = divmod(now_ns, 1_000_000_000)
        return Clock(clock=Time(sec=seconds, nanosec=nanoseconds))


def _sleep_until(due_ns: int) -> None:
    while (left := due_ns - time.monotonic_ns()) > 0 and rclpy.ok():
        time.sleep(min(left * 1e-9, 0.2))


def _read_commands(path: Path | None) -> list[tuple[float, str]]:
    if path is None:
        return []
    try:
        return [(float(item['at']), str(item['text']))
                for item in json.loads(path.read_text(encoding='utf-8'))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f'bag_player: {path} must hold [{{"at": seconds, "text": sentence}}, ...]: '
                 f'{error!r}')


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='bag_player', description=__doc__.splitlines()[0])
    parser.add_argument('--bag', type=Path, required=True, help='folder of the bag, or .mcap file')
    parser.add_argument('--rate', type=float, default=1.0, help='2 plays twice as fast')
    parser.add_argument('--loop', type=int, default=1, metavar='N',
                        help='play N times; 0 plays until interrupted')
    parser.add_argument('--restamp', action='store_true', help='header stamps become wall time')
    parser.add_argument('--stamp-map', type=Path, metavar='JSON',
                        help='write {topic: [[stamp in the bag, stamp published], ...]} in ns')
    parser.add_argument('--queries', type=Path, metavar='JSON',
                        help='[{"at": seconds, "text": sentence}, ...] for referring_query')
    parser.add_argument('--clock', nargs='?', type=float, const=100.0, default=0.0, metavar='HZ',
                        help='publish the time of the recording on /clock, 100 times a second, '
                             'for nodes with use_sim_time')
    parser.add_argument('--exclude', nargs='*', default=[], metavar='TOPIC')
    parser.add_argument('--topics', nargs='*', default=[], metavar='TOPIC',
                        help='play these topics alone, those of them that the bag has')
    parser.add_argument('--wait-for-subscribers', type=float, default=0.0, metavar='SECONDS',
                        help='wait this long for subscribers, then fail')
    parser.add_argument('--wait-for-link', nargs='*', default=[], metavar='TOPIC',
                        help='wait as well until these topics of other nodes have both a '
                             'publisher and a subscriber, a recorder for example')
    options = parser.parse_args(argv)
    if options.rate <= 0:
        parser.error('--rate must be above 0')
    if options.clock < 0:
        parser.error('--clock must be above 0')
    if not options.bag.exists():
        sys.exit(f'bag_player: no bag at {options.bag}; rtrack simulate writes one')
    return options


def _use_large_shared_memory() -> None:
    """Let Fast DDS hold several images at once, unless it was configured by the user."""
    try:
        profile = Path(get_package_share_directory('rtrack_ros'), 'config', 'fastdds.xml')
    except PackageNotFoundError:
        return
    for variable in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        if profile.is_file():
            os.environ.setdefault(variable, str(profile))


def _play(reader: Recording, options: argparse.Namespace,
          commands: list[tuple[float, str]]) -> str:
    """Play as the command line asks; return what went wrong, or ''."""
    node = BagPlayer(reader, options)
    links = options.wait_for_link + ([QUERY_TOPIC] if commands else [])
    if options.wait_for_subscribers and not node.wait_until_heard(
            options.wait_for_subscribers, links):
        return (f'no subscriber within {options.wait_for_subscribers:g} s; is the tracker '
                'active, with the same ROS_DOMAIN_ID and topic names?')
    rounds = 0
    while rclpy.ok() and not node.failure and (options.loop == 0 or rounds < options.loop):
        node.play(commands)
        rounds += 1
    # What was published last still has to leave for reliable readers.
    time.sleep(0.3)
    if options.stamp_map:
        write_text(options.stamp_map, json.dumps(node.stamp_map))
    print(f'played {node.published} messages', flush=True)
    return node.failure


def main(argv: list[str] | None = None) -> None:
    """Play a bag; exits 0 when done, 1 with the reason otherwise."""
    argv = sys.argv if argv is None else argv
    options = _arguments(remove_ros_args(argv)[1:])
    commands = _read_commands(options.queries)
    _use_large_shared_memory()
    remove_abandoned()
    try:
        with open_bag(options.bag) as reader:
            rclpy.init(args=argv)
            failure = _play(reader, options, commands)
    except (KeyboardInterrupt, ExternalShutdownException):
        failure = 'interrupted'
    except Exception as error:  # rosbags raises many kinds for damaged files
        failure = f'{options.bag} cannot be played: {error}'
    rclpy.try_shutdown()
    if failure:
        sys.exit(f'bag_player: {failure}')


if __name__ == '__main__':
    main()
