"""Files that viewers and the middleware read are well formed and name topics that exist."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import yaml

CONFIG = Path(__file__).parents[2] / 'config'
SOURCES = ''.join(path.read_text() for path in
                  (Path(__file__).parents[2] / 'rtrack_ros' / 'nodes').glob('*.py'))


def test_the_foxglove_layout_shows_only_panels_that_it_configures() -> None:
    layout = json.loads((CONFIG / 'foxglove.json').read_text())
    shown = re.findall(r'"(?:first|second)": "([^"]+)"', json.dumps(layout['layout']))
    assert sorted(shown) == sorted(layout['configById'])


def test_viewers_name_topics_that_the_node_offers() -> None:
    text = (CONFIG / 'foxglove.json').read_text() + (CONFIG / 'tracker.rviz').read_text()
    topics = set(re.findall(r'/rtrack/([a-z_/]+)', text))
    assert topics == {'debug/image', 'status'}
    assert all(f"'~/{topic}'" in SOURCES for topic in topics)
    yaml.safe_load((CONFIG / 'tracker.rviz').read_text())


def test_shared_memory_holds_several_large_images() -> None:
    root = ElementTree.fromstring((CONFIG / 'fastdds.xml').read_text())
    size, = (int(node.text) for node in root.iter() if node.tag.endswith('segment_size'))
    assert size >= 4 * 1920 * 1080 * 3
