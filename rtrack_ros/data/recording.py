"""What the tracker node published, read from a recording without ROS."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtrack_ros.data.bag import open_bag
from rtrack_ros.data.mot import MotRow
from rtrack_ros.data.pairs import DataError
from rtrack_ros.foreign_text import foreign_bytes, parse_json
from rtrack_ros.intake.messages import stamp_of

TRACKS_TOPIC = '/rtrack/tracks'
STATUS_TOPIC = '/rtrack/status'
DETECTIONS_TOPIC = '/rtrack/detections'
TRACKS_TYPE = 'vision_msgs/msg/Detection2DArray'
STATUS_TYPE = 'rtrack_ros/msg/TrackerStatus'
_ASIDE = re.compile(r'debug|tentative')


@dataclass(frozen=True)
class RecordedArray:
    """One ``vision_msgs/Detection2DArray``.

    Attributes:
        stamp_ns: Header stamp, that of the RGB image.
        logged_ns: Time in the recording; the moment of publication where it was recorded so.
        rows: Its boxes; their frame number is 1 throughout.
        sentences: The ``class_id`` of each box.
    """

    stamp_ns: int
    logged_ns: int
    rows: tuple[MotRow, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class RecordedStatus:
    """What a tracker status says of model and input; None for what was not measured yet.

    Answers in no known form and errors of the engine add up to ``failures``.
    """

    logged_ns: int
    answers: int
    answer_age_ms: float | None
    answer_latency_ms: float | None
    engine: str
    model: str
    failures: int = 0
    superseded: int = 0
    behind_ms: float | None = None
    message: str = ''


def read_arrays(path: Path | str, topic: str = TRACKS_TOPIC) -> list[RecordedArray]:
    """Return the recorded detection arrays of a topic in the order of their stamps.

    Raises:
        DataError: the recording cannot be read.
    """
    try:
        arrays = [_array(message, logged_ns) for message, logged_ns in read_messages(path, topic)]
    except AttributeError as error:
        raise _another_version(path, topic, error) from error
    return sorted(arrays, key=lambda array: array.stamp_ns)


def read_statuses(path: Path | str, topic: str = STATUS_TOPIC) -> list[RecordedStatus]:
    """Return the recorded ``rtrack_ros/TrackerStatus`` messages in the order of time.

    Raises:
        DataError: the recording cannot be read.
    """
    try:
        return [_status(message, logged_ns) for message, logged_ns in read_messages(path, topic)]
    except AttributeError as error:
        raise _another_version(path, topic, error) from error


def split_topic(text: str) -> tuple[Path, str | None]:
    """Return the recording and the topic of ``BAG`` or ``BAG:TOPIC``."""
    if Path(text).exists() or ':' not in text:
        return Path(text), None
    path, _, topic = text.rpartition(':')
    return Path(path), '/' + topic.strip('/')


def find_topic(path: Path | str, kind: str, asked: str | None = None) -> str | None:
    """Return the topic of a type in a recording, None where there is none of that type.

    Args:
        path: Recording.
        kind: Type of its messages.
        asked: Take this one.

    Raises:
        DataError: the recording cannot be read, the topic is not there, or there are several.
    """
    with open_bag(path) as reader:
        found = {name: topic.msgtype for name, topic in reader.topics.items()}
    named = [name for name, type_ in found.items() if type_ == kind]
    if asked is not None:
        if asked in named:
            return asked
        raise DataError(f'{path} has no {kind} on {asked}; it has them on '
                        f'{", ".join(named) or "no topic"}')
    usual = [name for name in named if not _ASIDE.search(name)] or named
    if len(usual) > 1:
        raise DataError(f'{path} has {kind} on {", ".join(usual)}; choose one, as in '
                        f'{path}:{usual[0]}')
    return usual[0] if usual else None


def find_detections(path: Path | str, asked: str | None = None) -> str | None:
    """Return the topic of a detector in a recording, None where there is none.

    The usual name comes first; what the tracker itself publishes is none.

    Args:
        path: Recording.
        asked: Take this one.

    Raises:
        DataError: as ``find_topic``.
    """
    with open_bag(path) as reader:
        named = [name for name, topic in reader.topics.items() if topic.msgtype == TRACKS_TYPE]
    if asked is None and DETECTIONS_TOPIC in named:
        return DETECTIONS_TOPIC
    if asked is None and named in ([], [TRACKS_TOPIC]):
        return None
    return find_topic(path, TRACKS_TYPE, asked)


def image_stamps(path: Path | str, topic: str) -> list[tuple[int, int]]:
    """Return (stamp, time of arrival) of every image on a topic in the order of arrival.

    An image without a stamp has its time of arrival in place of it, as in the node.

    Raises:
        DataError: the recording cannot be read.
    """
    return [(stamp_of(message) or logged_ns, logged_ns)
            for message, logged_ns in read_messages(path, topic)]


def read_stamp_map(path: Path, topic: str) -> list[tuple[int, int]]:
    """Return (stamp in the recording, stamp published) of every image that a player played.

    Args:
        path: What ``bag_player --stamp-map`` wrote.
        topic: Of the images.

    Raises:
        DataError: the file cannot be read, or has no such topic.
    """
    try:
        content = parse_json(foreign_bytes(path))
        pairs = [(int(before), int(after)) for before, after in content[topic]]
    except KeyError:
        raise DataError(f'{path} has no topic {topic}; it has {", ".join(content)}; name one '
                        'with --rgb-topic') from None
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f'{path} is no map of stamps ({error}); bag_player --stamp-map writes one'
                        ) from error
    return pairs


def read_messages(path: Path | str, topic: str) -> Iterator[tuple[Any, int]]:
    """Yield the messages of a topic and when each was recorded, nanoseconds, in that order.

    Raises:
        DataError: the recording, or one of the messages, cannot be read.
    """
    with open_bag(path) as reader:
        chosen = [item for item in reader.connections if item.topic == topic]
        # Without this, no connection would mean every connection.
        for connection, logged_ns, data in reader.messages(chosen) if chosen else ():
            try:
                message = reader.deserialize(data, connection.msgtype)
            except Exception as error:  # rosbags raises many kinds for damaged messages
                raise DataError(f'{path}: a message on {topic} is damaged ({error}); record it '
                                'anew, or cut it out with `ros2 bag convert`') from error
            yield message, logged_ns


def _another_version(path: Path | str, topic: str, error: AttributeError) -> DataError:
    return DataError(f'{path}: the messages on {topic} are of another version of their package '
                     f'({error}); record them with the one of today')


def _status(message: Any, logged_ns: int) -> RecordedStatus:
    return RecordedStatus(logged_ns, int(message.answers), _known(message.answer_age_ms),
                          _known(message.answer_latency_ms), message.engine, message.model,
                          int(message.answers_invalid + message.engine_errors),
                          int(message.frames_superseded), _known(message.behind_ms),
                          str(message.message))


def _array(message: Any, logged_ns: int) -> RecordedArray:
    rows, sentences = [], []
    for detection in message.detections:
        centre, box = detection.bbox.center.position, detection.bbox
        best = detection.results[0].hypothesis if detection.results else None
        rows.append(MotRow(
            1, int(detection.id),
            (centre.x - box.size_x / 2, centre.y - box.size_y / 2,
             centre.x + box.size_x / 2, centre.y + box.size_y / 2),
            1.0 if best is None else float(best.score)))
        sentences.append('' if best is None else str(best.class_id))
    return RecordedArray(stamp_of(message), logged_ns, tuple(rows), tuple(sentences))


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
