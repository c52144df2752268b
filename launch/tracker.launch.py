"""Start the tracker as a managed node that configures and activates itself.

For example: ros2 launch rtrack_ros tracker.launch.py rgb_topic:=/camera/image_raw
thermal_topic:=/lepton/image_raw query:='the people near the truck'

With serve:=FOLDER the server of a model is started first, and ends with everything else.
"""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    PopEnvironment,
    PopLaunchConfigurations,
    PushEnvironment,
    PushLaunchConfigurations,
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
    'query_topic': ('referring_query', 'sentences, std_msgs/String'),
    'query': ('', 'the sentence to start with, instead of the one in params_file'),
    'model': ('', 'folder of the model, or URL of its server, instead of the one in params_file'),
    'serve': ('', 'an engine folder of rtrack compile, or a model: its server is started, and '
                  'the node asks it'),
    'params_file': (str(SHARE / 'config' / 'tracker.yaml'), 'parameters of the node'),
    'namespace': ('', 'namespace of the node and of every relative topic'),
    'name': ('rtrack', 'name of the node'),
    'on_failure': ('end', 'what happens when the node cannot be configured, or ends by itself: '
                          'end ends the whole launch, report keeps it and has the node publish '
                          'an ERROR on /diagnostics'),
    'use_sim_time': ('false', 'take the time from /clock'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
    'rviz': ('false', 'show the debug image in RViz'),
    'bag': ('', 'a bag to play beside the node; with use_sim_time:=true its clock is published'),
}
CHOICES = {'on_failure': ['end', 'report']}

# Longer than rtrack serve gives the server to end.
SERVER_ENDS_S = '20'

Values = dict[str, str]
Entities = list[LaunchDescriptionEntity]


def keep_scope(context: LaunchContext) -> Callable[[Sequence[LaunchDescriptionEntity]], Entities]:
    """Return a function that lets entities run later in the scope that is open now.

    An event handler runs when the group around this file may have ended, and with the group its
    launch arguments, namespace, remappings and environment.
    """
    configurations, environment = dict(context.launch_configurations), dict(context.environment)

    def restore(later: LaunchContext) -> None:
        later.launch_configurations.clear()
        later.launch_configurations.update(configurations)
        later.environment.clear()
        later.environment.update(environment)

    def in_scope(entities: Sequence[LaunchDescriptionEntity]) -> Entities:
        return [PushLaunchConfigurations(), PushEnvironment(), OpaqueFunction(function=restore),
                *entities, PopEnvironment(), PopLaunchConfigurations()]

    return in_scope


def tracker(values: Values, asks: dict[str, str]) -> LifecycleNode:
    """Return the managed node, not yet configured; ``asks`` are parameters of its engine."""
    # Only where one is given, or it would blot out that of the parameter file. A string by
    # declaration, or a sentence such as 'yes' or '7' would arrive as something else.
    given = {parameter: values[name] for name, parameter in (
        ('query', 'query.initial'), ('model', 'engine.model')) if values[name]}
    own = {name: ParameterValue(value, value_type=str) for name, value in (given | asks).items()}
    return LifecycleNode(
        package='rtrack_ros',
        executable='tracker_node',
        name=values['name'],
        namespace=values['namespace'],
        output='screen',
        parameters=[{'use_sim_time': is_true(values['use_sim_time']), **own}],
        remappings=[
            ('rgb/image_raw', values['rgb_topic']),
            ('thermal/image_raw', values['thermal_topic']),
            ('referring_query', values['query_topic']),
            ('~/tracks', 'tracks'),
        ],
        # The node reads the file itself: launch passes over one that is missing.
        arguments=['--on-failure', values['on_failure'], '--ros-args', '--params-file',
                   values['params_file'], '--log-level', values['log_level']],
    )


def is_true(text: str) -> bool:
    """Return whether a launch argument says yes."""
    return text.lower() in ('true', '1')


def request(node: LifecycleNode, transition: int) -> EmitEvent:
    """Return the action that asks a managed node for a transition."""
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=matches_action(node),
                                       transition_id=transition))


def bag_player(values: Values) -> list[ExecuteProcess]:
    """Return the player of the bag, if one is named."""
    if not values['bag']:
        return []
    clock = ['--clock'] if is_true(values['use_sim_time']) else []
    try:
        get_package_prefix('ros2bag')
    except PackageNotFoundError:
        return [Node(package='rtrack_ros', executable='bag_player', output='screen',
                     arguments=['--bag', values['bag'], *clock])]
    return [ExecuteProcess(cmd=['ros2', 'bag', 'play', values['bag'], *clock], output='screen')]


