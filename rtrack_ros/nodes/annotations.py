"""Boxes and IDs as Foxglove draws them over the raw image, where its messages are installed.

``foxglove_msgs`` is no dependency: the node offers the topic where the package is there (apt
install ros-$ROS_DISTRO-foxglove-msgs). Its newer versions have more fields, which are filled if
they exist.
"""

import importlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from std_msgs.msg import Header

from rtrack_ros.palette import colour_of
from rtrack_ros.tracking.track import Track


def _messages() -> Any:
    try:
        return importlib.import_module('foxglove_msgs.msg')
    except ImportError:
        return None


FOXGLOVE = _messages()
"""The module ``foxglove_msgs.msg``, None where it is not installed."""

THICKNESS_PX = 2.0
FONT_PX = 14.0
_GAP_PX = 3.0


def annotations_message(tracks: Iterable[Track], header: Header, sentences: Mapping[str, str],
                        messages: Any = FOXGLOVE) -> Any:
    """Return a ``foxglove_msgs/ImageAnnotations``: a box and a line of text for each track.

    Args:
        tracks: Boxes in pixels of the RGB image.
        header: Header of the RGB image; Foxglove matches annotations to images by its stamp.
        sentences: Sentence of each query by its id.
        messages: The module ``foxglove_msgs.msg``.
    """
    shown = [track for track in tracks if all(map(math.isfinite, track.box))]
    annotations = messages.ImageAnnotations(
        points=[_outline(track, header, messages) for track in shown],
        texts=[_label(track, header, sentences, messages) for track in shown])
    if hasattr(annotations, 'timestamp'):
        annotations.timestamp = header.stamp
    return annotations


def _outline(track: Track, header: Header, messages: Any) -> Any:
    left, top, right, bottom = map(float, track.box)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return messages.PointsAnnotation(
        timestamp=header.stamp, type=messages.PointsAnnotation.LINE_LOOP,
        points=[messages.Point2(x=x, y=y) for x, y in corners],
        outline_color=_colour(track, messages), thickness=THICKNESS_PX)


def _label(track: Track, header: Header, sentences: Mapping[str, str], messages: Any) -> Any:
    meant = [sentences.get(belief.query_id, '') for belief in track.meanings]
    text = ', '.join(filter(None, meant)) or track.label
    left, top = float(track.box[0]), float(track.box[1])
    # The text stands on its position: inside the box where there is no room above it.
    base = top - _GAP_PX if top >= FONT_PX + _GAP_PX else top + FONT_PX + _GAP_PX
    return messages.TextAnnotation(
        timestamp=header.stamp, position=messages.Point2(x=left, y=base),
        text=f'{track.id} {text}'.strip(), font_size=FONT_PX,
        text_color=_colour(track, messages), background_color=messages.Color(
            r=0.0, g=0.0, b=0.0, a=0.6))


def _colour(track: Track, messages: Any) -> Any:
    red, green, blue = (part / 255.0 for part in colour_of(track.id))
    return messages.Color(r=red, g=green, b=blue, a=1.0)
