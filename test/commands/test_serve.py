"""``rtrack serve`` with a server of ours: started, ready, ended, and never left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from rtrack_ros.cli import main
from rtrack_ros.engines.targets.checkpoints import checkpoint_digest
from rtrack_ros.engines.targets.engine_folder import EngineFolder
from rtrack_ros.engines.targets.servers import Limits

LIMIT_S = 30.0


def running(pid: int) -> bool:
    """Whether a process is there and is not waiting to be collected."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().split()[2] != 'Z'
    except OSError:
        return False


def gone(*pids: int) -> bool:
    until = time.monotonic() + LIMIT_S
    while any(running(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def start(*arguments: str) -> 'subprocess.Popen[str]':
    return subprocess.Popen([sys.executable, '-m', 'rtrack_ros.cli', 'serve', '--self-test', 'off',
                             *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


@pytest.fixture
def engine_folder(tmp_path: Path, qwen: Path) -> Path:
    """An engine folder of vLLM for an RTX 4090."""
    folder = tmp_path / 'engine'
    folder.mkdir()
    EngineFolder('rtx-40', 'vllm', 'fp8', 'Qwen3-VL-2B-Instruct', str(qwen),
                 checkpoint_digest(qwen), '', '', '8.9', 'x86_64', '580.95.05', (),
                 Limits(questions=4), 0.85, 'fp8').write(folder)
    return folder


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_server_is_started_ready_and_ended_with_all_it_started(
        toolkit, qwen: Path, number: int, tmp_path: Path, monkeypatch) -> None:
    toolkit.add('vllm')
    scratch = tmp_path / 'scratch'
    scratch.mkdir()
    monkeypatch.setenv('TMPDIR', str(scratch))
    process = start(str(qwen), '--environment', str(toolkit.folder), '--port', '0')
    try:
        line = first_line(process.stdout)
        server, = toolkit.started
        port = server['args'][server['args'].index('--port') + 1]
        assert line == f'engine.name:=server engine.model:=http://127.0.0.1:{port}'
        assert process.poll() is None and running(server['pid']) and running(server['child'])
        process.send_signal(number)
        assert process.wait(LIMIT_S) == 0
        assert gone(server['pid'], server['child'])
        assert list(scratch.iterdir()) == [], 'the log of a good end stays behind'
    finally:
        process.kill()
        process.communicate()


def test_a_server_that_is_still_loading_is_ended_too(toolkit, qwen: Path) -> None:
    toolkit.add('vllm')
    toolkit.loads_for_ever()
    process = start(str(qwen), '--environment', str(toolkit.folder), '--port', '0')
    try:
        until = time.monotonic() + LIMIT_S
        while not toolkit.started:
            assert time.monotonic() < until
            time.sleep(0.05)
        process.terminate()
        assert process.wait(LIMIT_S) == 0
        server, = toolkit.started
        assert gone(server['pid'], server['child'])
    finally:
        process.kill()
        process.communicate()


def test_a_server_that_is_not_ready_in_time_is_given_up(toolkit, qwen: Path, capsys) -> None:
    toolkit.add('vllm')
    toolkit.loads_for_ever()
    assert main(['serve', str(qwen), '--environment', str(toolkit.folder), '--port', '0',
                 '--ready-timeout', '1']) == 2
    assert 'was not ready after 1 s' in capsys.readouterr().err
    assert gone(toolkit.started[0]['pid'], toolkit.started[0]['child'])


def test_a_killed_command_takes_its_server_along(toolkit, qwen: Path) -> None:
    toolkit.add('vllm')
    process = start(str(qwen), '--environment', str(toolkit.folder), '--port', '0')
    try:
        assert first_line(process.stdout).startswith('engine.name:=server')
        server, = toolkit.started
        process.kill()
        process.communicate()
        assert gone(server['pid'])
    finally:
        process.kill()
        subprocess.run(['kill', str(toolkit.started[0]['child'])], check=False)


def test_a_server_that_ends_by_itself_is_told(toolkit, qwen: Path, tmp_path: Path) -> None:
    toolkit.add('vllm')
    process = start(str(qwen), '--environment', str(toolkit.folder), '--port', '0', '--out',
                    str(tmp_path / 'logs'))
    try:
        first_line(process.stdout)
        server, = toolkit.started
        subprocess.run(['kill', '-KILL', str(server['pid'])], check=True)
        _, said = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 2
        assert 'server ended with status -9' in said and f'{tmp_path}/logs/server.log' in said
        assert gone(server['child'])
    finally:
        process.kill()


def test_a_server_that_does_not_start_is_told_with_its_last_words(toolkit, qwen: Path, capsys
                                                                  ) -> None:
    toolkit.add('vllm')
    toolkit.breaks()
    assert main(['serve', str(qwen), '--environment', str(toolkit.folder), '--port', '0']) == 2
    assert 'server ended with status 1: CUDA out of memory' in capsys.readouterr().err


def test_a_port_that_is_held_is_refused_before_anything_starts(toolkit, qwen: Path, capsys
                                                               ) -> None:
    import socket
    toolkit.add('vllm')
    with socket.create_server(('127.0.0.1', 0)) as held:
        port = held.getsockname()[1]
        assert main(['serve', str(qwen), '--environment', str(toolkit.folder), '--port',
                     str(port)]) == 2
    assert f'127.0.0.1:{port} cannot be listened on' in capsys.readouterr().err
    assert toolkit.started == []


def test_a_dry_run_prints_the_command_of_a_folder(engine_folder: Path, qwen: Path, capsys) -> None:
    assert main(['serve', str(engine_folder), '--dry-run', '--port', '8123']) == 0
    assert capsys.readouterr().out == (
        f'vllm serve {qwen} --served-model-name Qwen3-VL-2B-Instruct --host 127.0.0.1 --port 8123 '
        "--max-model-len 4096 --max-num-seqs 4 --limit-mm-per-prompt '"
        '{"image": 4, "video": 0}\' --gpu-memory-utilization 0.85 --quantization fp8\n')


def test_a_folder_of_another_machine_is_refused(engine_folder: Path, toolkit, gpu, capsys
                                                ) -> None:
    gpu('NVIDIA GeForce RTX 3090, 8.6, 580.95.05, 24576, 23000')
    toolkit.add('vllm')
    assert main(['serve', str(engine_folder), '--environment', str(toolkit.folder), '--port',
                 '0']) == 2
    said = capsys.readouterr().err
    assert 'compute capability 8.9 and this one has 8.6' in said
    assert 'rtrack compile MODEL --target rtx-40' in said and toolkit.started == []


def test_a_gguf_pair_goes_to_llama_cpp_and_anything_else_to_vllm(tmp_path: Path, capsys) -> None:
    for name in ('nano.gguf', 'mmproj-nano.gguf'):
        (tmp_path / name).touch()
    for source in (tmp_path / 'nano.gguf', tmp_path):
        assert main(['serve', str(source), '--dry-run']) == 0
        assert capsys.readouterr().out.startswith(
            f'nice -n 10 llama-server -m {tmp_path}/nano.gguf '
            f'--mmproj {tmp_path}/mmproj-nano.gguf --alias nano ')
    assert main(['serve', 'Qwen/Qwen3-VL-2B-Instruct', '--dry-run']) == 0
    assert capsys.readouterr().out.startswith(
        'vllm serve Qwen/Qwen3-VL-2B-Instruct --served-model-name Qwen3-VL-2B-Instruct ')


def test_what_the_name_of_a_model_does_not_tell_is_told_to_the_node(toolkit, qwen: Path) -> None:
    odd = qwen.rename(qwen.with_name('my-finetune'))
    toolkit.add('vllm')
    process = start(str(odd), '--environment', str(toolkit.folder), '--port', '0')
    try:
        assert first_line(process.stdout).endswith(' engine.server.family:=qwen3_vl')
    finally:
        process.terminate()
        process.communicate(timeout=LIMIT_S)


def test_a_path_that_is_not_there_is_named_before_any_server(capsys, monkeypatch):
    monkeypatch.setenv('PATH', '')
    assert main(['serve', '/no/such/engine']) == 2
    assert '/no/such/engine is not there' in capsys.readouterr().err


def test_a_model_folder_is_served_by_the_python_package_of_llama_cpp(tmp_path: Path) -> None:
    for package in ('gguf', 'xllamacpp'):
        pytest.importorskip(package, reason='the llamacpp extra is not installed')
    from rtrack_ros.engines.llamacpp.export import export_llamacpp
    from rtrack_ros.engines.registry import default_model
    folder = tmp_path / 'mine'
    shutil.copytree(default_model(), folder, ignore=shutil.ignore_patterns('openvino', 'llamacpp'))
    export_llamacpp(folder)
    process = start(str(folder), '--port', '0')
    try:
        line = first_line(process.stdout)
        assert line.startswith('engine.name:=server engine.model:=http://127.0.0.1:')
        assert line.endswith(f' engine.server.manifest:={folder}')
        children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
        server, = map(int, children)
        assert b'llamacpp.program' in Path(f'/proc/{server}/cmdline').read_bytes()
        assert os.getpriority(os.PRIO_PROCESS, server) == min(
            os.getpriority(os.PRIO_PROCESS, 0) + 10, 19), 'the tracker goes first'
        session = Path(f'/proc/{server}/autogroup')
        if session.exists():
            assert session.read_text().split()[-1] == str(os.getpriority(os.PRIO_PROCESS, server))
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0 and gone(server)
    finally:
        process.kill()
        process.communicate()
