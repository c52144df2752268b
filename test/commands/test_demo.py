"""``rtrack demo --serve``: the server of a model lives as long as the play, however that ends."""

from pathlib import Path

import pytest

from rtrack_ros.cli import main
from rtrack_ros.playback import play as play_module
from rtrack_ros.playback.play import Playback
from rtrack_ros.playback.processes import ProcessFailure


def running(pid: int) -> bool:
    """Return whether a process runs; one that has ended may wait for its parent to notice."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def served(toolkit, monkeypatch: pytest.MonkeyPatch):
    """A server of ours on the search path, and a demonstration that only plays."""
    toolkit.add('vllm')
    monkeypatch.setenv('PATH', str(toolkit.folder), prepend=':')
    monkeypatch.setattr(play_module, 'require_ros', lambda: None)
    monkeypatch.setattr('rtrack_ros.commands.demo._prepare', lambda args, folder: (
        Playback(folder / 'scene', 1.0, (), folder, {'engine.name': 'auto'}), None))
    return toolkit


@pytest.mark.parametrize('end', [ProcessFailure('the node ended'), KeyboardInterrupt()],
                         ids=['failure', 'Ctrl-C'])
def test_the_node_asks_the_server_which_ends_with_the_play(
        served, qwen: Path, tmp_path: Path, end: BaseException,
        monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    seen = {}

    def play(playback: Playback) -> None:
        seen.update(playback.parameters)
        seen['runs'] = all(running(served.started[0][one]) for one in ('pid', 'child'))
        raise end

    monkeypatch.setattr(play_module, 'play', play)
    assert main(['demo', '--serve', str(qwen), '--out', str(tmp_path / 'out')]) != 0
    port = served.started[0]['args'][served.started[0]['args'].index('--port') + 1]
    assert seen == {'engine.name': 'server', 'engine.model': f'http://127.0.0.1:{port}',
                    'runs': True}
    assert not any(running(served.started[0][one]) for one in ('pid', 'child'))
    assert (tmp_path / 'out' / 'logs' / 'server.log').is_file()


@pytest.mark.parametrize('more', [['--engine', 'openvino'], ['--model', 'http://127.0.0.1:1']])
def test_the_model_is_named_once(more: list[str], tmp_path: Path, capsys) -> None:
    assert main(['demo', '--serve', '--out', str(tmp_path / 'out'), *more]) == 2
    assert 'leave --model and --engine out' in capsys.readouterr().err
