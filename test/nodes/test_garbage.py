"""While the node is active, a collection of garbage looks at little; afterwards it frees all."""

import gc
import json
import os
import weakref

import pytest
import rclpy
from rclpy.lifecycle import TransitionCallbackReturn

from rtrack_ros.nodes import garbage
from rtrack_ros.nodes.tracker_node import TrackerNode


@pytest.fixture
def node(tmp_path):
    script = tmp_path / 'script.json'
    script.write_text(json.dumps(['[]']))
    rclpy.init(domain_id=1 + os.getpid() % 101, args=[
        '--ros-args', '-p', 'engine.name:=scripted', '-p', f'engine.model:={script}', '-p',
        "engine.self_test:='off'"])
    made = TrackerNode()
    yield made
    made.close()
    made.destroy_node()
    rclpy.try_shutdown()


def test_what_an_active_node_holds_is_looked_at_no_more(node):
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert gc.get_freeze_count() == 0
    node.trigger_activate()
    assert len(gc.get_objects()) < gc.get_freeze_count() / 20
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert gc.get_freeze_count() == 0


def test_garbage_of_before_is_freed_and_cycles_of_later_are_found():
    class Cycle:
        def __init__(self):
            self.me = self
    before, held = Cycle(), Cycle()
    gone, kept = weakref.ref(before), weakref.ref(held)
    del before
    try:
        assert garbage.set_aside() > 1000
        assert gone() is None and kept() is held
        later = weakref.ref(Cycle())
        gc.collect()
        assert later() is None
    finally:
        garbage.take_back()
    del held
    gc.collect()
    assert kept() is None
