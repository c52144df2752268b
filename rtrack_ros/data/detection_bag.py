"""Detections in a recording, as a detector publishes them; written without ROS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from rosbags.typesys import get_types_from_msg
from rosbags.typesys.store import Typestore

from rtrack_ros.detections import Detection

DETECTIONS_TYPE: Final = 'vision_msgs/msg/Detection2DArray'
_PACKAGE: Final = 'vision_msgs/msg/'
# The fields of vision_msgs 4, as their own files define them.
_FIELDS: Final = {
    'Detection2DArray': 'std_msgs/Header header\nDetection2D[] detections\n',
    'Detection2D': 'std_msgs/Header header\nObjectHypothesisWithPose[] results\n'
                   'BoundingBox2D bbox\nstring id\n',
    'ObjectHypothesisWithPose': 'ObjectHypothesis hypothesis\n'
                                'geometry_msgs/PoseWithCovariance pose\n',
    'ObjectHypothesis': 'string class_id\nfloat64 score\n',
    'BoundingBox2D': 'Pose2D center\nfloat64 size_x\nfloat64 size_y\n',
    'Pose2D': 'Point2D position\nfloat64 theta\n',
    'Point2D': 'float64 x\nfloat64 y\n'}


@dataclass(frozen=True)
class DetectionMessage:
    """One message of a detector.

    Attributes:
        stamp_ns: Stamp of the image that it looked at.
        logged_ns: When it came.
        detections: What it saw, in pixels of the image that it looked at.
    """

    stamp_ns: int
    logged_ns: int
    detections: Sequence[Detection]


def register_detections(types: Typestore) -> None:
    """Let a type store know the messages of detectors."""
    for name, text in _FIELDS.items():
        types.register(get_types_from_msg(text, _PACKAGE + name))


def serialised(types: Typestore, message: DetectionMessage) -> Any:
    """Return the bytes of a message; ``types`` knows its type."""
    kinds = types.types
    header = kinds['std_msgs/msg/Header'](
        stamp=kinds['builtin_interfaces/msg/Time'](sec=message.stamp_ns // 10**9,
                                                   nanosec=message.stamp_ns % 10**9),
        frame_id='rgb_optical_frame')
    return types.serialize_cdr(kinds[DETECTIONS_TYPE](
        header=header, detections=[_detection(kinds, header, item)
                                   for item in message.detections]), DETECTIONS_TYPE)


def _detection(kinds: Any, header: Any, item: Detection) -> Any:
    def make(name: str, **fields: Any) -> Any:
        return kinds[_PACKAGE + name](**fields)

    x1, y1, x2, y2 = item.box
    centre = make('Pose2D', position=make('Point2D', x=(x1 + x2) / 2, y=(y1 + y2) / 2), theta=0.0)
    hypothesis = make('ObjectHypothesisWithPose', pose=_nowhere(kinds), hypothesis=make(
        'ObjectHypothesis', class_id=item.label, score=item.score))
    return make('Detection2D', header=header, results=[hypothesis], id='',
                bbox=make('BoundingBox2D', center=centre, size_x=x2 - x1, size_y=y2 - y1))


def _nowhere(kinds: Any) -> Any:
    def make(name: str, **fields: Any) -> Any:
        return kinds[f'geometry_msgs/msg/{name}'](**fields)

    return make('PoseWithCovariance', covariance=np.zeros(36), pose=make(
        'Pose', position=make('Point', x=0.0, y=0.0, z=0.0),
        orientation=make('Quaternion', x=0.0, y=0.0, z=0.0, w=1.0)))
