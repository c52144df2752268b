"""Keeps what a benchmark found beside how it was found: command, date, processor, commit.

A record is a file ``docs/benchmarks/NAME.json``, from which ``rtrack_ros.benchmarks.page`` writes
``docs/benchmarks.md``. Run a benchmark and keep its result:

    python -m rtrack_ros.benchmarks.record grounding --year 2022 -- rtrack benchmark grounding

The command is run with ``--json FILE`` added. Where it writes its result elsewhere, say where with
``--result FILE``; where it has been run already, add ``--finished``.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

FOLDER = Path('docs/benchmarks')
CPU_FACTS = Path('/proc/cpuinfo')
_VECTORS = (('avx512f', 'AVX-512'), ('avx2', 'AVX2'), ('asimd', 'NEON'))


class RecordError(ValueError):
    """A record cannot be read or made; the message names the remedy."""


@dataclass(frozen=True)
class Record:
    """A result with where it comes from.

    Attributes:
        name: File name without its ending.
        command: What was run, as typed.
        date: Day of the run, year-month-day.
        processor: What it ran on, in words.
        result: What the benchmark wrote; or ``tables``, each with ``columns`` and ``rows``, for
            figures that are known from a text only.
        commit: State of the code, None where unknown.
        note: What a reader must know besides.
    """

    name: str
    command: str
    date: str
    processor: str
    result: Mapping[str, Any]
    commit: str | None = None
    note: str = ''

    @classmethod
    def read(cls, path: Path) -> 'Record':
        """Read a record.

        Raises:
            RecordError: the file lacks something, or has something that no record has.
        """
        try:
            return cls(path.stem, **json.loads(path.read_text(encoding='utf-8')))
        except (OSError, ValueError, TypeError) as error:
            raise RecordError(f'{path} is no record ({error}); write it with python -m '
                              'rtrack_ros.benchmarks.record') from error

    def write(self, folder: Path) -> Path:
        """Write the record into a folder and return its file."""
        known = {'command': self.command, 'date': self.date, 'processor': self.processor,
                 'commit': self.commit, 'note': self.note, 'result': self.result}
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f'{self.name}.json'
        text = json.dumps({name: value for name, value in known.items() if value}, indent=1)
        path.write_text(text + '\n', encoding='utf-8')
        return path


def wrap(name: str, command: Sequence[str], result: Any, year: int, note: str = '',
         without: Collection[str] = ()) -> Record:
    """Return the record of a result that has just been measured on this machine.

    Args:
        name: Name of the record.
        command: What was run.
        result: What it found.
        year: In which the processor came out; no file of a machine tells.
        note: What a reader must know besides.
        without: Keys to leave out of the result wherever they are, such as long curves.
    """
    if without:
        note = f'{note} Left out of the file: {", ".join(without)}.'.strip()
    return Record(name, shlex.join(command), datetime.now(timezone.utc).date().isoformat(),
                  processor_in_words(year), _cut(result, without), _commit(), note)


def processor_in_words(year: int) -> str:
    """Return name, year, cores and vector instructions of this machine's processor."""
    name, *others = _processor()
    return ', '.join([name, f'of {year}', *others])


def processor_name() -> str:
    """Return name, cores and vector instructions of this machine's processor."""
    return ', '.join(_processor())


def _processor() -> list[str]:
    facts = _cpu_facts()
    name = facts.get('model name') or platform.processor() or platform.machine()
    if 'cpu family' in facts:
        name += f' (family {facts["cpu family"]}, model {facts["model"]})'
    flags = facts.get('flags', facts.get('Features', '')).split()
    vectors = [word for flag, word in _VECTORS if flag in flags][:1]
    return [name, f'{os.cpu_count()} cores', *vectors]


def _cpu_facts() -> dict[str, str]:
    """Return what Linux tells of the first core, nothing elsewhere."""
    if not CPU_FACTS.exists():
        return {}
    first = CPU_FACTS.read_text(encoding='utf-8').split('\n\n')[0]
    pairs = (line.partition(':') for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _cut(value: Any, without: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _cut(item, without) for key, item in value.items() if key not in without}
    return [_cut(item, without) for item in value] if isinstance(value, list) else value


def _commit() -> str | None:
    """Return the commit that is checked out, marked where code or weights differ from it."""
    try:
        head, changes = (subprocess.run(['git', *words], check=True, capture_output=True, text=True
                                        ).stdout.strip() for words in
                         (('rev-parse', '--short', 'HEAD'),
                          ('status', '--porcelain', '--', 'rtrack_ros', 'models')))
    except (OSError, subprocess.CalledProcessError):
        return None
    return f'{head} with changes' if changes else head


def _measure(command: Sequence[str], written: Path | None, finished: bool) -> Any:
    """Run a benchmark unless it has been run, and return what it wrote.

    Raises:
        RecordError: it failed or wrote nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = written or Path(folder) / 'result.json'
        if not finished:
            full = [*command, *(() if written else ('--json', str(path)))]
            status = subprocess.run(full, check=False).returncode
            if status:
                raise RecordError(f'{shlex.join(full)} ended with status {status}; nothing is '
                                  'recorded')
        try:
            return json.loads(path.read_text(encoding='utf-8'))
        except (OSError, ValueError) as error:
            raise RecordError(f'{path}: {error}; name the file that the command writes with '
                              '--result') from error


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and record; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0],
                                     usage='%(prog)s NAME --year YEAR [options] -- COMMAND ...')
    parser.add_argument('name', metavar='NAME', help='the record is FOLDER/NAME.json')
    parser.add_argument('--year', type=int, required=True,
                        help='in which the processor came out')
    parser.add_argument('--result', type=Path, default=None, metavar='FILE',
                        help='where the command writes its result (default: --json FILE is added)')
    parser.add_argument('--finished', action='store_true',
                        help='do not run the command, it has written --result already')
    parser.add_argument('--without', nargs='+', default=[], metavar='KEY',
                        help='leave this out of the result, wherever it is')
    parser.add_argument('--note', default='', help='what a reader must know besides')
    parser.add_argument('--folder', type=Path, default=FOLDER, metavar='DIR',
                        help=f'default: {FOLDER}')
    given = list(sys.argv[1:] if argv is None else argv)
    cut = given.index('--') if '--' in given else len(given)
    args, command = parser.parse_args(given[:cut]), given[cut + 1:]
    if not command:
        parser.error('write the command behind --, for example: -- rtrack benchmark grounding')
    if args.finished and args.result is None:
        parser.error('--finished needs --result, the file that the command wrote')
    try:
        result = _measure(command, args.result, args.finished)
    except RecordError as error:
        print(error, file=sys.stderr)
        return 2
    record = wrap(args.name, command, result, args.year, args.note, args.without)
    print(f'wrote {record.write(args.folder)}; now write the page: '
          'python -m rtrack_ros.benchmarks.page > docs/benchmarks.md')
    return 0


if __name__ == '__main__':
    sys.exit(main())
