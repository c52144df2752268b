"""A share of the processor: what is written where, and that a process really gets no more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rtrack_ros.benchmarks.pipeline import processor_share
from rtrack_ros.benchmarks.pipeline.processor_share import (
    ControlGroup,
    StopAndGo,
    Unlimited,
    family,
    make_quota,
    measured_share,
)

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='shares are measured by /proc')
SPIN = [sys.executable, '-c', 'while True: pass']


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(processor_share, 'cores', lambda: 2)


@pytest.mark.parametrize(('version', 'written'), [
    (2, {'cpu.max': '8000 10000'}),
    (1, {'cpu.cfs_quota_us': '8000', 'cpu.cfs_period_us': '10000'})])
def test_a_quota_is_of_every_core(tmp_path, two_cores, version, written):
    quota = ControlGroup(tmp_path, 0.4, version)
    folder, = tmp_path.iterdir()
    assert {path.name: path.read_text() for path in folder.iterdir()} == written
    quota.add(os.getpid())
    assert (folder / 'cgroup.procs').read_text() == str(family(os.getpid())[-1])
    (folder / 'cpu.stat').write_text('nr_periods 200\nnr_throttled 50\nthrottled_usec 9\n')
    assert quota.held_back() == 0.25


def test_a_group_is_made_where_the_nearest_parent_hands_the_processor_on(tmp_path, monkeypatch):
    monkeypatch.setattr(processor_share, '_own_groups', lambda: {'': '/user/app/shell'})
    for place, controllers in (('', 'cpu'), ('user', 'cpu memory'), ('user/app', 'memory')):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / 'cgroup.subtree_control').write_text(controllers)
    quota = make_quota(0.5, tmp_path)
    assert quota.method == 'cgroup v2'
    assert [path.parent.name for path in tmp_path.rglob('cpu.max')] == [
        next(path.name for path in (tmp_path / 'user').glob('rtrack-*'))]


def test_where_no_group_may_be_made_signals_do_it(tmp_path):
    quota = make_quota(0.5, tmp_path / 'nothing')
    try:
        assert isinstance(quota, StopAndGo)
    finally:
        quota.close()
    assert isinstance(make_quota(1.0), Unlimited)


def seconds(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def state(pid: int) -> str:
    return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]


def test_a_stopped_and_continued_process_gets_its_share_and_runs_on_afterwards():
    # Beside an equal one without a limit: what else the machine does takes from both.
    slow, free = (subprocess.Popen(SPIN) for _ in range(2))
    cores = os.sched_getaffinity(0)
    for process in (slow, free):
        os.sched_setaffinity(process.pid, cores)
    quota = StopAndGo(0.3)
    try:
        quota.add(slow.pid)
        before = seconds(slow.pid), seconds(free.pid)
        time.sleep(3.0)
        used, possible = seconds(slow.pid) - before[0], seconds(free.pid) - before[1]
        quota.close()
        assert used < 0.55 * possible
        assert state(slow.pid) != 'T'
    finally:
        quota.close()
        for process in (slow, free):
            process.kill()
            process.wait()


def test_a_closed_limit_never_leaves_a_process_stopped():
    process = subprocess.Popen(SPIN)
    try:
        for _ in range(5):
            quota = StopAndGo(0.1)
            quota.add(process.pid)
            time.sleep(0.03)
            quota.close()
            assert state(process.pid) != 'T'
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_children_are_limited_with_their_parent():
    program = f'import subprocess; subprocess.Popen({SPIN!r}).wait()'
    parent = subprocess.Popen([sys.executable, '-c', program])
    try:
        ends = time.monotonic() + 20
        while len(family(parent.pid)) < 2 and time.monotonic() < ends:
            time.sleep(0.05)
        found = family(parent.pid)
        assert found[0] == parent.pid and len(found) == 2
    finally:
        for pid in reversed(family(parent.pid)):
            os.kill(pid, signal.SIGKILL)
        parent.wait()


def test_the_share_that_a_busy_program_gets_is_measured():
    report = measured_share(0.3, 0.5)
    # Others take from it on a busy machine; more than was asked for it never gets.
    assert report.asked == 0.3 and 0.0 < report.got < 0.42
