"""Frame pairs in rosbag2 recordings (mcap), written and read without ROS.

The offered quality of service is stored with every topic, so that ``ros2 bag play`` publishes the
images as a camera does. A written scene carries its truth in the folder ``truth/`` beside the
recording's own files; its stamps begin at :data:`START_NS`, since stamp 0 means "no time" in ROS.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
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
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from rtrack_ros.data.pairs import DataError, PairSource
from rtrack_ros.frames import FramePair
from rtrack_ros.intake.encodings import ConversionError, rgb_pixels, thermal_pixels
from rtrack_ros.intake.messages import stamp_of
from rtrack_ros.intake.pairing import PairedItem, StampPairer
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal

RGB_TOPIC = '/rgb/image_raw'
THERMAL_TOPIC = '/thermal/image_raw'
IMAGE_TYPE = 'sensor_msgs/msg/Image'
START_NS = 1_700_000_000_000_000_000
_FOREVER = QosTime(9223372036, 854775807)  # RMW_DURATION_INFINITE
_FAR_FUTURE_NS = 1 << 62
_HELD_AT_FIRST = 15


def camera_qos(depth: int = 10) -> Qos:
    """Return the profile that a camera driver offers: reliable, volatile, the last few images.

    Reliable is the stronger offer; best-effort subscriptions match it too.
    """
    return Qos(QosHistory.KEEP_LAST, depth, QosReliability.RELIABLE, QosDurability.VOLATILE,
               _FOREVER, _FOREVER, QosLiveliness.AUTOMATIC, _FOREVER, False)


def image_types() -> Typestore:
    """Return the message types of ROS 2 Jazzy that images need."""
    return get_typestore(Stores.ROS2_JAZZY)


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


class BagPairs:
    """The frame pairs of a recording, paired by stamp as the node pairs them.

    Args:
        path: Recording.
        rgb_topic: Topic of the colour camera.
        thermal_topic: Topic of the thermal camera; it may be absent from the recording.
        limits: Fixed (low, high) raw counts for 16-bit thermal; None follows the scene.

    Raises:
        DataError: the recording cannot be read or has no such RGB topic.
    """

    def __init__(self, path: Path | str, rgb_topic: str, thermal_topic: str,
                 limits: tuple[float, float] | None) -> None:
        self._path, self._limits = Path(path), limits
        self._rgb_topic, self._thermal_topic = rgb_topic, thermal_topic
        with open_bag(path) as reader:
            topic = reader.topics.get(rgb_topic)
            if topic is None or not topic.msgcount:
                known = ', '.join(sorted(reader.topics)) or 'nothing'
                raise DataError(f'{path} has no images on {rgb_topic}; it holds {known}')
            self._count, seconds = topic.msgcount, reader.duration * 1e-9
        self._fps = (self._count - 1) / seconds if self._count > 1 and seconds > 0 else 30.0

    @property
    def fps(self) -> float:
        """RGB images per second over the whole recording."""
        return self._fps

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[FramePair]:
        normalise = ThermalNormaliser(limits=self._limits)
        with open_bag(self._path) as reader:
            for item in self._paired(reader):
                yield _frame_pair(item, normalise)

    def _paired(self, reader: AnyReader) -> Iterator[PairedItem[Any, Any]]:
        pairer: StampPairer[Any, Any] = StampPairer()
        chosen = [item for item in reader.connections
                  if item.topic in (self._rgb_topic, self._thermal_topic)]
        # A pairer that never saw a thermal image waits for none: the first frames are held back
        # until the thermal camera has spoken, or had time to.
        held = _HELD_AT_FIRST
        for connection, time_ns, data in reader.messages(chosen):
            message = reader.deserialize(data, connection.msgtype)
            if connection.topic == self._rgb_topic:
                held -= pairer.add_rgb(stamp_of(message), message).accepted
            else:
                pairer.add_thermal(stamp_of(message), message)
                held = 0
            if held <= 0:
                yield from pairer.poll(time_ns)
        yield from pairer.poll(_FAR_FUTURE_NS)


def read_pairs(path: Path | str, rgb_topic: str = RGB_TOPIC, thermal_topic: str = THERMAL_TOPIC,
               limits: tuple[float, float] | None = None) -> BagPairs:
    """Return the frame pairs of a recording; the arguments are those of :class:`BagPairs`."""
    return BagPairs(path, rgb_topic, thermal_topic, limits)


def record_pairs(path: Path | str, pairs: PairSource, limit: int | None = None) -> int:
    """Write frame pairs as a recording that begins at :data:`START_NS`.

    Args:
        path: Folder to be created.
        pairs: What to write; thermal leaves as 8 bits on the RGB grid, as it is in a pair.
        limit: Most pairs to write; None writes all.

    Returns:
        The number of pairs written.

    Raises:
        DataError: something is at ``path``, or there is no pair to write.
    """
    count, first_ns = 0, 0
    with ImageBagWriter(path) as writer:
        for count, pair in enumerate(islice(pairs, limit), start=1):
            first_ns = pair.stamp_ns if count == 1 else first_ns
            stamp_ns = START_NS + pair.stamp_ns - first_ns
            writer.write_rgb(stamp_ns, pair.rgb)
            if pair.thermal is not None:
                writer.write_thermal(stamp_ns, pair.thermal)
    if not count:
        raise DataError('the recording has no frame; check that the video can be played')
    return count


def open_bag(path: Path | str) -> AnyReader:
    """Return a reader of a recording, to be used as a context manager.

    Raises:
        DataError: there is no readable recording.
    """
    try:
        return AnyReader([Path(path)], default_typestore=image_types())
    except Exception as error:  # rosbags raises many kinds for damaged files
        raise DataError(f'cannot open the bag {path}: {error}; `ros2 bag reindex` may repair '
                        'it') from error


def _frame_pair(item: PairedItem[Any, Any], normalise: ThermalNormaliser) -> FramePair:
    thermal = None
    try:
        rgb = rgb_pixels(item.rgb)
        if item.thermal is not None:
            eight = normalise(thermal_pixels(item.thermal).counts, item.stamp_ns)
            thermal = register_thermal(eight, rgb.shape[1], rgb.shape[0])
    except ConversionError as error:
        raise DataError(f'an image of the bag cannot be read: {error}') from error
    return FramePair(item.stamp_ns, rgb, thermal, item.rgb.header.frame_id)
