"""Play a recording to the tracker, record what it publishes, and score that against the truth.

For example: ros2 launch rtrack_ros evaluate.launch.py bag:=scene/bag truth:=scene/bag/truth
query:='all people' out:=scored

The recording is played with new stamps, so that the time from an image to its array is that of a
live robot. In ``out`` are then the recording of the tracks, scores.json and report.html.
"""

from collections.abc import Callable
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.events.process import ProcessExited, ShutdownProcess
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

SHARE = Path(get_package_share_directory('rtrack_ros'))
TRACKER = Path(__file__).with_name('tracker.launch.py')
ARGUMENTS = {
    'bag': ('', 'the recording of both cameras'),
    'truth': ('', 'true boxes: the folder truth of a simulated scene, or MOTChallenge rows in '
                  'which frame n is the n-th RGB image'),
    'query': ('', 'the sentence to follow and to score'),
    'out': ('rtrack_evaluation', 'folder for the results; it must not hold a recording yet'),
    'rgb_topic': ('/rgb/image_raw', 'RGB images in the recording'),
    'thermal_topic': ('/thermal/image_raw', 'thermal images in the recording'),
    'params_file': (str(SHARE / 'config' / 'tracker.yaml'), 'parameters of the node'),
    'model': ('', 'folder of the model, or URL of its server, instead of the one in params_file'),
    'rate': ('1.0', '2.0 plays twice as fast'),
}
TRACKS, STATUS = '/tracks', '/rtrack/status'
RECORDED = (f'{TRACKS}:vision_msgs/msg/Detection2DArray',
            f'{STATUS}:rtrack_ros/msg/TrackerStatus')
START_S = '120'
# What was published last is still on its way when the player ends.
SETTLE_S = 2.0

Values = dict[str, str]
Entities = list[LaunchDescriptionEntity]


def tracker(values: Values) -> GroupAction:
    """Return the tracker, which configures and activates itself."""
    given = {name: values[name] for name in ('rgb_topic', 'thermal_topic', 'query', 'model',
                                             'params_file')}
    # It has an argument of this name, too: it would play the recording a second time.
    given['bag'] = ''
    return GroupAction([IncludeLaunchDescription(PythonLaunchDescriptionSource(str(TRACKER)),
                                                 launch_arguments=given.items())])


def recorder(values: Values) -> Node:
    """Return the recorder of what the node publishes."""
    return Node(package='rtrack_ros', executable='bag_recorder', output='screen', arguments=[
        *RECORDED, '--log-time', 'published', '--out', str(Path(values['out'], 'recording'))])


def player(values: Values) -> Node:
    """Return the player, which waits until the node listens and the recorder does."""
    topics = [values['rgb_topic'], values['thermal_topic']]
    return Node(package='rtrack_ros', executable='bag_player', output='screen', arguments=[
        '--bag', values['bag'], '--restamp', '--rate', values['rate'],
        '--topics', *topics, *(f'{topic}/compressed' for topic in topics),
        '--stamp-map', str(Path(values['out'], 'stamps.json')),
        '--wait-for-subscribers', START_S, '--wait-for-link', TRACKS, STATUS])


def evaluation(values: Values) -> ExecuteProcess:
    """Return the command that scores the recording and writes the report."""
    out = Path(values['out'])
    query = ['--query', values['query']] if values['query'] else []
    return ExecuteProcess(output='screen', cmd=[
        'rtrack', 'evaluate', '--tracks', f'{out / "recording"}:{TRACKS}',
        '--truth', values['truth'], '--rgb', values['bag'], '--rgb-topic', values['rgb_topic'],
        '--stamp-map', str(out / 'stamps.json'), *query,
        '--json', str(out / 'scores.json'), '--report', str(out / 'report.html')])


def after(process: Node | ExecuteProcess, what: str, then: Callable[[], Entities]
          ) -> RegisterEventHandler:
    """Return the handler that goes on after a process, or ends everything if it failed."""
    def go_on(event: ProcessExited, context: LaunchContext) -> Entities:
        if context.is_shutdown:
            return []
        if event.returncode:
            return [Shutdown(reason=f'{what} failed')]
        return then()

    return RegisterEventHandler(OnProcessExit(target_action=process, on_exit=go_on))


def start(context: LaunchContext) -> Entities:
    """Return everything that runs, in the order of what depends on what."""
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    missing = [name for name in ('bag', 'truth') if not values[name]]
    if missing:
        raise RuntimeError(f'{missing[0]}:= is missing; see ros2 launch rtrack_ros '
                           'evaluate.launch.py --show-args')
    if Path(values['out'], 'recording').exists():
        raise RuntimeError(f'{values["out"]}/recording exists already; choose another out:=')
    Path(values['out']).mkdir(parents=True, exist_ok=True)
    records, plays, scores = recorder(values), player(values), evaluation(values)
    stop = EmitEvent(event=ShutdownProcess(process_matcher=matches_action(records)))
    return [after(plays, 'the player', lambda: [TimerAction(period=SETTLE_S, actions=[stop])]),
            after(records, 'the recorder', lambda: [scores]),
            after(scores, 'the evaluation', lambda: [Shutdown(reason='scored')]),
            records, tracker(values), plays]


def generate_launch_description() -> LaunchDescription:
    """Describe the play, and what is done with it."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description)
          for name, (default, description) in ARGUMENTS.items()),
        OpaqueFunction(function=start)])