def parameters_of(line: str) -> dict[str, str]:
    """Return the parameters that ``rtrack serve`` prints: 'engine.model:=http://...' and more."""
    parts = (word.partition(':=') for word in shlex.split(line))
    return {name: value for name, _, value in parts}


def serve(context: LaunchContext, values: Values) -> Entities:
    """Return the server of a model, and the node that is started once it answers."""
    server = ExecuteProcess(cmd=['rtrack', 'serve', values['serve'], '--port', '0'],
                            output='screen', sigterm_timeout=SERVER_ENDS_S)
    in_scope = keep_scope(context)
    printed = ''

    def once_ready(event: ProcessIO) -> Entities:
        # It prints one line there, when it is ready.
        nonlocal printed
        ready, printed = '\n' in printed, printed + event.text.decode()
        if ready or '\n' not in printed:
            return []
        asks = parameters_of(printed.partition('\n')[0])
        return in_scope(start_tracker(context, values, asks))

    # The handlers come before the server, or its line could pass unseen.
    return [RegisterEventHandler(OnProcessIO(target_action=server, on_stdout=once_ready)),
            RegisterEventHandler(OnProcessExit(target_action=server, on_exit=end_with_server)),
            server]


def end_with_server(_: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """Return the end of everything, unless that is why the server has ended."""
    # Asked twice, launch reports an error at the end of every run.
    return None if context.is_shutdown else Shutdown(reason='the server of the model has ended')


def start(context: LaunchContext) -> Entities:
    """Return the node, behind the server of its model if one is named.

    Raises:
        RuntimeError: ``params_file`` is missing, and failures are to end the launch.
    """
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    if values['on_failure'] == 'end' and not Path(values['params_file']).is_file():
        raise RuntimeError(f'params_file:={values["params_file"]} is no file; give the path of '
                           'a parameter file such as config/tracker.yaml of rtrack_ros')
    return serve(context, values) if values['serve'] else start_tracker(context, values, {})


def start_tracker(context: LaunchContext, values: Values, asks: dict[str, str]) -> Entities:
    """Return the node with the events that configure and activate it."""
    node = tracker(values, asks)
    activate_once_configured = RegisterEventHandler(OnStateTransition(
        target_lifecycle_node=node, start_state='configuring', goal_state='inactive',
        entities=[request(node, Transition.TRANSITION_ACTIVATE)]))
    play_once_active = RegisterEventHandler(OnStateTransition(
        target_lifecycle_node=node, start_state='activating', goal_state='active',
        entities=keep_scope(context)(bag_player(values)), handle_once=True))
    # The handlers come before the node, or its first transition could pass unseen.
    return [activate_once_configured, play_once_active,
            *(end_on_failure(node) if values['on_failure'] == 'end' else []),
            node, request(node, Transition.TRANSITION_CONFIGURE)]


def end_on_failure(node: LifecycleNode) -> list[RegisterEventHandler]:
    """Return the handlers that end the launch when the node cannot be configured, or ends."""
    return [
        *(RegisterEventHandler(OnStateTransition(
            target_lifecycle_node=node, start_state=state, goal_state='unconfigured',
            entities=[OpaqueFunction(function=failed)], handle_once=True))
          for state in ('configuring', 'errorprocessing')),
        RegisterEventHandler(OnProcessExit(target_action=node, on_exit=failed_unless_ending))]


def failed(_: LaunchContext) -> None:
    """End everything, with an exit status that says so."""
    raise RuntimeError('the tracker could not be configured; its log says why')


def failed_unless_ending(_: ProcessExited, context: LaunchContext) -> None:
    """End everything because the node has ended, unless it did so on request."""
    if not context.is_shutdown:
        raise RuntimeError('the tracker has ended; its log says why')


def generate_launch_description() -> LaunchDescription:
    """Describe the node, its start, and what may run beside it."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description,
                                choices=CHOICES.get(name))
          for name, (default, description) in ARGUMENTS.items()),
        OpaqueFunction(function=start),
        Node(package='rviz2', executable='rviz2', name='rviz',
             namespace=LaunchConfiguration('namespace'),
             arguments=['-d', str(SHARE / 'config' / 'tracker.rviz')],
             remappings=[('/rtrack/debug/image', [LaunchConfiguration('name'), '/debug/image'])],
             condition=IfCondition(LaunchConfiguration('rviz'))),
    ])
