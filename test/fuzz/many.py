"""As many inputs as one likes through the targets of ``test_fuzz.py``; goes on where it stopped.

    make fuzz INPUTS=1000000

Input number n of a target is made from its name and n alone: a million ends the same everywhere,
in any number of runs. Each target runs in processes of its own, so that one that ends a process is
found as well, and is stopped where a single input takes longer than 20 seconds or more than 2 GiB
of memory beyond what the libraries take. What fails is written beside the count:

    python test/fuzz/many.py --again build/fuzz/test_answers-1234.failed
"""

import argparse
import importlib.util
import inspect
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
PIECE = 5000
LONGEST_S = 20
MEMORY_BYTES = 2 << 30
LONGEST_INPUT = 6000
"""Bytes from which an input is made; with fewer, most would be broken off half-way."""


class TooLongError(Exception):
    """An input took longer than it may."""


class Folder:
    """Stands in for pytest's factory: the tests only want a place for a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def getbasetemp(self) -> Path:
        """Return the place."""
        return self._path


def load_targets() -> ModuleType:
    """Return the module of the tests."""
    spec = importlib.util.spec_from_file_location('fuzz_targets', HERE / 'test_fuzz.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def target_names(module: ModuleType) -> list[str]:
    """Return the names of the targets."""
    return [name for name, item in vars(module).items() if hasattr(item, 'hypothesis')]


def made(name: str, number: int) -> bytes:
    """Return the bytes from which input ``number`` of a target is made."""
    source = random.Random(f'{name} {number}')
    return source.randbytes(source.randrange(1, LONGEST_INPUT))


def one_input(module: ModuleType, name: str, scratch: Path) -> Callable[[bytes], Any]:
    """Return what runs a target on the input that hypothesis makes of some bytes."""
    test = getattr(module, name)
    inner = test.hypothesis.inner_test
    if 'tmp_path_factory' in inspect.signature(inner).parameters:
        def bound(**values: Any) -> None:
            inner(tmp_path_factory=Folder(scratch), **values)
        from hypothesis import given
        strategies = test.hypothesis._given_kwargs
        test = module.fuzz(given(**strategies)(bound))
    return test.hypothesis.fuzz_one_input


def run_piece(name: str, first: int, folder: Path) -> int:
    """Run inputs from ``first`` on; returns how many failed."""
    module = load_targets()
    signal.signal(signal.SIGALRM, _too_long)
    failed = 0
    with tempfile.TemporaryDirectory(prefix='rtrack-fuzz-') as scratch:
        run = one_input(module, name, Path(scratch))
        run(made(name, first))  # libraries are loaded by then
        used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
        for number in range(first, first + PIECE):
            print(number, flush=True)
            signal.alarm(LONGEST_S)
            try:
                run(made(name, number))
            except BaseException:
                failed += 1
                _keep(folder, name, number, traceback.format_exc())
            signal.alarm(0)
    return failed


def _too_long(*_: object) -> None:
    raise TooLongError(f'more than {LONGEST_S} s')


def _keep(folder: Path, name: str, number: int, why: str) -> None:
    (folder / f'{name}-{number}.failed').write_text(why)


def run_many(inputs: int, folder: Path) -> int:
    """Run so many inputs over all targets, from where the last run stopped.

    Returns:
        How many failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress = folder / 'progress.json'
    done = json.loads(progress.read_text()) if progress.exists() else {}
    names = target_names(load_targets())
    each = -(-inputs // len(names) // PIECE) * PIECE
    started = time.monotonic()
    while left := [name for name in names if done.get(name, 0) < each]:
        for name in left:
            _in_process(name, done.get(name, 0), folder)
            done[name] = done.get(name, 0) + PIECE
            progress.write_text(json.dumps(done))
            failed = len(list(folder.glob('*.failed')))
            print(f'{sum(done.values())} of {each * len(names)} inputs, {failed} failed, '
                  f'{time.monotonic() - started:.0f} s', flush=True)
    return len(list(folder.glob('*.failed')))


def _in_process(name: str, first: int, folder: Path) -> None:
    """Run a piece in a process; keep where it was if it ended before its piece did."""
    ran = subprocess.run([sys.executable, __file__, '--piece', name, str(first), '--folder',
                          str(folder)], capture_output=True, text=True, check=False)
    if ran.returncode < 0 or ran.returncode > 1:
        at = (ran.stdout.split() or [str(first)])[-1]
        _keep(folder, name, int(at), f'ended with status {ran.returncode}\n{ran.stderr[-3000:]}')


def again(kept: Path) -> None:
    """Run one input that failed."""
    name, _, number = kept.stem.rpartition('-')
    with tempfile.TemporaryDirectory(prefix='rtrack-fuzz-') as scratch:
        one_input(load_targets(), name, Path(scratch))(made(name, int(number)))


def main() -> int:
    """Run; returns 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--inputs', type=int, default=1_000_000)
    parser.add_argument('--folder', type=Path, default=Path('build/fuzz'))
    parser.add_argument('--piece', nargs=2, metavar=('TARGET', 'FIRST'), help=argparse.SUPPRESS)
    parser.add_argument('--again', type=Path, metavar='FAILED')
    options = parser.parse_args()
    if options.again:
        again(options.again)
        return 0
    if options.piece:
        name, first = options.piece
        return int(run_piece(name, int(first), options.folder) > 0)
    return int(run_many(options.inputs, options.folder) > 0)


if __name__ == '__main__':
    sys.exit(main())
