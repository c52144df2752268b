"""Two robots, each with a tracker of its own.

    ros2 launch examples/multi_robot.launch.py
    ros2 topic pub --once /robot_1/referring_query std_msgs/msg/String "data: 'the person in red'"

Every topic lies in the namespace of its robot: /robot_1/camera/image_raw, /robot_1/tracks and so
on. Each tracker loads a model of its own, and wants about one core.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch_ros.actions import Node

ROBOTS = ('robot_1', 'robot_2')
PARAMETERS = Path(get_package_share_directory('rtrack_ros')) / 'config' / 'tracker.yaml'


def tracker(robot: str) -> Node:
    """Return the tracker of one robot, which configures and activates itself."""
    return Node(
        package='rtrack_ros',
        executable='tracker_node',
        name='rtrack',
        namespace=robot,
        output='screen',
        parameters=[str(PARAMETERS), {'autostart': True}],
        remappings=[
            ('rgb/image_raw', 'camera/image_raw'),
            ('thermal/image_raw', 'lepton/image_raw'),
            ('~/tracks', 'tracks'),
        ],
    )


def generate_launch_description() -> LaunchDescription:
    """Describe one tracker for every robot."""
    return LaunchDescription([tracker(robot) for robot in ROBOTS])
