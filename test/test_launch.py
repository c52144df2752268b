"""The launch file against stand-ins for ``launch``, which is not part of every installation."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

FILE = Path(__file__).parents[1] / 'launch' / 'tracker.launch.py'
MODULES = ('ament_index_python', 'ament_index_python.packages', 'launch', 'launch.actions',
           'launch.conditions', 'launch.event_handlers', 'launch.events',
           'launch.events.process', 'launch.substitutions', 'launch_ros', 'launch_ros.actions',
           'launch_ros.event_handlers', 'launch_ros.events', 'launch_ros.events.lifecycle',
           'launch_ros.parameter_descriptions', 'lifecycle_msgs', 'lifecycle_msgs.msg')


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the launch file defines, with everything of ``launch`` recorded."""
    for name in MODULES:
        monkeypatch.setitem(sys.modules, name, MagicMock())
    sys.modules['ament_index_python.packages'].get_package_share_directory.return_value = '/share'
    found = runpy.run_path(str(FILE))
    return SimpleNamespace(**{name.lower(): value for name, value in found.items()})


def scope(launch: Any, **given: str) -> SimpleNamespace:
    """Return a launch context with the default of every argument, or what is given for it."""
    values = {name: default for name, (default, _) in launch.arguments.items()}
    values |= {'params_file': str(FILE.parents[1] / 'config' / 'tracker.yaml')} | given
    launch.launchconfiguration.side_effect = lambda name: SimpleNamespace(
        perform=lambda context: context.launch_configurations[name])
    return SimpleNamespace(launch_configurations=values, environment={'ROS_DOMAIN_ID': '7'})


def test_the_line_of_rtrack_serve_is_read_as_parameters(launch: Any) -> None:
    line = ("engine.name:=server engine.model:=http://127.0.0.1:8000 "
            "'engine.server.manifest:=/my models/nano'")
    assert launch.parameters_of(line) == {
        'engine.name': 'server', 'engine.model': 'http://127.0.0.1:8000',
        'engine.server.manifest': '/my models/nano'}


def test_the_node_is_started_once_and_only_when_the_server_is_ready(launch: Any) -> None:
    context = scope(launch, serve='/engines/m', on_failure='report')
    actions = launch.start(context)
    command = launch.executeprocess.call_args.kwargs['cmd']
    assert command[:3] == ['rtrack', 'serve', '/engines/m'] and actions[-1] is (
        launch.executeprocess.return_value)
    ready = launch.onprocessio.call_args.kwargs['on_stdout']
    assert ready(SimpleNamespace(text=b'engine.name:=server engine.mod')) == []
    launch.lifecyclenode.assert_not_called()
    assert launch.lifecyclenode.return_value in ready(
        SimpleNamespace(text=b'el:=http://127.0.0.1:9\n'))
    values = [call.args[0] for call in launch.parametervalue.call_args_list]
    assert 'server' in values and 'http://127.0.0.1:9' in values
    assert ready(SimpleNamespace(text=b'more\n')) == []
    launch.lifecyclenode.assert_called_once()


def test_everything_ends_with_the_server(launch: Any) -> None:
    launch.start(scope(launch, serve='/engines/m'))
    ended = launch.onprocessexit.call_args.kwargs['on_exit']
    assert ended(MagicMock(), SimpleNamespace(is_shutdown=False)) is launch.shutdown.return_value
    assert ended(MagicMock(), SimpleNamespace(is_shutdown=True)) is None, 'it is ending already'


def test_without_a_model_to_serve_the_node_is_started_as_before(launch: Any) -> None:
    assert launch.lifecyclenode.return_value in launch.start(scope(launch))
    launch.executeprocess.assert_not_called()
    parameters, = launch.lifecyclenode.call_args.kwargs['parameters']
    assert parameters == {'use_sim_time': False}


def test_what_runs_later_runs_in_the_scope_of_the_group_that_has_ended(launch: Any) -> None:
    context = scope(launch, bag='/bags/a', use_sim_time='true', ros_namespace='/front',
                    on_failure='report')
    launch.start(context)
    active = next(call.kwargs for call in launch.onstatetransition.call_args_list
                  if call.kwargs['goal_state'] == 'active')
    context.launch_configurations.clear()  # as the group does at its end
    context.environment.clear()
    push, push_environment, _, player, pop_environment, pop = active['entities']
    assert player is launch.executeprocess.return_value
    assert launch.executeprocess.call_args.kwargs['cmd'] == [
        'ros2', 'bag', 'play', '/bags/a', '--clock']
    restore = launch.opaquefunction.call_args.kwargs['function']
    restore(context)
    assert context.launch_configurations['ros_namespace'] == '/front'
    assert context.environment == {'ROS_DOMAIN_ID': '7'}
    assert (push, pop) == (launch.pushlaunchconfigurations.return_value,
                           launch.poplaunchconfigurations.return_value)
    assert (push_environment, pop_environment) == (launch.pushenvironment.return_value,
                                                   launch.popenvironment.return_value)


def test_two_robots_share_no_name(launch: Any) -> None:
    launch.start(scope(launch, namespace='front', name='eye'))
    node = launch.lifecyclenode.call_args.kwargs
    assert (node['namespace'], node['name']) == ('front', 'eye')
    assert not any(target.startswith('/') for _, target in node['remappings'])


def test_a_parameter_file_that_is_missing_ends_the_launch_or_is_left_to_the_node(
        launch: Any) -> None:
    with pytest.raises(RuntimeError, match='/nowhere.yaml is no file'):
        launch.start(scope(launch, params_file='/nowhere.yaml'))
    assert launch.lifecyclenode.return_value in launch.start(
        scope(launch, params_file='/nowhere.yaml', on_failure='report'))
    given = launch.lifecyclenode.call_args.kwargs['arguments']
    assert given[:4] == ['--on-failure', 'report', '--ros-args', '--params-file']
    assert given[4] == '/nowhere.yaml'


@pytest.mark.parametrize('on_failure, ends', [('end', True), ('report', False)])
def test_a_failed_configure_ends_the_launch_by_argument(launch: Any, on_failure: str,
                                                        ends: bool) -> None:
    launch.start(scope(launch, on_failure=on_failure))
    failures = [call.kwargs['start_state'] for call in launch.onstatetransition.call_args_list
                if call.kwargs['goal_state'] == 'unconfigured']
    assert failures == (['configuring', 'errorprocessing'] if ends else [])
    assert launch.onprocessexit.called is ends
    with pytest.raises(RuntimeError, match='could not be configured'):
        launch.failed(MagicMock())
    with pytest.raises(RuntimeError, match='has ended'):
        launch.failed_unless_ending(MagicMock(), SimpleNamespace(is_shutdown=False))
    launch.failed_unless_ending(MagicMock(), SimpleNamespace(is_shutdown=True))
