import time
import uuid

import numpy as np
import pytest


def test_fixed_size_arrays_survive_dds_with_this_numpy() -> None:
    # Generated messages hold float64[36] as NumPy arrays, through NumPy's C interface: this is
    # where a NumPy that does not fit the wheels would show.
    rclpy = pytest.importorskip('rclpy')
    from geometry_msgs.msg import PoseWithCovariance
    from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

    hypothesis = ObjectHypothesisWithPose(pose=PoseWithCovariance(covariance=np.arange(36.0)))
    hypothesis.hypothesis.class_id = 'person'
    sent = Detection2DArray(detections=[Detection2D(id='7', results=[hypothesis])])
    received: list[Detection2DArray] = []
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node('numpy_check', context=context)
        executor = rclpy.executors.SingleThreadedExecutor(context=context)
        executor.add_node(node)
        topic = f'/numpy_check_{uuid.uuid4().hex}'
        publisher = node.create_publisher(Detection2DArray, topic, 10)
        node.create_subscription(Detection2DArray, topic, received.append, 10)
        deadline = time.monotonic() + 20
        while not received and time.monotonic() < deadline:
            publisher.publish(sent)
            executor.spin_once(timeout_sec=0.1)
    finally:
        rclpy.shutdown(context=context)

    assert received, 'nothing came back over DDS'
    pose = received[0].detections[0].results[0].pose
    assert isinstance(pose.covariance, np.ndarray)
    np.testing.assert_array_equal(pose.covariance, np.arange(36.0))
