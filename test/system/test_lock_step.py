"""The real node, given the messages of a recording one by one, and ``rtrack track`` on the same.

In lock-step nothing depends on how fast the machine is: the next image is sent when the array
about the last one and the answer about it are there.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import rclpy
import yaml
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message
from rtrack_ros.msg import TrackerStatus
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from rtrack_ros.boxes import iou
from rtrack_ros.cli import main
from rtrack_ros.data.bag import RGB_TOPIC, open_bag
from rtrack_ros.data.mot import MotFrames, MotRow, read_mot
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.simulation import make_scene

pytestmark = pytest.mark.system

DOMAIN = 1 + (os.getpid() + 50) % 101
PATIENCE_S = 60.0
SENTENCE = 'all people'


@pytest.fixture(params=['scripted', 'shipped'])
def model(request: pytest.FixtureRequest) -> str:
    """Which model answers: a script about 40 images, or the one of the package about 12."""
    return str(request.param)


@pytest.fixture
def params(tmp_path: Path, model: str) -> Path:
    """Parameters that are not the defaults: registration, slop, scaling."""
    script = tmp_path / 'script.json'
    script.write_text(json.dumps([json.dumps([
        {'bbox_2d': box, 'label': 'person'}
        for box in ([80 + 4 * turn, 300, 230 + 4 * turn, 700],
                    [600 - 3 * turn, 350, 740 - 3 * turn, 720])]) for turn in range(40)]))
    path = tmp_path / 'tracker.yaml'
    engine = {'engine.name': 'scripted', 'engine.model': str(script)} if model == 'scripted' \
        else {'engine.self_test': 'off'}
    path.write_text(yaml.safe_dump({'/**': {'ros__parameters': engine | {
        'query.initial': SENTENCE,
        'thermal.homography': [2.05, 0.0, 3.0, 0.0, 2.0, -2.0, 0.0, 0.0, 1.0],
        'thermal.scaling': 'linear', 'thermal.linear_low': 28000.0,
        'thermal.linear_high': 32000.0, 'sync.slop_ms': 8.0, 'autostart': True,
        # The model is asked about every pair, and the test knows how many answers to wait for.
        'ask.thermal_wait_s': 0.0,
        # Nor does it do less where the machine is busy.
        'tracker.advanced.budget_ms': 1000.0,
        'status.rate_hz': 50.0, 'qos_overrides': {
            f'/{camera}/image_raw': {'subscription': {
                'reliability': 'reliable', 'history': 'keep_all'}}
            for camera in ('rgb', 'thermal')}}}}))
    return path


@pytest.fixture
def bag(tmp_path: Path, model: str) -> Path:
    seconds = 2.0 if model == 'scripted' else 0.6
    scene = make_scene(5, seconds=seconds, conditions=('day', 'night'), fps=20, size=(320, 240),
                       thermal_size=(160, 120))
    write_bag(tmp_path / 'bag', scene, offset_ms=-4.0, jitter_ms=1.0,
              drop_thermal=[(0.3 * seconds, 0.45 * seconds)])
    return tmp_path / 'bag'


@pytest.fixture
def node(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs the node; yields its log."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(DOMAIN))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    if os.environ.get('ROS_DISTRO') == 'humble':
        monkeypatch.setenv('ROS_LOCALHOST_ONLY', '1')
    log = tmp_path / 'node.log'
    with log.open('wb') as file:
        process = subprocess.Popen(
            [sys.executable, '-P', '-m', 'rtrack_ros.nodes.tracker_node', '--ros-args',
             '--params-file', str(params)], stdout=file, stderr=subprocess.STDOUT)
    yield log
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    finally:
        process.kill()


class Robot:
    """Publishes what a recording holds, and keeps what the node says."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('robot', context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self.arrays: list[Detection2DArray] = []
        self.status: list[TrackerStatus] = []
        self.node.create_subscription(Detection2DArray, '/rtrack/tracks', self.arrays.append, 100)
        self.node.create_subscription(TrackerStatus, '/rtrack/status', self.status.append, 10)
        self.cameras = {topic: self.node.create_publisher(Image, topic, 10)
                        for topic in ('/rgb/image_raw', '/thermal/image_raw')}

    def wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, self._log.read_text(errors='replace')
            self._executor.spin_once(timeout_sec=0.05)

    def _has(self, count: int) -> bool:
        return len(self.arrays) >= count and self.status[-1].answers >= count

    def close(self) -> None:
        self.node.destroy_node()
        self.context.shutdown()

    def play(self, bag: Path) -> MotFrames:
        """Play in lock-step; returns the boxes of every array, frames from 1."""
        self.wait(lambda: bool(self.status) and all(
            camera.get_subscription_count() for camera in self.cameras.values())
            and self.node.count_publishers('/rtrack/tracks') > 0)
        sent = 0
        with open_bag(bag) as reader:
            for connection, _, data in reader.messages():
                self.cameras[connection.topic].publish(deserialize_message(bytes(data), Image))
                if connection.topic == RGB_TOPIC:
                    sent += 1
                    self.wait(partial(self._has, sent))
        return {number: [row(number, detection) for detection in array.detections]
                for number, array in enumerate(self.arrays, start=1)}


def row(number: int, detection: object) -> MotRow:
    centre, box = detection.bbox.center.position, detection.bbox
    return MotRow(number, int(detection.id), (
        centre.x - box.size_x / 2, centre.y - box.size_y / 2,
        centre.x + box.size_x / 2, centre.y + box.size_y / 2))


def test_the_node_and_the_command_give_the_same_boxes(node: Path, bag: Path, params: Path,
                                                      tmp_path: Path, model: str) -> None:
    robot = Robot(node)
    try:
        live = robot.play(bag)
    finally:
        robot.close()
    assert main(['track', str(bag), '--params', str(params), '--ask-interval', '0',
                 '--out', str(tmp_path / 'tracks.txt')]) == 0
    recorded = read_mot(tmp_path / 'tracks.txt')
    count = sum(map(len, live.values()))
    images = 40 if model == 'scripted' else 12
    assert len(live) == images and count >= images, 'there is something to compare'
    same = 0
    for number, rows in live.items():
        others = {item.id: item.box for item in recorded.get(number, ())}
        assert set(others) == {item.id for item in rows}, f'ids of frame {number}'
        for item in rows:
            same += iou([item.box], [others[item.id]]).item() >= 0.99
    assert same >= 0.99 * count
