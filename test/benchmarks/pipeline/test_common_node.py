"""The common way as a node: an array when the model has answered, under the image it is about."""

import os

import pytest

pytest.importorskip('rclpy', reason='the common way is a node')
pytest.importorskip('rosbags', reason='recordings need the bag extra')

import rclpy
from std_msgs.msg import Header, String

from rtrack_ros.benchmarks.cost.ros_baseline import RGB, THERMAL
from rtrack_ros.benchmarks.pipeline import true_answers
from rtrack_ros.benchmarks.pipeline.common_node import CommonNode
from rtrack_ros.benchmarks.pipeline.scenes import crowd_scenes
from rtrack_ros.boxes import iou
from rtrack_ros.data.bag import read_pairs
from rtrack_ros.nodes.conversion import image_message


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setattr(true_answers, 'DELAY_S', 0.0)
    return crowd_scenes(tmp_path, 0.3, [5])[5]


@pytest.fixture
def node(scene, monkeypatch):
    rclpy.init(domain_id=1 + os.getpid() % 101, args=[
        '--ros-args', '-p', 'engine.max_boxes:=5', '-p', 'status.rate_hz:=5.0'])
    made = CommonNode(scene.answers)
    made.sent = []
    monkeypatch.setattr(made._tracks_out, 'publish', made.sent.append, raising=False)
    yield made
    made.close()
    made.destroy_node()
    rclpy.try_shutdown()


def show(node, pair, thermal=True):
    for stream, pixels, encoding, wanted in ((THERMAL, pair.thermal, 'mono8', thermal),
                                             (RGB, pair.rgb, 'rgb8', True)):
        header = Header(frame_id=encoding)
        header.stamp.sec, header.stamp.nanosec = divmod(pair.stamp_ns, 10**9)
        if wanted:
            node._on_image(stream, image_message(pixels, encoding, header))


def test_every_answer_is_published_under_its_image_with_lasting_identities(node, scene):
    pairs = list(read_pairs(scene.bag))
    show(node, pairs[0])
    assert not node.sent, 'nothing is asked before there is a sentence'
    node._on_sentence(String(data='the crowd'))
    show(node, pairs[1], thermal=False)
    assert not node.sent, 'ApproximateTime has no pair without a partner'
    for pair in pairs[2:]:
        show(node, pair)
    assert len(node.sent) == len(pairs) - 2 and node._status.answers == len(node.sent)
    assert [array.header.stamp.sec * 10**9 + array.header.stamp.nanosec
            for array in node.sent] == [pair.stamp_ns for pair in pairs[2:]]
    assert {array.header.frame_id for array in node.sent} == {'rgb8'}
    assert len({tuple(item.id for item in array.detections) for array in node.sent}) == 1
    for index, array in enumerate(node.sent, start=2):
        true = [item.box for item in scene.truth.frames[index].objects if item.id <= 5]
        said = [(box.center.position.x - box.size_x / 2, box.center.position.y - box.size_y / 2,
                 box.center.position.x + box.size_x / 2, box.center.position.y + box.size_y / 2)
                for box in (item.bbox for item in array.detections)]
        assert iou(true, said).max(axis=1).min() > 0.8
