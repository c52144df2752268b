"""The launch file that scores a recording, against stand-ins for ``launch``."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from rtrack_ros.commands.parser import build_parser

FILE = Path(__file__).parents[1] / 'launch' / 'evaluate.launch.py'
MODULES = ('ament_index_python', 'ament_index_python.packages', 'launch', 'launch.actions',
           'launch.event_handlers', 'launch.events', 'launch.events.process',
           'launch.launch_description_sources', 'launch.substitutions', 'launch_ros',
           'launch_ros.actions')


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in MODULES:
        monkeypatch.setitem(sys.modules, name, MagicMock())
    sys.modules['ament_index_python.packages'].get_package_share_directory.return_value = '/share'
    found = runpy.run_path(str(FILE))
    return SimpleNamespace(**{name.lower(): value for name, value in found.items()})


def begin(launch: Any, tmp_path: Path, **given: str) -> list[Any]:
    values = {name: default for name, (default, _) in launch.arguments.items()}
    values |= {'bag': 'b', 'truth': 't', 'query': 'the people', 'out': str(tmp_path / 'o')} | given
    launch.launchconfiguration.side_effect = lambda name: SimpleNamespace(
        perform=lambda context: values[name])
    return launch.start(MagicMock())


def test_the_command_that_scores_is_one_of_ours(launch: Any, tmp_path: Path) -> None:
    begin(launch, tmp_path)
    command = launch.executeprocess.call_args.kwargs['cmd']
    assert command[0] == 'rtrack'
    args = build_parser().parse_args(command[1:])
    assert str(args.tracks) == f'{tmp_path}/o/recording:/tracks' and args.query == 'the people'
    assert (str(args.truth), str(args.rgb), args.rgb_topic) == ('t', 'b', '/rgb/image_raw')
    assert args.stamp_map == tmp_path / 'o' / 'stamps.json' and args.report is not None


def test_the_tracker_does_not_play_the_recording_too(launch: Any, tmp_path: Path) -> None:
    begin(launch, tmp_path)
    given = dict(launch.includelaunchdescription.call_args.kwargs['launch_arguments'])
    assert given['bag'] == '' and given['query'] == 'the people'


def test_player_and_recorder_are_asked_for_what_they_know(launch: Any, tmp_path: Path) -> None:
    pytest.importorskip('rclpy', reason='the player needs ROS 2')
    from rtrack_ros.nodes.bags import bag_player, bag_recorder

    (tmp_path / 'b').mkdir()
    begin(launch, tmp_path, bag=str(tmp_path / 'b'))
    arguments = {call.kwargs['executable']: call.kwargs['arguments']
                 for call in launch.node.call_args_list}
    options = bag_player._arguments(arguments['bag_player'])
    assert options.restamp and '/rgb/image_raw/compressed' in options.topics
    assert options.wait_for_link == ['/tracks', '/rtrack/status']
    assert bag_recorder._arguments(arguments['bag_recorder']).log_time == 'published'


def test_one_step_follows_the_other_and_a_failure_ends_everything(launch: Any, tmp_path: Path
                                                                  ) -> None:
    begin(launch, tmp_path)
    steps = [call.kwargs['on_exit'] for call in launch.onprocessexit.call_args_list]
    running, ended = SimpleNamespace(is_shutdown=False), SimpleNamespace(is_shutdown=True)
    well, badly = SimpleNamespace(returncode=0), SimpleNamespace(returncode=1)
    assert [steps[0](well, running), steps[1](well, running), steps[2](well, running)] == [
        [launch.timeraction.return_value], [launch.executeprocess.return_value],
        [launch.shutdown.return_value]]
    assert steps[0](badly, running) == [launch.shutdown.return_value]
    assert steps[0](badly, ended) == []


@pytest.mark.parametrize(('given', 'reason'), [({'truth': ''}, 'truth:= is missing'),
                                               ({'out': 'used'}, 'choose another out')])
def test_what_cannot_be_done_is_said_at_the_start(launch: Any, tmp_path: Path,
                                                  given: dict[str, str], reason: str) -> None:
    (tmp_path / 'used' / 'recording').mkdir(parents=True)
    if 'out' in given:
        given = {'out': str(tmp_path / 'used')}
    with pytest.raises(RuntimeError, match=reason):
        begin(launch, tmp_path, **given)
