"""What a detector publishes, read."""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')

from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from rtrack_ros.scheduling.detection_message import received_boxes


def _detection(*results):
    detection = Detection2D()
    detection.bbox.center.position.x, detection.bbox.center.position.y = 50.0, 60.0
    detection.bbox.size_x, detection.bbox.size_y = 20.0, 40.0
    for label, score in results:
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = label, score
        detection.results.append(result)
    return detection


def _array(*detections, sec=3):
    message = Detection2DArray(detections=list(detections))
    message.header.stamp.sec, message.header.stamp.nanosec = sec, 5
    return message


def test_the_first_result_counts_and_boxes_have_corners():
    received = received_boxes(_array(_detection(('person', 0.75), ('dog', 0.25))))

    assert received.stamp_ns == 3_000_000_005
    assert received.boxes.tolist() == [[40, 40, 60, 80]]
    assert (received.labels, received.scores.tolist()) == (('person',), [0.75])


def test_the_offset_of_the_thermal_clock_is_taken_off():
    assert received_boxes(_array(), offset_ns=5).stamp_ns == 3_000_000_000


def test_nothing_seen_is_no_mistake():
    received = received_boxes(_array())

    assert received.boxes.shape == (0, 4)
    assert received.labels == ()


def test_a_box_without_a_result_has_no_score():
    assert np.isnan(received_boxes(_array(_detection())).scores).tolist() == [True]


def test_without_a_stamp_it_is_refused_with_the_remedy():
    message = _array(sec=0)
    message.header.stamp.nanosec = 0

    with pytest.raises(ValueError, match='copy the header'):
        received_boxes(message)
