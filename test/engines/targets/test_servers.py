import os
from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.llamacpp.program import read_settings
from rtrack_ros.engines.targets.servers import Served, server_command
from rtrack_ros.engines.targets.toolkits import KINDS, Toolkit, assumed_toolkit


@pytest.mark.parametrize('engine', ['edgellm', 'trtllm', 'vllm'])
def test_a_server_listens_on_the_loopback_alone_unless_told_otherwise(engine: str) -> None:
    command = server_command(assumed_toolkit(engine), Served('model', 'm', Path('out')))
    assert command[command.index('--host') + 1] == '127.0.0.1'
    told = server_command(assumed_toolkit(engine),
                          Served('model', 'm', Path('out'), host='0.0.0.0', port=9))
    assert told[told.index('--host'):][:4] == ['--host', '0.0.0.0', '--port', '9']


def test_a_gguf_pair_is_found_in_its_folder(tmp_path: Path) -> None:
    for name in ('model.gguf', 'mmproj.gguf'):
        (tmp_path / name).touch()
    expected = ['llama-server', '-m', f'{tmp_path}/model.gguf', '--mmproj',
                f'{tmp_path}/mmproj.gguf', '--alias', 'm', '--host', '127.0.0.1', '--port', '8000',
                '-c', '4096', '-np', '1']
    toolkit = Toolkit(KINDS['llamacpp'], '')
    for source in (tmp_path, tmp_path / 'model.gguf'):
        assert server_command(toolkit, Served(str(source), 'm'))[3:][:len(expected)] == expected


@pytest.mark.parametrize('cores, threads', [(None, '1'), (1, '1'), (2, '1'), (12, '6')])
def test_llama_cpp_leaves_the_tracker_its_cores_its_memory_and_its_disk(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int | None, threads: str) -> None:
    monkeypatch.setattr(os, 'cpu_count', lambda: cores)
    for name in ('model.gguf', 'mmproj.gguf'):
        (tmp_path / name).touch()
    toolkit = Toolkit(KINDS['llamacpp'], '', module='rtrack_ros.engines.llamacpp.program')
    command = server_command(toolkit, Served(str(tmp_path), 'm'))
    assert command[:3] == ['nice', '-n', '10']
    for option, value in (('-t', threads), ('--cache-ram', '0'), ('--log-verbosity', '1'),
                          ('--chat-template-kwargs', '{"enable_thinking": false}')):
        assert command[command.index(option) + 1] == value
    program = command.index('rtrack_ros.engines.llamacpp.program')
    read = read_settings(command[program + 1:])
    assert (read.threads, read.slots, read.context) == (int(threads), 1, 4096)
    assert read.niceness == 0, 'it would be added to that of the command'


def test_a_model_without_its_projector_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'model.gguf').touch()
    with pytest.raises(EngineError, match='has no projector beside it'):
        server_command(Toolkit(KINDS['llamacpp'], ''), Served(str(tmp_path), 'm'))


@pytest.mark.parametrize('engine', ['edgellm', 'trtllm'])
def test_what_needs_a_folder_says_how_to_make_it(engine: str) -> None:
    with pytest.raises(EngineError, match='rtrack compile --target'):
        server_command(assumed_toolkit(engine), Served('model', 'm'))


def test_a_container_sees_the_model_and_the_folder_and_has_a_name_to_end_it_by(
        tmp_path: Path) -> None:
    model, folder = tmp_path / 'm', tmp_path / 'out'
    model.mkdir()
    folder.mkdir()
    command = server_command(Toolkit(KINDS['trtllm'], '', None, 'some/image:1'),
                             Served(str(model), 'm', folder, port=8123))
    assert command[:12] == [
        'docker', 'run', '--rm', '--init', '--gpus', 'all', '--network', 'host', '--ipc', 'host',
        '--name', 'rtrack-serve-8123']
    image = command.index('some/image:1')
    assert command.index('-v') < image
    # A container inherits no environment.
    assert {'--env=DO_NOT_TRACK=1', '--env=VLLM_NO_USAGE_STATS=1',
            '--env=TRTLLM_NO_USAGE_STATS=1'} <= set(command[:image])
    assert f'{model}:{model}' in command and f'{folder}:{folder}' in command
    assert command[command.index('some/image:1') + 1:][:2] == ['trtllm-serve', str(model)]


@pytest.mark.parametrize('host, url', [('127.0.0.1', 'http://127.0.0.1:8000'),
                                       ('0.0.0.0', 'http://127.0.0.1:8000'),
                                       ('::1', 'http://[::1]:8000')])
def test_the_node_is_given_an_address_that_it_can_ask(host: str, url: str) -> None:
    assert Served('model', 'm', host=host).url == url
