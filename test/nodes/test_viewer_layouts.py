"""Files that viewers and the middleware read are well formed and name topics that exist."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import rclpy
import yaml
from rtrack_ros.msg import TrackerStatus

from rtrack_ros.nodes.tracker_node import TrackerNode

CONFIG = Path(__file__).parents[2] / 'config'
DOMAIN = 1 + os.getpid() % 101


@pytest.fixture
def node(tmp_path: Path) -> Iterator[TrackerNode]:
    """The real node, active, under the name for its tracks that the launch file gives it."""
    script = tmp_path / 'script.json'
    script.write_text('["[]"]')
    rclpy.init(domain_id=DOMAIN, args=[
        '--ros-args', '-r', '~/tracks:=tracks', '-p', 'engine.name:=scripted',
        '-p', f'engine.model:={script}'])
    made = TrackerNode()
    made.trigger_configure()
    made.trigger_activate()
    yield made
    made.close()
    made.destroy_node()
    rclpy.try_shutdown()


def foxglove_topics() -> tuple[set[str], set[str], set[str]]:
    """Return the topics that the Foxglove layout shows, those it sends, and paths into status."""
    text = (CONFIG / 'foxglove.json').read_text()
    shown = set(re.findall(r'"(?:imageTopic|topicPath|topicToRender|value)": "(/[^."]+)', text))
    sent = set(re.findall(r'"topicName": "([^"]+)"', text))
    return shown, sent, set(re.findall(r'"value": "/rtrack/status\.([^"]+)"', text))


def rviz_topics() -> set[str]:
    layout = yaml.safe_load((CONFIG / 'tracker.rviz').read_text())
    return {display['Topic']['Value'] for display in layout['Visualization Manager']['Displays']}


def test_the_foxglove_layout_shows_only_panels_that_it_configures() -> None:
    layout = json.loads((CONFIG / 'foxglove.json').read_text())
    shown = re.findall(r'"(?:first|second)": "([^"]+)"', json.dumps(layout['layout']))
    assert sorted(shown) == sorted(layout['configById'])


def test_viewers_show_topics_that_the_node_publishes(node: TrackerNode) -> None:
    published = {publisher.topic_name for publisher in node.publishers}
    shown, _, _ = foxglove_topics()
    camera = {'/rgb/image_raw'}
    assert shown == camera | {'/rtrack/debug/image', '/rtrack/status', '/tracks', '/diagnostics'}
    assert camera <= {subscription.topic_name for subscription in node.subscriptions}
    assert (shown - camera) | rviz_topics() <= published


def test_foxglove_lays_the_boxes_over_the_raw_image(node: TrackerNode) -> None:
    panels = json.loads((CONFIG / 'foxglove.json').read_text())['configById']
    (mode,) = (panel['imageMode'] for panel in panels.values()
               if 'annotations' in panel.get('imageMode', {}))
    assert mode['imageTopic'] == '/rgb/image_raw'
    (topic,) = mode['annotations']
    assert topic == node.resolve_topic_name('~/annotations')


def test_foxglove_sends_sentences_where_the_node_hears_them(node: TrackerNode) -> None:
    heard = {subscription.topic_name for subscription in node.subscriptions}
    assert foxglove_topics()[1] == {'/referring_query'}
    assert '/referring_query' in heard


def test_foxglove_plots_fields_that_the_status_has() -> None:
    plotted = foxglove_topics()[2]
    assert 'answer_age_ms' in plotted
    assert plotted <= set(TrackerStatus.get_fields_and_field_types())


def test_shared_memory_holds_several_large_images() -> None:
    root = ElementTree.fromstring((CONFIG / 'fastdds.xml').read_text())
    size, = (int(node.text) for node in root.iter() if node.tag.endswith('segment_size'))
    assert size >= 4 * 1920 * 1080 * 3
