"""config/policy.xml allows what the nodes have, and nothing that they have not."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import rclpy
from rclpy.node import Node

from rtrack_ros.nodes.tracker_node import TrackerNode

DOMAIN = 1 + os.getpid() % 101
POLICY = Path(__file__).parents[2] / 'config' / 'policy.xml'
# Of every node that may use the time of a recording.
CLOCK = {'/clock', '/parameter_events'}


def allowed(node: str, kind: str, verb: str) -> set[str]:
    profile, = ElementTree.parse(POLICY).findall(f".//profile[@node='{node}']")
    assert profile.get('ns') == '/'
    return {f'/{item.text}' for group in profile.findall(f"{kind}[@{verb}='ALLOW']")
            for item in group}


def subscribed(node: Node) -> set[str]:
    return {node.resolve_topic_name(item.topic_name) for item in node.subscriptions}


def published(node: Node) -> set[str]:
    # rosout is published below rclpy.
    return {node.resolve_topic_name(item.topic_name) for item in node.publishers} | {'/rosout'}


def served(node: Node) -> set[str]:
    return {node.resolve_service_name(item.srv_name) for item in node.services}


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_the_tracker_may_do_what_it_does(tmp_path: Path, transport: str) -> None:
    script = tmp_path / 'script.json'
    script.write_text('["[]"]')
    rclpy.init(domain_id=DOMAIN, args=[
        '--ros-args', '-p', 'engine.name:=scripted', '-p', f'engine.model:={script}', '-p',
        f'rgb.transport:={transport}', '-p', f'thermal.transport:={transport}'])
    node = TrackerNode()
    try:
        node.trigger_configure()
        node.trigger_activate()
        assert published(node) <= allowed('rtrack', 'topics', 'publish')
        assert subscribed(node) <= allowed('rtrack', 'topics', 'subscribe')
        assert served(node) <= allowed('rtrack', 'services', 'reply')
        # What is allowed and not used would be a hole: remapped names and other transports aside.
        spare = allowed('rtrack', 'topics', 'publish') - published(node)
        assert spare <= {'/tracks', '/rtrack/transition_event'}
        assert allowed('rtrack', 'services', 'reply') - served(node) <= {
            '/rtrack/get_type_description', '/rtrack/get_available_states',
            '/rtrack/get_available_transitions', '/rtrack/get_transition_graph',
            '/rtrack/change_state', '/rtrack/get_state'}
        images = {name for name in allowed('rtrack', 'topics', 'subscribe') if 'image' in name}
        assert allowed('rtrack', 'topics', 'subscribe') - subscribed(node) <= images | CLOCK
    finally:
        node.close()
        node.destroy_node()
        rclpy.try_shutdown()


@pytest.mark.parametrize('name', ['bag_player', 'bag_recorder'])
def test_every_node_may_have_what_rclpy_gives_it(name: str) -> None:
    rclpy.init(domain_id=DOMAIN)
    node = rclpy.create_node(name)
    try:
        assert published(node) <= allowed(name, 'topics', 'publish')
        assert subscribed(node) <= allowed(name, 'topics', 'subscribe')
        assert served(node) <= allowed(name, 'services', 'reply')
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def test_a_middleware_without_security_does_not_go_on_without_it(tmp_path: Path) -> None:
    code = ('import rclpy\nrclpy.init()\nnode = rclpy.create_node("x")\nprint("went on")\n')
    ran = subprocess.run(
        [sys.executable, '-c', code], text=True, capture_output=True, check=False,
        env={**os.environ, 'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': 'Enforce',
             'ROS_SECURITY_KEYSTORE': str(tmp_path), 'ROS_DOMAIN_ID': str(DOMAIN)})
    assert ran.returncode != 0 and 'went on' not in ran.stdout
