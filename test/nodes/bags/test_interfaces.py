"""Types by name: classes for DDS, definitions for bags."""

import pytest
from std_msgs.msg import String

from rtrack_ros.nodes.bags.interfaces import (
    InterfaceError,
    definition_text,
    message_class,
    typestore_for,
)

# Type hashes of the released vision_msgs 4.1.1 and std_msgs of ROS 2 Jazzy.
RELEASED = {
    'vision_msgs/msg/Detection2DArray':
        'RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968',
    'vision_msgs/msg/ObjectHypothesisWithPose':
        'RIHS01_41c12344c0396c48b81df12467c192d99b2a0eb1463c5c37194e4223251c80bc',
}


def test_a_class_is_found_by_name() -> None:
    assert message_class('std_msgs/msg/String') is String


@pytest.mark.parametrize('name', ['std_msgs/String', 'nowhere_msgs/msg/Thing', 'std_msgs/msg/No',
                                  'std_msgs/srv/String', ''])
def test_an_unknown_type_is_explained(name: str) -> None:
    with pytest.raises(InterfaceError, match=r'std_msgs/msg/String|source the workspace'):
        message_class(name)


@pytest.mark.parametrize('name', RELEASED)
def test_definitions_hash_like_the_released_ones(name: str) -> None:
    assert typestore_for([name]).hash_rihs01(name) == RELEASED[name]


def test_a_type_brings_all_it_contains() -> None:
    store = typestore_for(['rtrack_ros/msg/TrackerStatus', 'sensor_msgs/msg/Image'])
    assert {'builtin_interfaces/msg/Time', 'std_msgs/msg/Header'} <= set(store.types)


def test_a_missing_definition_is_explained() -> None:
    with pytest.raises(InterfaceError, match='share/std_msgs/msg/Nothing.msg'):
        definition_text('std_msgs/msg/Nothing')
