"""Plays a recording to the tracker node over DDS and records what the node publishes."""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtrack_ros.data.bag import RGB_TOPIC
from rtrack_ros.data.recording import STATUS_TOPIC, TRACKS_TOPIC
from rtrack_ros.evaluation.run import RunQuery
from rtrack_ros.playback.processes import ProcessFailure, ProcessGroup

START_TIMEOUT_S = 120.0
SETTLE_S = 1.0
RECORDED = (f'{TRACKS_TOPIC}:vision_msgs/msg/Detection2DArray',
            f'{STATUS_TOPIC}:rtrack_ros/msg/TrackerStatus',
            '/referring_query:std_msgs/msg/String')


@dataclass(frozen=True)
class Playback:
    """What to play, and how the node is started.

    Attributes:
        bag: Recording with both cameras.
        seconds: Its length.
        queries: Sentences and when to publish them.
        folder: Where recording, logs and the map of stamps go.
        parameters: Parameters of the node.
        rounds: How often to play it, one after another.
        node: Command that starts the node, without its arguments; empty for the node itself.
        exclude: Topics of the recording that are not played.
    """

    bag: Path
    seconds: float
    queries: Sequence[RunQuery]
    folder: Path
    parameters: dict[str, str]
    rounds: int = 1
    node: Sequence[str] = ()
    exclude: Sequence[str] = ()

    @property
    def recording(self) -> Path:
        """What the node published."""
        return self.folder / 'recording'

    @property
    def stamps(self) -> Path:
        """Stamps in the recording against stamps published, by topic."""
        return self.folder / 'stamps.json'


def require_ros() -> None:
    """Make sure that nodes can be started from here.

    Raises:
        ProcessFailure: ROS 2 or our built workspace is missing.
    """
    missing = [package for package in ('rclpy', 'vision_msgs', 'rtrack_ros.msg')
               if importlib.util.find_spec(package) is None]
    if not missing and not os.environ.get('AMENT_PREFIX_PATH'):
        missing = ['AMENT_PREFIX_PATH']
    if missing:
        raise ProcessFailure(
            f'the demonstration starts real ROS 2 nodes, and {missing[0]} is not there; run it by '
            '`make demo`, or source the workspace that has rtrack_ros')


def play(playback: Playback,
         watch: Callable[[ProcessGroup], None] = lambda group: None) -> None:
    """Start recorder, node and player, wait for the end of the play, and stop everything.

    Args:
        playback: What to play.
        watch: Called with the processes a few times per second meanwhile.

    Raises:
        ProcessFailure: a process failed; the message names its log.
    """
    commands = playback.folder / 'commands.json'
    commands.write_text(json.dumps([{'at': query.start_s, 'text': query.text}
                                    for query in playback.queries]), encoding='utf-8')
    with ProcessGroup(playback.folder / 'logs', _environment()) as group:
        group.start('bag_recorder', _module(
            'bags.bag_recorder', *RECORDED, '--log-time', 'published',
            '--out', str(playback.recording)))
        group.start('tracker_node', [*(playback.node or _module('tracker_node')), '--ros-args',
                                     *_parameters(playback)])
        _wait_until_heard(group)
        group.start('bag_player', _module(
            'bags.bag_player', '--bag', str(playback.bag), '--restamp', '--queries', str(commands),
            '--stamp-map', str(playback.stamps), '--wait-for-subscribers', f'{START_TIMEOUT_S:g}',
            '--loop', str(playback.rounds), '--wait-for-link', TRACKS_TOPIC, STATUS_TOPIC,
            '--exclude', *playback.exclude))
        _wait(group, playback, watch)
        # What is on its way still has to be recorded.
        time.sleep(SETTLE_S)
        group.check('bag_recorder', 'tracker_node')
        group.stop('bag_recorder')


def _wait_until_heard(group: ProcessGroup) -> None:
    """Wait until the recorder has the node's status: before that it would miss the first arrays.

    That both are known to each other is not enough; discovery may take seconds to link them.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while f'hearing {STATUS_TOPIC}' not in group.log('bag_recorder').read_text(errors='replace'):
        group.check('bag_recorder', 'tracker_node')
        if time.monotonic() > deadline:
            raise ProcessFailure('the recorder heard nothing of the node; read '
                                 f'{group.log("bag_recorder")} and {group.log("tracker_node")}')
        time.sleep(0.1)


def _wait(group: ProcessGroup, playback: Playback, watch: Callable[[ProcessGroup], None]) -> None:
    patience_s = 30.0 + playback.rounds * (1.5 * playback.seconds + 5.0)
    deadline = time.monotonic() + START_TIMEOUT_S + patience_s
    while group.ended('bag_player') is None:
        group.check('bag_recorder', 'tracker_node')
        if time.monotonic() > deadline:
            raise ProcessFailure('the play did not come to its end; read '
                                 f'{group.log("bag_player")} and {group.log("tracker_node")}')
        time.sleep(0.2)
        watch(group)
    if group.ended('bag_player') != 0:
        raise ProcessFailure(f'{group.last_line("bag_player")}; read {group.log("bag_player")} '
                             f'and {group.log("tracker_node")}')


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, '-m', f'rtrack_ros.nodes.{name}', *arguments]


def _parameters(playback: Playback) -> list[str]:
    given = {'autostart': 'true', 'status.rate_hz': '10.0', **playback.parameters}
    return [word for name, value in given.items() for word in ('-p', f'{name}:={value}')]


def _environment() -> dict[str, str]:
    """Return an environment in which the demonstration meets no other ROS 2 system."""
    private = {'ROS_DOMAIN_ID': str(1 + os.getpid() % 100),
               'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'PYTHONUNBUFFERED': '1',
               'RCUTILS_COLORIZED_OUTPUT': '0'}
    if os.environ.get('ROS_DISTRO') == 'humble':
        private['ROS_LOCALHOST_ONLY'] = '1'
    return {**os.environ, **private}


def read_stamps(playback: Playback) -> list[tuple[int, int]]:
    """Return (stamp in the bag, stamp published) of every RGB image, in order.

    Raises:
        ProcessFailure: the player left no map, or published nothing.
    """
    try:
        pairs = json.loads(playback.stamps.read_text(encoding='utf-8'))[RGB_TOPIC]
    except (OSError, ValueError, KeyError) as error:
        raise ProcessFailure(f'{playback.stamps} cannot be read ({error!r}); read '
                             f'{playback.folder / "logs"}') from error
    if not pairs:
        raise ProcessFailure(f'nothing was played; read {playback.folder / "logs"}')
    return [(int(before), int(after)) for before, after in pairs]
