"""What this machine is: its GPU, driver, free memory and release of Jetson Linux."""

import platform
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Output = Callable[[Sequence[str]], str]
"""Runs a command and returns what it printed, '' where it cannot be run."""

_QUERY: Final = ('nvidia-smi', '--query-gpu=name,compute_cap,driver_version,memory.total,'
                 'memory.free', '--format=csv,noheader,nounits')
_JETSONS: Final = (('orin', '8.7'), ('thor', '11.0'))


@dataclass(frozen=True)
class Machine:
    """Facts about a machine.

    Attributes:
        gpu: Name of its GPU or board; empty without one.
        compute_capability: '8.7'; empty where there is no GPU, or it does not tell.
        driver: Version of the driver; empty on a Jetson.
        memory_gb: GB of memory of the GPU; 0 where that is not known.
        free_gb: Of these, what is free now.
        cpu: 'x86_64' or 'aarch64'.
        l4t: Release of Jetson Linux, (39, 2); empty elsewhere.
    """

    gpu: str = ''
    compute_capability: str = ''
    driver: str = ''
    memory_gb: float = 0.0
    free_gb: float = 0.0
    cpu: str = ''
    l4t: tuple[int, ...] = ()


def output_of(command: Sequence[str]) -> str:
    """Run a command and return what it printed, '' where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return done.stdout if done.returncode == 0 else ''


def probe_machine(run: Output = output_of, root: Path = Path('/')) -> Machine:
    """Return what this machine is.

    Args:
        run: Runs a command.
        root: Of the file system; another one for tests.
    """
    cpu = {'arm64': 'aarch64', 'AMD64': 'x86_64'}.get(platform.machine(), platform.machine())
    board = _text(root / 'proc/device-tree/model').rstrip('\0')
    capability = next((found for word, found in _JETSONS if word in board.lower()), '')
    if capability:
        total, free = _shared_memory(_text(root / 'proc/meminfo'))
        return Machine(board, capability, '', total, free, cpu,
                       _l4t(_text(root / 'etc/nv_tegra_release')))
    return _discrete(run(_QUERY), cpu)


def _discrete(listed: str, cpu: str) -> Machine:
    """Return the machine of the first GPU that ``nvidia-smi`` lists."""
    fields = [field.strip() for field in listed.partition('\n')[0].split(',')]
    if len(fields) != 5:
        return Machine(cpu=cpu)
    name, capability, driver, total, free = fields
    return Machine(name, capability, driver, _gb_of_mib(total), _gb_of_mib(free), cpu)


def _gb_of_mib(text: str) -> float:
    return float(text) * 1.048576e-3 if re.fullmatch(r'[\d.]+', text) else 0.0


def _shared_memory(meminfo: str) -> tuple[float, float]:
    """Return the total and the available GB of a board whose GPU shares the memory."""
    found = dict(re.findall(r'^(MemTotal|MemAvailable):\s+(\d+) kB', meminfo, re.MULTILINE))
    return (int(found.get('MemTotal', 0)) * 1.024e-6, int(found.get('MemAvailable', 0)) * 1.024e-6)


def _l4t(release: str) -> tuple[int, ...]:
    found = re.search(r'R(\d+).*?REVISION:\s*(\d+)', release)
    return tuple(int(number) for number in found.groups()) if found else ()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8', errors='replace')
    except OSError:
        return ''
