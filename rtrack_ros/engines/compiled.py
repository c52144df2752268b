"""``compiled.json``: what an exported engine folder was made from, and at which precision."""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.foreign_text import parse_json, read_foreign

OPENVINO_FOLDER = 'openvino'
LLAMACPP_FOLDER = 'llamacpp'
COMPILED_NAME = 'compiled.json'
WEIGHTS_NAME: Final = 'model.safetensors'
_CHUNK_BYTES = 1 << 20


class StaleExportError(EngineError):
    """An export was made from other weights than those that lie beside it now."""


@dataclass(frozen=True)
class CompiledModel:
    """Facts about an export.

    Attributes:
        engine: Engine it was made for, for example 'openvino'.
        precision: Weight precision, for example 'int8'.
        weights_sha256: Digest of the ``model.safetensors`` it was made from.
        runtime: Version of the runtime that wrote it.
    """

    engine: str
    precision: str
    weights_sha256: str
    runtime: str

    @classmethod
    def read(cls, folder: Path) -> 'CompiledModel':
        """Read ``folder``/compiled.json.

        Raises:
            EngineError: it is missing or not readable, with the command that writes it.
        """
        path = folder / COMPILED_NAME
        remedy = f'export the model with: {_command(folder.name, folder.parent)}'
        try:
            return cls(**parse_json(read_foreign(path)))
        except FileNotFoundError as error:
            raise EngineError(f'{folder} holds no exported model; {remedy}') from error
        except (OSError, ValueError, TypeError) as error:
            raise EngineError(f'{path} is not readable ({error}); {remedy}') from error

    def write(self, folder: Path) -> None:
        """Write ``folder``/compiled.json."""
        text = json.dumps(asdict(self), indent=2) + '\n'
        (folder / COMPILED_NAME).write_text(text, encoding='utf-8')

    def check_weights(self, model: Path) -> None:
        """Refuse an export of other weights than those of ``model``.

        A folder without weights, as it is put on a robot, has nothing to compare and passes.

        Raises:
            StaleExportError: the weights have changed since, with the command that exports them.
        """
        if not (model / WEIGHTS_NAME).is_file() or weights_digest(model) == self.weights_sha256:
            return
        raise StaleExportError(
            f'{model / WEIGHTS_NAME} is not what {model / self.engine} was exported from: it '
            'would answer with the old model; export it again with: '
            f'{_command(self.engine, model)}')


def check_replaceable(target: Path) -> None:
    """Refuse a folder of somebody else in the place of an export.

    Raises:
        EngineError: the folder holds something, and no export of ours; nothing is touched.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise EngineError(f'{target} is no folder of ours; move it away, then export again')
    if target.is_dir() and any(target.iterdir()) and not (target / COMPILED_NAME).is_file():
        raise EngineError(f'{target} holds files that no export made; move them away, then '
                          'export again')


def install_export(draft: Path, target: Path) -> None:
    """Put a finished export in the place of an earlier one.

    Raises:
        EngineError: see ``check_replaceable``.
    """
    check_replaceable(target)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def _command(engine: str, model: Path) -> str:
    choice = ' --engine llamacpp' if engine == LLAMACPP_FOLDER else ''
    return f'rtrack compile --model {model}{choice}'


def weights_digest(model: Path) -> str:
    """Return the SHA-256 of ``model``/model.safetensors, as hexadecimal text.

    The whole file is read, whatever its size: a model trained further has as many bytes as before,
    and copies and checkouts do not keep times. That takes 7 ms for rtrack-nano and, at 1.7 GB/s,
    2.5 s for 4 GB, once for each process and far less than loading such a model.
    """
    path = (model / WEIGHTS_NAME).resolve()
    facts = path.stat()
    return _digest(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=8)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    """Return the digest of a file; size and time tell whether it is still the same."""
    digest = hashlib.sha256()
    with path.open('rb') as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
