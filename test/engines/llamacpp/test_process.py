"""llama.cpp lives as long as the process that started it, and no longer."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError, Grammar, Prompt
from rtrack_ros.engines.llamacpp import process as process_module
from rtrack_ros.engines.llamacpp.process import ServerProcess
from rtrack_ros.engines.llamacpp.settings import ServerSettings
from rtrack_ros.engines.registry import load_engine

YES = Prompt(('Say yes.',)), Grammar('', 'root ::= "Yes"', ''), 8
GONE_S = 10.0
PARENT = """
import signal, sys, time
from rtrack_ros.engines.registry import load_engine
# A shell starts what runs in the background with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
engine = load_engine('llamacpp', sys.argv[1], manifest=sys.argv[2])
print(engine.pid, flush=True)
time.sleep(60)
"""


def runs(pid):
    """Whether a process is there and no mere entry of one that ended."""
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except OSError:
        return False
    return state != 'Z'


def ends(pid):
    """Whether a process ends soon."""
    limit = time.monotonic() + GONE_S
    while runs(pid) and time.monotonic() < limit:
        time.sleep(0.02)
    return not runs(pid)


def settings(pairs, **changes):
    folder = pairs['f16']
    known = {'model': str(folder / 'rtrack-nano-f16.gguf'),
             'projector': str(folder / 'mmproj-rtrack-nano-f16.gguf'), 'alias': 'rtrack-nano',
             'threads': 1, 'niceness': 0, 'slots': 1, 'context': 512}
    return ServerSettings(**{**known, **changes})


@pytest.mark.parametrize('sent', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_process_that_started_it(pairs, nano, sent):
    parent = subprocess.Popen([sys.executable, '-c', PARENT, str(pairs['f16']), str(nano)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    pid = int(parent.stdout.readline())
    assert runs(pid)
    parent.send_signal(sent)
    parent.wait(GONE_S)
    assert ends(pid)


def test_it_ends_even_while_it_loads(pairs):
    reader, writer = os.pipe()
    # A child whose pipe is closed before its first step never comes to load the model.
    os.close(writer)
    child = subprocess.Popen([sys.executable, '-m', process_module._CHILD, '{}'], stdin=reader,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(reader)
    said, complaint = child.communicate(timeout=GONE_S)
    assert (said, complaint) == (b'', b'')


def test_a_pipe_that_closes_ends_it_without_its_help(tmp_path):
    # The time in which a model loads, played by a sleep that no Python thread can interrupt.
    code = ('import ctypes, sys; from rtrack_ros.engines.llamacpp.child import _end_with_pipe;'
            '_end_with_pipe(0); print("ready", flush=True); ctypes.PyDLL(None).sleep(60)')
    child = subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    assert child.stdout.readline() == b'ready\n'
    child.stdin.close()
    assert child.wait(GONE_S) == -signal.SIGIO


def test_closing_ends_it(start):
    engine = start()
    pid = engine.pid
    engine.close()
    assert not runs(pid)
    with pytest.raises(EngineError, match='closed'):
        engine.infer([], *YES)
    engine.close()


def test_one_that_died_is_started_again_by_the_next_question(start):
    engine = start()
    dead = engine.pid
    os.kill(dead, signal.SIGKILL)
    assert engine._process.has_ended(GONE_S)
    started = time.monotonic()
    assert engine.infer([], *YES).text == 'Yes'
    assert time.monotonic() - started < 5.0
    assert engine.pid != dead and runs(engine.pid)
    engine.close()


def test_one_that_dies_while_it_answers_says_so_and_is_started_again(start):
    engine = start()
    endless = Grammar('', 'root ::= [a-z] root', '')
    with pytest.raises(EngineError, match=r'llama.cpp ended while it was asked: .*status -9, log '
                                          r'.*; the next question starts it again'):
        engine.infer([], Prompt(('write',)), endless, 1500,
                     on_text=lambda text: os.kill(engine.pid, signal.SIGKILL))
    assert engine.infer([], *YES).text == 'Yes'
    engine.close()


def test_only_this_machine_reaches_it_on_a_port_that_was_free(pairs):
    one, other = (ServerProcess(settings(pairs), 30.0) for _ in range(2))
    assert one.url.startswith('http://127.0.0.1:') and one.url != other.url
    one.close()
    other.close()


def test_it_is_as_nice_as_it_is_told(pairs):
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    server = ServerProcess(settings(pairs, niceness=3), 30.0)
    expected = min(mine + 3, 19)
    tasks = os.listdir(f'/proc/{server.pid}/task')
    assert {os.getpriority(os.PRIO_PROCESS, int(task)) for task in tasks} == {expected}
    assert server.niceness == expected
    server.close()


@pytest.mark.skipif(not os.path.exists('/proc/self/autogroup'), reason='sessions share evenly')
def test_its_session_is_as_nice_for_that_is_what_counts_beside_another(pairs):
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    server = ServerProcess(settings(pairs, niceness=3), 30.0)
    with open(f'/proc/{server.pid}/autogroup', encoding='ascii') as group:
        assert group.read().split()[-1] == str(min(mine + 3, 19))
    server.close()


def test_one_that_is_not_ready_in_time_is_given_up(pairs):
    with pytest.raises(EngineError, match='did not load .* within 0.01 s; allow more time'):
        ServerProcess(settings(pairs), 0.01)


@pytest.mark.parametrize('broken', ['rtrack-nano', 'mmproj-rtrack-nano'])
def test_files_that_are_no_model_are_told_with_the_words_of_llamacpp(pairs, nano, tmp_path,
                                                                    broken):
    for path in pairs['f16'].glob('*.gguf'):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / f'{broken}-f16.gguf').write_bytes(b'no model' * 100)
    with pytest.raises(EngineError) as caught:
        load_engine('llamacpp', tmp_path, manifest=nano)
    said = str(caught.value)
    assert f'cannot load {tmp_path / "rtrack-nano-f16.gguf"}' in said
    assert 'exiting due to model loading error' in said and 'Traceback' not in said


def test_without_llamacpp_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setattr(process_module.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(EngineError, match=r"pip install '\.\[llamacpp\]'"):
        ServerProcess(ServerSettings('', '', '', 1, 0, 1, 512), 1.0)
