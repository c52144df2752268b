"""Boxes and IDs as Foxglove draws them, for the older and the newer version of its messages."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from std_msgs.msg import Header

from rtrack_ros.nodes import publishing
from rtrack_ros.nodes.annotations import annotations_message
from rtrack_ros.palette import colour_of
from rtrack_ros.tracking.track import Belief, Track, TrackState


def message_class(**fields: Any) -> Callable[..., SimpleNamespace]:
    """Return a stand-in of a generated message class, which refuses unknown fields as it does."""
    class Message(SimpleNamespace):
        LINE_LOOP = 2

        def __init__(self, **given: Any) -> None:
            assert given.keys() <= fields.keys(), given.keys() - fields.keys()
            super().__init__(**{**fields, **given})
    return Message


def foxglove(newer: bool) -> SimpleNamespace:
    """Return a stand-in for ``foxglove_msgs.msg``; newer versions stamp the whole message."""
    more = {'timestamp': None, 'metadata': ()} if newer else {}
    meta = {'metadata': ()} if newer else {}
    return SimpleNamespace(
        Point2=message_class(x=0.0, y=0.0), Color=message_class(r=0.0, g=0.0, b=0.0, a=0.0),
        PointsAnnotation=message_class(timestamp=None, type=0, points=(), outline_color=None,
                                       outline_colors=(), fill_color=None, thickness=0.0, **meta),
        TextAnnotation=message_class(timestamp=None, position=None, text='', font_size=0.0,
                                     text_color=None, background_color=None, **meta),
        ImageAnnotations=message_class(circles=(), points=(), texts=(), **more))


def make_track(**changes: Any) -> Track:
    fields = {'id': 7, 'box': (10.0, 40.0, 50.0, 90.0), 'velocity': (0.0, 0.0), 'existence': 0.9,
              'label': 'person',
              'beliefs': (Belief('default', 0.9, 0.8, TrackState.CONFIRMED, 0),
                          Belief('other', 0.1, 0.2, TrackState.LOST, 0))}
    return Track(**(fields | changes))


@pytest.mark.parametrize('newer', [False, True])
def test_a_track_is_an_outline_in_its_colour_and_a_line_of_text(newer: bool) -> None:
    header = Header(frame_id='camera')
    header.stamp.sec = 12
    message = annotations_message([make_track()], header, {'default': 'in red', 'other': 'far'},
                                  foxglove(newer))
    (outline,), (label,) = message.points, message.texts
    assert [(point.x, point.y) for point in outline.points] == [
        (10.0, 40.0), (50.0, 40.0), (50.0, 90.0), (10.0, 90.0)]
    assert outline.type == 2 and outline.timestamp == label.timestamp == header.stamp
    colour = outline.outline_color
    assert [round(255 * part) for part in (colour.r, colour.g, colour.b)] == list(colour_of(7))
    assert label.text == '7 in red' and (label.position.x, label.position.y) == (10.0, 37.0)
    assert getattr(message, 'timestamp', header.stamp) == header.stamp


def test_the_text_of_a_box_at_the_upper_edge_stays_in_the_image() -> None:
    message = annotations_message([make_track(box=(0.0, 2.0, 30.0, 60.0))], Header(), {},
                                  foxglove(False))
    assert message.texts[0].position.y >= 14.0 and message.texts[0].text == '7 person'


def test_nobody_and_a_box_that_is_not_finite_are_left_out() -> None:
    tracks = [make_track(box=(0.0, 0.0, float('nan'), 1.0))]
    message = annotations_message(tracks, Header(), {}, foxglove(True))
    assert message.points == [] and message.texts == []


class Publisher:
    def __init__(self, kind: Any, topic: str, listeners: int) -> None:
        self.kind, self.topic, self.listeners, self.sent = kind, topic, listeners, 0

    def get_subscription_count(self) -> int:
        return self.listeners

    def publish(self, message: Any) -> None:
        self.sent += 1


@pytest.mark.parametrize('listeners, sent', [(0, 0), (1, 1)])
def test_annotations_are_made_for_subscribers_and_only_with_the_package(
        monkeypatch: pytest.MonkeyPatch, listeners: int, sent: int) -> None:
    made: dict[str, Publisher] = {}

    def offer(kind: Any, topic: str, qos: Any) -> Publisher:
        made[topic] = Publisher(kind, topic, listeners if topic == '~/annotations' else 0)
        return made[topic]

    node = SimpleNamespace(
        create_lifecycle_publisher=offer, destroy_lifecycle_publisher=lambda publisher: None,
        get_clock=lambda: SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=0)))
    received = SimpleNamespace(header=Header(), received_ns=0,
                               pair=SimpleNamespace(stamp_ns=0))
    monkeypatch.setattr(publishing, 'FOXGLOVE', foxglove(True))
    monkeypatch.setattr(publishing.annotations_message, '__defaults__', (foxglove(True),))
    outputs = publishing.Outputs(node, {}, publishing.Activity())
    outputs.publish_tracks(received, [], [])
    assert made['~/annotations'].sent == sent and made['~/tracks'].sent == 1
    outputs.destroy()
    made.clear()
    monkeypatch.setattr(publishing, 'FOXGLOVE', None)
    outputs = publishing.Outputs(node, {}, publishing.Activity())
    outputs.publish_tracks(received, [], [])
    outputs.destroy()
    assert '~/annotations' not in made
