"""Start the tracker as a managed node that configures and activates itself.

For example: ros2 launch rtrack_ros tracker.launch.py rgb_topic:=/camera/image_raw
thermal_topic:=/lepton/image_raw query:='the people near the truck'

With serve:=FOLDER the server of a model is started first, and ends with everything else.
"""

import shlex
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.events import matches_action
from launch.events.process import ProcessExited, ProcessIO
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.parameter_descriptions import ParameterValue
from lifecycle_msgs.msg import Transition

SHARE = Path(get_package_share_directory('rtrack_ros'))

ARGUMENTS = {
    'rgb_topic': ('rgb/image_raw', 'RGB images, sensor_msgs/Image'),
    'thermal_topic': ('thermal/image_raw', 'thermal images, sensor_msgs/Image'),
    'query_topic': ('/referring_query', 'sentences, std_msgs/String'),
    'query': ('', 'the sentence to start with, instead of the one in params_file'),
    'model': ('', 'folder of the model, or URL of its server, instead of the one in params_file'),
    'serve': ('', 'an engine folder of rtrack compile, or a model: its server is started, and '
                  'the node asks it'),
    'params_file': (str(SHARE / 'config' / 'tracker.yaml'), 'parameters of the node'),
    'use_sim_time': ('false', 'take the time from /clock'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
    'rviz': ('false', 'show the debug image in RViz'),
    'bag': ('', 'a bag to play beside the node; with use_sim_time:=true its clock is published'),
}


# Longer than rtrack serve gives the server to end.
SERVER_ENDS_S = '20'


def tracker(context: LaunchContext, asks: dict[str, str]) -> LifecycleNode:
    """Return the managed node, not yet configured; ``asks`` are parameters of its engine."""
    parameters = [LaunchConfiguration('params_file'), {
        'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)}]
    # Only where one is given, or it would blot out that of the parameter file. A string by
    # declaration, or a sentence such as 'yes' or '7' would arrive as something else.
    parameters += [{parameter: ParameterValue(LaunchConfiguration(name), value_type=str)}
                   for name, parameter in (('query', 'query.initial'), ('model', 'engine.model'))
                   if LaunchConfiguration(name).perform(context)]
    if asks:
        parameters.append({name: ParameterValue(value, value_type=str)
                           for name, value in asks.items()})
    return LifecycleNode(
        package='rtrack_ros',
        executable='tracker_node',
        name='rtrack',
        namespace='',
        output='screen',
        parameters=parameters,
        remappings=[
            ('rgb/image_raw', LaunchConfiguration('rgb_topic')),
            ('thermal/image_raw', LaunchConfiguration('thermal_topic')),
            ('/referring_query', LaunchConfiguration('query_topic')),
            ('~/tracks', '/tracks'),
        ],
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
    )


def request(node: LifecycleNode, transition: int) -> EmitEvent:
    """Return the action that asks a managed node for a transition."""
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(node),
                                       transition_id=transition))


def play_bag(context: LaunchContext) -> list[ExecuteProcess]:
    """Return the player of the bag, if one is named."""
    bag = LaunchConfiguration('bag').perform(context)
    if not bag:
        return []
    simulated = LaunchConfiguration('use_sim_time').perform(context).lower() in ('true', '1')
    clock = ['--clock'] if simulated else []
    return [ExecuteProcess(cmd=['ros2', 'bag', 'play', bag, *clock], output='screen')]


def parameters_of(line: str) -> dict[str, str]:
    """Return the parameters that ``rtrack serve`` prints: 'engine.model:=http://...' and more."""
    parts = (word.partition(':=') for word in shlex.split(line))
    return {name: value for name, _, value in parts}


def serve(context: LaunchContext, model: str) -> list[LaunchDescriptionEntity]:
    """Return the server of a model, and the node that is started once it answers."""
    server = ExecuteProcess(cmd=['rtrack', 'serve', model, '--port', '0'], output='screen',
                            sigterm_timeout=SERVER_ENDS_S)
    printed = ''

    def once_ready(event: ProcessIO) -> list[LaunchDescriptionEntity]:
        # It prints one line there, when it is ready.
        nonlocal printed
        ready, printed = '\n' in printed, printed + event.text.decode()
        if ready or '\n' not in printed:
            return []
        return start_tracker(context, parameters_of(printed.partition('\n')[0]))

    # The handlers come before the server, or its line could pass unseen.
    return [RegisterEventHandler(OnProcessIO(target_action=server, on_stdout=once_ready)),
            RegisterEventHandler(OnProcessExit(target_action=server, on_exit=end_with_server)),
            server]


def end_with_server(_: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """Return the end of everything, unless that is why the server has ended."""
    # Asked twice, launch reports an error at the end of every run.
    return None if context.is_shutdown else Shutdown(reason='the server of the model has ended')


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the node, behind the server of its model if one is named."""
    model = LaunchConfiguration('serve').perform(context)
    return serve(context, model) if model else start_tracker(context, {})


def start_tracker(context: LaunchContext, asks: dict[str, str]) -> list[LaunchDescriptionEntity]:
    """Return the node with the events that configure and activate it."""
    node = tracker(context, asks)
    activate_once_configured = RegisterEventHandler(OnStateTransition(
        target_lifecycle_node=node, start_state='configuring', goal_state='inactive',
        entities=[request(node, Transition.TRANSITION_ACTIVATE)]))
    play_once_active = RegisterEventHandler(OnStateTransition(
        target_lifecycle_node=node, start_state='activating', goal_state='active',
        entities=[OpaqueFunction(function=play_bag)], handle_once=True))
    # The handlers come before the node, or its first transition could pass unseen.
    return [activate_once_configured, play_once_active, node,
            request(node, Transition.TRANSITION_CONFIGURE)]


def generate_launch_description() -> LaunchDescription:
    """Describe the node, its start, and what may run beside it."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description)
          for name, (default, description) in ARGUMENTS.items()),
        OpaqueFunction(function=start),
        Node(package='rviz2', executable='rviz2', name='rviz',
             arguments=['-d', str(SHARE / 'config' / 'tracker.rviz')],
             condition=IfCondition(LaunchConfiguration('rviz'))),
    ])
