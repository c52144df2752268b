"""Frame pairs into rosbag2 recordings (mcap), written without ROS.

The offered quality of service is stored with every topic, so that ``ros2 bag play`` publishes the
images as a camera does. A written scene carries its truth in the folder ``truth/`` beside the
recording's own files; its stamps begin at :data:`START_NS`, since stamp 0 means "no time" in ROS.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer

from rtrack_ros.data.bag import IMAGE_TYPE, RGB_TOPIC, THERMAL_TOPIC, image_types
from rtrack_ros.data.detection_bag import (
    DETECTIONS_TYPE,
    DetectionMessage,
    register_detections,
    serialised,
)
from rtrack_ros.data.pairs import DataError
from rtrack_ros.frames import FramePair

START_NS = 1_700_000_000_000_000_000
_FOREVER = QosTime(9223372036, 854775807)  # RMW_DURATION_INFINITE


def camera_qos(depth: int = 10) -> Qos:
    """Return the profile that a camera driver offers: reliable, volatile, the last few images.

    Reliable is the stronger offer; best-effort subscriptions match it too.
    """
    return Qos(QosHistory.KEEP_LAST, depth, QosReliability.RELIABLE, QosDurability.VOLATILE,
               _FOREVER, _FOREVER, QosLiveliness.AUTOMATIC, _FOREVER, False)


class ImageBagWriter:
    """Writes RGB and thermal images into one recording; a context manager.

    Args:
        path: Folder to be created.

    Raises:
        DataError: something is already at ``path``.
    """

    def __init__(self, path: Path | str) -> None:
        target = Path(path)
        if target.exists():
            raise DataError(f'{target} exists; remove it or choose another folder')
        target.parent.mkdir(parents=True, exist_ok=True)
        self._types = image_types()
        self._writer = Writer(target, version=9, storage_plugin=StoragePlugin.MCAP)
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> 'ImageBagWriter':
        self._writer.open()
        for topic in (RGB_TOPIC, THERMAL_TOPIC):
            self._connections[topic] = self._writer.add_connection(
                topic, IMAGE_TYPE, typestore=self._types, offered_qos_profiles=[camera_qos()])
        return self

    def __exit__(self, *exception: object) -> None:
        self._writer.close()

    def write_rgb(self, stamp_ns: int, image: NDArray[np.uint8]) -> None:
        """Write one RGB image, uint8 (h, w, 3), recorded at its own stamp."""
        self._write(RGB_TOPIC, stamp_ns, image, 'rgb8', 'rgb_optical_frame')

    def write_thermal(self, stamp_ns: int, image: NDArray[np.generic]) -> None:
        """Write one thermal image, uint8 or uint16 (h, w)."""
        encoding = 'mono8' if image.dtype == np.uint8 else 'mono16'
        self._write(THERMAL_TOPIC, stamp_ns, image, encoding, 'thermal_optical_frame')

    def write_detections(self, topic: str, message: DetectionMessage) -> None:
        """Write a message of a detector; the first one makes the topic."""
        if topic not in self._connections:
            register_detections(self._types)
            self._connections[topic] = self._writer.add_connection(
                topic, DETECTIONS_TYPE, typestore=self._types,
                offered_qos_profiles=[camera_qos()])
        self._writer.write(self._connections[topic], message.logged_ns,
                           serialised(self._types, message))

    def _write(self, topic: str, stamp_ns: int, image: NDArray[np.generic], encoding: str,
               frame_id: str) -> None:
        kinds = self._types.types
        rows = np.ascontiguousarray(image)
        header = kinds['std_msgs/msg/Header'](
            stamp=kinds['builtin_interfaces/msg/Time'](sec=stamp_ns // 10**9,
                                                       nanosec=stamp_ns % 10**9),
            frame_id=frame_id)
        message = kinds[IMAGE_TYPE](
            header=header, height=rows.shape[0], width=rows.shape[1], encoding=encoding,
            is_bigendian=0, step=rows.nbytes // rows.shape[0],
            data=rows.view(np.uint8).reshape(-1))
        self._writer.write(self._connections[topic], stamp_ns,
                           self._types.serialize_cdr(message, IMAGE_TYPE))


def record_pairs(path: Path | str, pairs: Iterable[FramePair], seconds: float | None = None
                 ) -> tuple[int, float]:
    """Write frame pairs as a recording that begins at :data:`START_NS`.

    Args:
        path: Folder to be created.
        pairs: What to write; thermal leaves as 8 bits on the RGB grid, as it is in a pair.
        seconds: Longest time to write; None writes all.

    Returns:
        The number of pairs written, and the seconds from the first to the last.

    Raises:
        DataError: something is at ``path``, or there is no pair to write.
    """
    count, begin_ns, length_ns = 0, 0, 0
    with ImageBagWriter(path) as writer:
        for pair in pairs:
            begin_ns = begin_ns if count else pair.stamp_ns
            since_ns = pair.stamp_ns - begin_ns
            if seconds is not None and since_ns > seconds * 1e9:
                break
            count, length_ns = count + 1, since_ns
            # Thermal first: the node then pairs the first image, too.
            if pair.thermal is not None:
                writer.write_thermal(START_NS + since_ns, pair.thermal)
            writer.write_rgb(START_NS + since_ns, pair.rgb)
    if not count:
        raise DataError('the recording has no frame; check that the video can be played')
    return count, length_ns * 1e-9
