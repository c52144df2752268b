"""Which topics of a recording are the two cameras."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rtrack_ros.data.pairs import DataError
from rtrack_ros.intake.transports import THERMAL_TRANSPORTS, camera_of, topic_of

IMAGE_TYPES: Final = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
_THERMAL_NAME: Final = re.compile(r'thermal|therm|infrared|lwir|flir|lepton|boson|seek|'
                                  r'(?:^|[/_])ir(?:[/_\d]|$)', re.IGNORECASE)
_THERMAL_ENCODINGS: Final = ('mono16', '16UC1', '16SC1', '32SC1', '32FC1', '64FC1', 'mono8',
                             '8UC1')
_OTHER_NAME: Final = re.compile(r'depth|disparity|mask|debug|theora|zstd')
_OPTIONS: Final = 'name them with --rgb-topic and --thermal-topic'


@dataclass(frozen=True)
class BagTopics:
    """The topics of the two cameras.

    Attributes:
        rgb: The colour camera.
        thermal: The thermal camera; None where there is none.
        note: What there is to say about its absence, '' where nothing is.
    """

    rgb: str
    thermal: str | None
    note: str = ''


def choose_topics(reader: Any, path: Path | str, rgb: tuple[str | None, str],
                  thermal: tuple[str | None, str]) -> BagTopics:
    """Return the topics of the cameras.

    What is named is taken, plain or compressed; else the usual name; else what is left, if that
    is one topic. Thermal is told from RGB by its name, or by the encoding of its first image.

    Args:
        reader: An open recording, of ``rosbags``.
        path: It, for errors.
        rgb: The name that is asked for, None for none, and the usual one.
        thermal: Likewise.

    Raises:
        DataError: a topic that is asked for is not there, or it is not clear which are meant.
    """
    images = [name for name, topic in reader.topics.items()
              if topic.msgtype in IMAGE_TYPES and topic.msgcount]
    chosen_rgb = _named(images, rgb, reader, path)
    chosen_thermal = _named(images, thermal, reader, path)
    if chosen_rgb is None or chosen_thermal is None:
        chosen = {camera_of(name) for name in (chosen_rgb, chosen_thermal) if name}
        rest = [name for name in _once(images)
                if camera_of(name) not in chosen and not _OTHER_NAME.search(camera_of(name))]
        warm = [name for name in rest if _is_thermal(reader, name, len(rest))]
        plain = [name for name in rest if name not in warm]
        if chosen_rgb is None:
            chosen_rgb = _only(plain, 'RGB', path, reader)
            if chosen_rgb is None:
                raise DataError(f'{path} has no RGB images; it holds {_known(reader)}; {_OPTIONS}')
        if chosen_thermal is None:
            chosen_thermal = _only(warm, 'thermal', path, reader)
    note = '' if chosen_thermal else _absence(reader, chosen_rgb)
    return BagTopics(chosen_rgb, chosen_thermal, note)


def _named(images: Sequence[str], wanted: tuple[str | None, str], reader: Any, path: Path | str
           ) -> str | None:
    """Return the topic that is asked for, or the usual one if it is there."""
    asked, usual = wanted
    name = asked or usual
    for transport in THERMAL_TRANSPORTS:
        if topic_of(name, transport) in images:
            return topic_of(name, transport)
    if asked:
        raise DataError(f'{path} has no images on {asked}; it holds {_known(reader)}')
    return None


def _absence(reader: Any, rgb: str) -> str:
    """Say which topics of images might have been the thermal camera, and are not taken for it."""
    others = [name if topic.msgcount else f'{name}, which holds no image'
              for name, topic in sorted(reader.topics.items()) if topic.msgtype in IMAGE_TYPES
              and camera_of(name) != camera_of(rgb)]
    return f'no topic is taken for the thermal camera, of {"; ".join(others)}; {_OPTIONS}' \
        if others else ''


def _only(names: Sequence[str], camera: str, path: Path | str, reader: Any) -> str | None:
    if len(names) > 1:
        raise DataError(f'{path} has several topics that may be the {camera} camera: '
                        f'{", ".join(names)}; {_OPTIONS}')
    return names[0] if names else None


def _once(images: Sequence[str]) -> list[str]:
    """Return every camera once: plain where it was recorded plain and compressed."""
    best: dict[str, str] = {}
    for name in sorted(images, key=len):
        best.setdefault(camera_of(name), name)
    return [name for name in images if best[camera_of(name)] == name]


def _is_thermal(reader: Any, name: str, candidates: int) -> bool:
    if _THERMAL_NAME.search(name):
        return True
    connections = [item for item in reader.connections if item.topic == name]
    for connection, _, data in reader.messages(connections):
        message = reader.deserialize(data, connection.msgtype)
        said = getattr(message, 'encoding', None) or message.format.partition(';')[0]
        # A grey camera alone is no thermal camera.
        return candidates > 1 and said in _THERMAL_ENCODINGS
    return False


def _known(reader: Any) -> str:
    return ', '.join(sorted(reader.topics)) or 'nothing'
