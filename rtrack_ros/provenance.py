"""What a result was made from, kept beside it: so that nothing passes for what it is not.

A folder of results has a record, ``made_from.json``, from before the first result on. Work that
goes on in the folder compares its own inputs with the record: the same ones go on, others are
refused.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rtrack_ros.files import DRAFT, LOCK_NAME, SEAL_NAME, write_whole

RECORD_NAME: Final = 'made_from.json'
_BY_SIZE: Final = frozenset(('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.mp4', '.avi',
                             '.mkv', '.npy', '.db3', '.mcap'))
"""Images, videos and arrays: told apart by name and size, for reading them takes too long."""
_WHOLE: Final = 64 << 20
_SAMPLES: Final = 256
_SAMPLE: Final = 1 << 16
_SHOWN: Final = 5


class ProvenanceError(ValueError):
    """A folder holds work from other inputs; the message names them and the remedy."""


def file_digest(path: Path) -> str:
    """Return a digest of a file: of all of it, of 256 even samples where it is above 64 MiB.

    Training changes every part of a file of weights, so that samples tell two apart.
    """
    size, digest = path.stat().st_size, hashlib.sha256()
    digest.update(str(size).encode())
    with path.open('rb') as stream:
        if size <= _WHOLE:
            while block := stream.read(1 << 20):
                digest.update(block)
        else:
            for number in range(_SAMPLES):
                stream.seek(number * (size - _SAMPLE) // (_SAMPLES - 1))
                digest.update(stream.read(_SAMPLE))
    return digest.hexdigest()[:16]


def data_digest(folder: Path) -> str:
    """Return a digest of a data set: names and sizes of all files, content of texts.

    Folders behind links count as if they lay there. Folders of results do not, which may lie
    beside the recordings they were made from.
    """
    return _digest(folder, _below(folder, set()))


def _below(folder: Path, above: set[str]) -> Iterator[Path]:
    """Yield the files in a folder and below it; ``above`` are the folders that lead to it."""
    here = os.path.realpath(folder)
    if here in above:  # a link to a folder that it lies in
        return
    for path in folder.iterdir():
        if not path.is_dir():
            yield path
        elif not (path / RECORD_NAME).is_file():
            yield from _below(path, {*above, here})


def model_digest(folder: Path) -> str:
    """Return a digest of a model folder: weights, tokenizer and settings, exports left out."""
    return _digest(folder, folder.glob('*'))


def _digest(folder: Path, paths: Iterator[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file() and _counts(path)):
        content = (str(path.stat().st_size) if path.suffix.lower() in _BY_SIZE
                   else file_digest(path))
        digest.update(f'{path.relative_to(folder)}\0{content}\0'.encode())
    return digest.hexdigest()[:16]


def _counts(path: Path) -> bool:
    return (path.name not in (RECORD_NAME, SEAL_NAME, LOCK_NAME, 'README.md')
            and not path.name.endswith(DRAFT))


def claim(folder: Path, inputs: Mapping[str, Any], remedy: str = 'choose another --out, or remove '
          'the folder', begun: bool = False) -> None:
    """Say from what the results in a folder are made, or check that it is what made those there.

    Args:
        folder: Where the results go; it is made.
        inputs: Plain values, mappings and lists of them; digests of what is large.
        remedy: What the user can do about a refusal.
        begun: Whether results are there already; without a record they are refused then.

    Raises:
        ProvenanceError: the folder holds results from other inputs, or from unknown ones.
    """
    path = folder / RECORD_NAME
    wanted = json.loads(json.dumps(inputs))
    if not path.is_file():
        if begun:
            raise ProvenanceError(f'{folder} holds results, and no {RECORD_NAME} says what they '
                                  f'were made from; {remedy}')
        write_whole(path, json.dumps(wanted, indent=2, sort_keys=True) + '\n')
        return
    try:
        known = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ProvenanceError(f'{path} cannot be read ({error}); {remedy}') from error
    require_same(folder, known, wanted, remedy)


def require_same(made: Path, known: Any, wanted: Any, remedy: str) -> None:
    """Check that what something was made from is what it is wanted to be made from.

    Args:
        made: File or folder, for the message.
        known: Its inputs, plain values as JSON has them.
        wanted: The inputs that it should have.
        remedy: What the user can do.

    Raises:
        ProvenanceError: they differ; names the first few that do.
    """
    differing = list(_differences(known, json.loads(json.dumps(wanted))))
    if differing:
        more = f', and {len(differing) - _SHOWN} more' if len(differing) > _SHOWN else ''
        raise ProvenanceError(f'{made} was made from other inputs: '
                              f'{"; ".join(differing[:_SHOWN])}{more}; {remedy}')


def _differences(known: Any, wanted: Any, name: str = '') -> Iterator[str]:
    if isinstance(known, dict) and isinstance(wanted, dict):
        for key in sorted(known.keys() | wanted.keys()):
            yield from _differences(known.get(key), wanted.get(key), f'{name}.{key}'.strip('.'))
    elif known != wanted:
        yield f'{name or "all"} was {json.dumps(known)}, is now {json.dumps(wanted)}'
