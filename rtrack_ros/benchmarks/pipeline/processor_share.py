"""A slower machine: a process and its children get a part of every core, and no more.

Linux's own quota (a control group, version 2 or 1) is taken where it may be written. Elsewhere the
process is stopped and continued by signals a hundred times a second: that needs no right. A
spinner beside the process would be a third way; it would slow down cameras and recorder as well,
and what is measured would then be their delay.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

PERIOD_S: Final = 0.01
"""So short that the process is slow and does not stand still: a frame is three of them."""
_ROOT: Final = Path('/sys/fs/cgroup')
_PROBE_S: Final = 1.0
_PROBE: Final = ('import time\ninput()\nbegan, spent = time.monotonic(), time.process_time()\n'
                 'while time.monotonic() < began + {seconds}: pass\n'
                 'print((time.process_time() - spent) / (time.monotonic() - began))\n')


@dataclass(frozen=True)
class ShareReport:
    """What share of the processor there was.

    Attributes:
        method: How it was limited: 'cgroup v2', 'cgroup v1', 'stopped and continued' or
            'unlimited'.
        asked: Share of every core that was asked for, 0 to 1.
        got: Share that a program got which wanted all of every core, under the same limit and
            beside whatever else ran.
        held_back: Share of periods in which the process wanted more; None where nobody counts.
    """

    method: str
    asked: float
    got: float
    held_back: float | None = None


class Quota(Protocol):
    """Limits processes."""

    method: str

    def add(self, pid: int) -> None:
        """Limit a process with all its children."""

    def held_back(self) -> float | None:
        """Return the share of periods in which the processes wanted more; None if unknown."""

    def close(self) -> None:
        """Limit nothing any more."""


class Unlimited:
    """All of the processor."""

    method = 'unlimited'

    def add(self, pid: int) -> None:
        """Leave the process alone."""

    def held_back(self) -> float | None:
        """Return 0: nothing is held back."""
        return 0.0

    def close(self) -> None:
        """Do nothing."""


class ControlGroup:
    """A control group of our own with a quota.

    Args:
        parent: Group in which it is made.
        share: Of every core, 0 to 1.
        version: 1 or 2.

    Raises:
        OSError: it may not be made.
    """

    def __init__(self, parent: Path, share: float, version: int) -> None:
        self.method = f'cgroup v{version}'
        self._parent, self._folder = parent, parent / f'rtrack-{os.getpid()}-{id(self):x}'
        self._folder.mkdir()
        period, quota = round(PERIOD_S * 1e6), round(share * cores() * PERIOD_S * 1e6)
        try:
            if version == 2:
                self._write('cpu.max', f'{quota} {period}')
            else:
                self._write('cpu.cfs_period_us', str(period))
                self._write('cpu.cfs_quota_us', str(quota))
        except OSError:
            self._folder.rmdir()
            raise

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text, encoding='ascii')

    def add(self, pid: int) -> None:
        """Limit a process with all its children."""
        for one in family(pid):
            with suppress(ProcessLookupError):
                self._write('cgroup.procs', str(one))

    def held_back(self) -> float | None:
        """Return the share of periods in which the processes wanted more."""
        stat = dict(line.split() for line in
                    (self._folder / 'cpu.stat').read_text(encoding='ascii').splitlines())
        return int(stat['nr_throttled']) / max(int(stat['nr_periods']), 1)

    def close(self) -> None:
        """Move what still runs back, and remove the group."""
        with suppress(OSError):
            for pid in (self._folder / 'cgroup.procs').read_text(encoding='ascii').split():
                (self._parent / 'cgroup.procs').write_text(pid, encoding='ascii')
        with suppress(OSError):
            self._folder.rmdir()


class StopAndGo:
    """Processes that are stopped for a part of every period.

    Args:
        share: Of the time in which they run, 0 to 1.
    """

    method = 'stopped and continued'

    def __init__(self, share: float) -> None:
        self._share = share
        self._pids: list[int] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name='stop and go', daemon=True)
        self._thread.start()

    def add(self, pid: int) -> None:
        """Limit a process with all its children."""
        self._pids = [*self._pids, *family(pid)]

    def held_back(self) -> float | None:
        """Return None: nobody counts."""
        return None

    def close(self) -> None:
        """Let all processes run."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        # The account makes up for sleeps that last longer than they should.
        began, ran = time.monotonic(), 0.0
        while not self._ended.is_set():
            start = time.monotonic()
            self._signal(signal.SIGCONT)
            owed = self._share * (start - began + PERIOD_S) - ran
            self._ended.wait(min(max(owed, 0.0), PERIOD_S))
            ran += time.monotonic() - start
            self._signal(signal.SIGSTOP)
            pause = ran / self._share - (time.monotonic() - began)
            self._ended.wait(min(max(pause, 0.0), PERIOD_S))
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else (
        os.cpu_count() or 1)


def family(pid: int) -> list[int]:
    """Return a process and all its descendants; Linux only, elsewhere the process alone."""
    children: dict[int, list[int]] = {}
    for entry in Path('/proc').glob('[0-9]*/stat'):
        with suppress(OSError):
            parent = int(entry.read_text().rpartition(')')[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def make_quota(share: float, root: Path = _ROOT) -> Quota:
    """Return the best limit that this machine allows.

    Args:
        share: Of every core, above 0; 1 and more limits nothing.
        root: Where control groups are mounted.
    """
    if share >= 1:
        return Unlimited()
    for parent, version in _parents(root):
        with suppress(OSError):
            return ControlGroup(parent, share, version)
    return StopAndGo(share)


def _parents(root: Path) -> Iterator[tuple[Path, int]]:
    """Yield groups in which one of ours could be made, the nearest first."""
    own = _own_groups()
    here = root / own.get('', '/').strip('/')
    for folder in (here, *here.parents):
        with suppress(OSError):
            if 'cpu' in (folder / 'cgroup.subtree_control').read_text().split():
                yield folder, 2
        if folder == root:
            break
    yield root / 'cpu' / own.get('cpu', '/').strip('/'), 1


def _own_groups() -> dict[str, str]:
    """Return the group of this process by controller of version 1, that of version 2 as ''."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for line in Path('/proc/self/cgroup').read_text(encoding='utf-8').splitlines():
            _, controllers, place = line.split(':', 2)
            found |= dict.fromkeys(controllers.split(','), place)
    return found


@contextmanager
def limited(share: float) -> Iterator[Quota]:
    """Yield a limit that ends with the context."""
    quota = make_quota(share)
    try:
        yield quota
    finally:
        quota.close()


def measured_share(share: float, seconds: float = _PROBE_S) -> ShareReport:
    """Return what share a program gets that wants all of every core, under a limit of its own."""
    with limited(share) as quota:
        probes = [subprocess.Popen([sys.executable, '-c', _PROBE.format(seconds=seconds)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                  for _ in range(cores())]
        try:
            for probe in probes:
                quota.add(probe.pid)
            got = _answers(probes)
        finally:
            for probe in probes:
                probe.kill()
                probe.wait()
        return ShareReport(quota.method, share, sum(got) / len(got))


def _answers(probes: 'Sequence[subprocess.Popen[str]]') -> list[float]:
    for probe in probes:
        assert probe.stdin is not None
        probe.stdin.write('\n')
        probe.stdin.flush()
    return [float(probe.communicate()[0]) for probe in probes]
