"""The common ROS way as a node: ApproximateTime, and a model that is waited for in the callback.

It publishes an array when the model has answered, under the header of the image that it is about,
and nothing in between. Boxes keep their identity by overlap with the answer before. Its queue is
that of ROS's own profile for sensors, five images of each camera; a longer one would only make it
later. It has the name, the topics and the engine of the tracker node.

python -m rtrack_ros.benchmarks.pipeline.common_node [--answers FILE] [arguments of a node]
"""

import argparse
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import Image
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray

from rtrack_ros.benchmarks.cost.ros_baseline import (
    RGB,
    THERMAL,
    ApproximateTime,
    imgmsg_to_cv2,
    stretched_thermal,
)
from rtrack_ros.benchmarks.pipeline.true_answers import true_engine
from rtrack_ros.engines.base import Engine, EngineError
from rtrack_ros.evaluation.streaming.baselines import Blocking
from rtrack_ros.evaluation.streaming.protocol import Array
from rtrack_ros.frames import FramePair
from rtrack_ros.intake.messages import stamp_of
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.language.refine import make_grounder
from rtrack_ros.msg import TrackerStatus
from rtrack_ros.nodes.conversion import detections_message
from rtrack_ros.nodes.spinning import spin
from rtrack_ros.parameters.engine import load
from rtrack_ros.parameters.schema import SCHEMA
from rtrack_ros.tracking.track import Belief, Track, TrackState


class CommonNode(Node):
    """Asks the model about pair after pair and publishes what it says.

    Args:
        answers: File with true answers; None takes the engine that the parameters name.
    """

    def __init__(self, answers: Path | None) -> None:
        super().__init__('rtrack', automatically_declare_parameters_from_overrides=True,
                         allow_undeclared_parameters=True)
        settings = _settings(self)
        self._engine: Engine = load(settings) if answers is None else true_engine(answers)
        self._grounder = make_grounder(self._engine, settings['engine.max_boxes'], 'never')
        self._pairing: ApproximateTime[Image] = ApproximateTime()
        self._identities = Blocking()
        self._query: Query | None = None
        self._status = TrackerStatus(
            answer_age_ms=math.nan, answer_latency_ms=math.nan, behind_ms=math.nan,
            engine=self._engine.capabilities().name, model=self._engine.capabilities().model)
        self._tracks_out = self.create_publisher(Detection2DArray, '~/tracks', 10)
        self._status_out = self.create_publisher(TrackerStatus, '~/status', 10)
        for stream, topic in ((RGB, 'rgb/image_raw'), (THERMAL, 'thermal/image_raw')):
            self.create_subscription(
                Image, topic, lambda message, stream=stream: self._on_image(stream, message),
                qos_profile_sensor_data)
        self.create_subscription(String, 'referring_query', self._on_sentence, 10)
        self.create_timer(1.0 / settings['status.rate_hz'],
                          lambda: self._status_out.publish(self._status))

    def _on_sentence(self, message: String) -> None:
        epoch = 1 if self._query is None else self._query.epoch + 1
        self._query = Query('default', message.data, epoch)

    def _on_image(self, stream: int, message: Image) -> None:
        matched = self._pairing.add(stream, stamp_of(message), message)
        if matched is not None and self._query is not None:
            self._ask(*matched, self._query)

    def _ask(self, rgb: Image, thermal: Image, query: Query) -> None:
        pair = FramePair(stamp_of(rgb), cv2.cvtColor(imgmsg_to_cv2(rgb, 'bgr8'),
                                                     cv2.COLOR_BGR2RGB),
                         stretched_thermal(imgmsg_to_cv2(thermal), (rgb.width, rgb.height)))
        try:
            answer = self._grounder.ground(pair, query)
        except (AnswerError, EngineError) as error:
            self._status.engine_errors += 1
            self.get_logger().warning(f'no answer: {error}')
            return
        self._status.answers += 1
        self._status.answer_latency_ms = answer.latency_ms
        tracks = _tracks(answer, self._identities.on_answer(answer) or ())
        self._tracks_out.publish(detections_message(tracks, rgb.header, {query.id: query.text}))

    def close(self) -> None:
        """Free the model."""
        self._engine.close()


def _tracks(answer: Answer, boxes: Array) -> list[Track]:
    beliefs = (Belief(answer.query_id, 1.0, 1.0, TrackState.CONFIRMED, 0),)
    return [Track(identity, box, (0.0, 0.0), 1.0, 'object', beliefs) for identity, box in boxes]


def _settings(node: Node) -> Mapping[str, Any]:
    """Return the parameters of the tracker node, those that are given and the defaults."""
    known = {spec.name: spec.default for spec in SCHEMA}
    return {name: node.get_parameter(name).value if node.has_parameter(name) else default
            for name, default in known.items()}


def main(argv: list[str] | None = None) -> None:
    """Run the node until it is shut down."""
    argv = sys.argv if argv is None else argv
    parser = argparse.ArgumentParser(prog='common_node')
    parser.add_argument('--answers', type=Path)
    answers = parser.parse_args(remove_ros_args(argv)[1:]).answers
    cv2.setNumThreads(1)
    rclpy.init(args=argv)
    node = CommonNode(answers)
    try:
        spin(node)
    finally:
        node.close()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
