"""Rosbag2 recordings, read without ROS: frame pairs as the node makes them of its messages."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from rtrack_ros.data.bag_topics import BagTopics, choose_topics
from rtrack_ros.data.cut_recording import Recording
from rtrack_ros.data.pairs import DataError, Tally
from rtrack_ros.data.reading import Arrival, RecordedPairs
from rtrack_ros.intake.config import IntakeConfig
from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.receiving import Intake

RGB_TOPIC = '/rgb/image_raw'
THERMAL_TOPIC = '/thermal/image_raw'
IMAGE_TYPE = 'sensor_msgs/msg/Image'


class BagPairs(RecordedPairs):
    """The frame pairs of a recording, as the node makes them of its messages.

    Args:
        path: Recording.
        rgb_topic: Topic of the colour camera; None takes ``/rgb/image_raw``, or the only one.
        thermal_topic: Topic of the thermal camera; None takes ``/thermal/image_raw``, or the only
            one; it may be absent from the recording.
        config: Settings of the intake; None takes the defaults.

    Attributes:
        topics: Those that were chosen.

    Raises:
        DataError: the recording cannot be read, or does not say which topics are meant.
    """

    def __init__(self, path: Path | str, rgb_topic: str | None, thermal_topic: str | None,
                 config: IntakeConfig | None = None) -> None:
        super().__init__(config)
        self._path = Path(path)
        with open_bag(path) as reader:
            self.topics: BagTopics = choose_topics(reader, path, (rgb_topic, RGB_TOPIC),
                                                   (thermal_topic, THERMAL_TOPIC))
            self._count = reader.topics[self.topics.rgb].msgcount
            seconds = reader.duration * 1e-9
        self._fps = (self._count - 1) / seconds if self._count > 1 and seconds > 0 else 30.0

    @property
    def fps(self) -> float:
        """RGB images per second over the whole recording."""
        return self._fps

    def __len__(self) -> int:
        return self._count

    @property
    def _has_thermal(self) -> bool:
        return self.topics.thermal is not None

    def _arrivals(self, tally: Tally) -> Iterator[Arrival]:
        with open_bag(self._path) as reader:
            chosen = [item for item in reader.connections
                      if item.topic in (self.topics.rgb, self.topics.thermal)]
            left = {topic: reader.topics[topic].msgcount
                    for topic in (self.topics.rgb, self.topics.thermal) if topic}
            messages = reader.messages(chosen)
            if self.topics.note:
                tally.notes.append(self.topics.note)
            if reader.cut:
                tally.notes.append('the recording was never closed; what was written is read')
            while True:
                try:
                    connection, time_ns, data = next(messages)
                except StopIteration:
                    break
                except Exception as error:  # rosbags raises many kinds for damaged files
                    tally.notes.append(f'the recording is damaged, its end is left out ({error})')
                    break
                left[connection.topic] -= 1
                yield Arrival(time_ns, partial(self._give, reader, connection, data))
        tally.rgb.missing += left.get(self.topics.rgb, 0)
        tally.thermal.missing += left.get(self.topics.thermal or '', 0)

    def _give(self, reader: Recording, connection: Connection, data: bytes, intake: Intake
              ) -> None:
        is_rgb = connection.topic == self.topics.rgb
        try:
            message: Any = reader.deserialize(data, connection.msgtype)
        except Exception as error:  # rosbags raises many kinds for damaged messages
            refuse = intake.refuse_rgb if is_rgb else intake.refuse_thermal
            refuse(ConversionError(f'a message on {connection.topic} is damaged ({error})'))
            return
        (intake.add_rgb if is_rgb else intake.add_thermal)(message)


def read_pairs(path: Path | str, rgb_topic: str | None = None, thermal_topic: str | None = None,
               config: IntakeConfig | None = None) -> BagPairs:
    """Return the frame pairs of a recording; the arguments are those of :class:`BagPairs`."""
    return BagPairs(path, rgb_topic, thermal_topic, config)


def image_types() -> Typestore:
    """Return the message types of ROS 2 Jazzy that images need."""
    return get_typestore(Stores.ROS2_JAZZY)


@contextmanager
def open_bag(path: Path | str) -> Iterator[Recording]:
    """Open a recording, also one that was never closed: what was written until then is read.

    Raises:
        DataError: there is no readable recording.
    """
    with ExitStack() as stack:
        try:
            reader = stack.enter_context(Recording(Path(path), image_types()))
        except DataError:
            raise
        except Exception as error:  # rosbags raises many kinds for damaged files
            raise DataError(f'cannot open the bag {path}: {error}; `ros2 bag reindex` may repair '
                            'it') from error
        yield reader
