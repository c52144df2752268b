"""``compiled.json``: what an exported engine folder was made from, and at which precision."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rtrack_ros.engines.base import EngineError

OPENVINO_FOLDER = 'openvino'
COMPILED_NAME = 'compiled.json'


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
        remedy = f'export the model with: rtrack compile --model {folder.parent}'
        try:
            return cls(**json.loads(path.read_text(encoding='utf-8')))
        except FileNotFoundError as error:
            raise EngineError(f'{folder} holds no exported model; {remedy}') from error
        except (OSError, ValueError, TypeError) as error:
            raise EngineError(f'{path} is not readable ({error}); {remedy}') from error

    def write(self, folder: Path) -> None:
        """Write ``folder``/compiled.json."""
        text = json.dumps(asdict(self), indent=2) + '\n'
        (folder / COMPILED_NAME).write_text(text, encoding='utf-8')


def weights_digest(model: Path) -> str:
    """Return the SHA-256 of ``model``/model.safetensors, as hexadecimal text."""
    return hashlib.sha256((model / 'model.safetensors').read_bytes()).hexdigest()
