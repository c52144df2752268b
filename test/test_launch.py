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


def test_the_line_of_rtrack_serve_is_read_as_parameters(launch: Any) -> None:
    line = ("engine.name:=server engine.model:=http://127.0.0.1:8000 "
            "'engine.server.manifest:=/my models/nano'")
    assert launch.parameters_of(line) == {
        'engine.name': 'server', 'engine.model': 'http://127.0.0.1:8000',
        'engine.server.manifest': '/my models/nano'}


def test_the_node_is_started_once_and_only_when_the_server_is_ready(launch: Any) -> None:
    actions = launch.serve(MagicMock(), '/engines/m')
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
    launch.serve(MagicMock(), '/engines/m')
    ended = launch.onprocessexit.call_args.kwargs['on_exit']
    assert ended(MagicMock(), SimpleNamespace(is_shutdown=False)) is launch.shutdown.return_value
    assert ended(MagicMock(), SimpleNamespace(is_shutdown=True)) is None, 'it is ending already'


def test_without_a_model_to_serve_the_node_is_started_as_before(launch: Any) -> None:
    launch.launchconfiguration.return_value.perform.return_value = ''
    assert launch.lifecyclenode.return_value in launch.start(MagicMock())
    launch.executeprocess.assert_not_called()
    assert len(launch.lifecyclenode.call_args.kwargs['parameters']) == 2
