"""Processes of the demonstration: logged, watched, and gone in the end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rtrack_ros.playback.processes import ProcessFailure, ProcessGroup

SLEEP = [sys.executable, '-c', 'import time; print("up", flush=True); time.sleep(60)']
STUBBORN = [sys.executable, '-c', 'import signal, time\n'
            'signal.signal(signal.SIGINT, signal.SIG_IGN)\n'
            'print("up", flush=True); time.sleep(60)']


def wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + 20
    while text not in path.read_text():
        assert time.monotonic() < until, f'{text} never came'
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f'/proc/{pid}/stat').read_text().split()[2] == 'Z'


def test_every_process_is_stopped_when_the_group_ends(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match='trouble'), ProcessGroup(tmp_path, os.environ) as group:
        group.start('a', SLEEP)
        group.start('b', SLEEP)
        for name in 'ab':
            wait_for(group.log(name), '\nup\n')
        raise RuntimeError('trouble')
    assert group.ended('a') is not None and group.ended('b') is not None


def test_a_process_that_ignores_interrupts_is_ended_more_firmly(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('rtrack_ros.playback.processes._STOPPING',
                        ((signal.SIGINT, 0.3), (signal.SIGTERM, 5.0)))
    with ProcessGroup(tmp_path, os.environ) as group:
        group.start('a', STUBBORN)
        wait_for(group.log('a'), '\nup\n')
    assert group.ended('a') == -signal.SIGTERM


def test_a_process_that_ends_too_early_names_its_log_and_last_words(tmp_path: Path) -> None:
    with ProcessGroup(tmp_path, os.environ) as group:
        group.start('node', [sys.executable, '-c', 'import sys; print("why"); sys.exit(7)'])
        until = time.monotonic() + 20
        while group.ended('node') is None and time.monotonic() < until:
            time.sleep(0.02)
        with pytest.raises(ProcessFailure, match=r'status 7: why; read .*node\.log'):
            group.check('node')
    assert group.log('node').read_text().startswith(sys.executable)


@pytest.mark.skipif(sys.platform != 'linux', reason='the kernel of Linux tells of a dead parent')
def test_no_process_survives_a_killed_parent(tmp_path: Path) -> None:
    code = ('import os, sys, time; from pathlib import Path\n'
            'from rtrack_ros.playback.processes import ProcessGroup\n'
            f'with ProcessGroup(Path({str(tmp_path)!r}), os.environ) as group:\n'
            f'    group.start("a", {SLEEP!r})\n'
            '    print(group._running["a"].pid, flush=True)\n'
            '    time.sleep(60)\n')
    parent = subprocess.Popen([sys.executable, '-P', '-c', code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for(tmp_path / 'a.log', '\nup\n')
    parent.kill()
    parent.wait()
    until = time.monotonic() + 10
    while not gone(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert gone(child)
