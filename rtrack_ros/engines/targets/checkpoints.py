"""A checkpoint: how many weights it has, at which precision, and a digest that tells it apart."""

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.precisions import BYTES_PER_WEIGHT, checkpoint_precision

_SAMPLE = 1 << 20
_MOST_HEADER = 100_000_000


@dataclass(frozen=True)
class Weights:
    """Numbers of weights, or bytes where the checkpoint is quantised.

    Attributes:
        layers: Of the language part without its embedding and head.
        embedding: Of the table of tokens.
        head: Of the head, where it is not the embedding once more.
        vision: Of the part that reads images.
        source: Where that is known from.
    """

    layers: float
    embedding: float
    head: float
    vision: float
    source: str


def _billions(layers: float, embedding: float, head: float, vision: float) -> Weights:
    return Weights(layers * 1e9, embedding * 1e9, head * 1e9, vision * 1e9,
                   'parameter counts of the model card')


PUBLISHED: Final = (
    (r'qwen3[-_]?vl[-_]?2b', 'Qwen3-VL-2B', _billions(1.41, 0.311, 0.0, 0.41)),
    (r'qwen3[-_]?vl[-_]?4b', 'Qwen3-VL-4B', _billions(3.63, 0.389, 0.0, 0.41)),
    (r'qwen3[-_]?vl[-_]?8b', 'Qwen3-VL-8B', _billions(6.95, 0.622, 0.622, 0.58)),
    (r'qwen2[._-]5[-_]?vl[-_]?3b', 'Qwen2.5-VL-3B', _billions(2.77, 0.311, 0.0, 0.67)),
    (r'qwen2[._-]5[-_]?vl[-_]?7b', 'Qwen2.5-VL-7B', _billions(6.53, 0.545, 0.545, 0.68)),
)
"""Pattern of the name, the name that figures are listed under, and the weights."""


@dataclass(frozen=True)
class Checkpoint:
    """A model as it is published or was trained.

    Attributes:
        path: As the user gave it: a folder, or a name of the hub.
        precision: What it is quantised to; empty where it is not.
        weights: What is known of its size; None where nothing is.
    """

    path: str
    precision: str = ''
    weights: Weights | None = None

    @property
    def name(self) -> str:
        """Return the last part of its path."""
        return self.path.rstrip('/').rpartition('/')[2]

    @property
    def listed_as(self) -> str:
        """Return the name that published figures use, '' where there are none."""
        return next((name for pattern, name, _ in PUBLISHED
                     if re.search(pattern, self.name, re.IGNORECASE)), '')

    def weight_gb(self, precision: str) -> float | None:
        """Return how large the weights are; only the layers of language are quantised."""
        return self._gb(precision, lambda part: part.embedding + part.head + part.vision)

    def read_per_token_gb(self, precision: str) -> float | None:
        """Return how much is read for every token of an answer."""
        return self._gb(precision, lambda part: part.head or part.embedding)

    def _gb(self, precision: str, also: Callable[[Weights], float]) -> float | None:
        if self.weights is None:
            return None
        if self.precision:
            return (self.weights.layers + also(self.weights)) / 1e9
        layers = self.weights.layers * BYTES_PER_WEIGHT[precision]
        return (layers + 2.0 * also(self.weights)) / 1e9


def open_checkpoint(model: str) -> Checkpoint:
    """Return what is known of a model.

    Args:
        model: A folder, or a name of the hub, of which nothing is read.

    Raises:
        EngineError: it is a folder without a readable checkpoint.
    """
    folder = Path(model)
    if folder.is_dir():
        if not (folder / 'config.json').is_file():
            raise EngineError(f'{folder} holds no config.json; give the folder of a checkpoint of '
                              'the Qwen-VL family')
        precision = checkpoint_precision(folder)
        return Checkpoint(model, precision, _count(folder, bool(precision)))
    for pattern, _, weights in PUBLISHED:
        if re.search(pattern, Checkpoint(model).name, re.IGNORECASE):
            return _by_name(model, weights)
    return Checkpoint(model)


def _by_name(model: str, weights: Weights) -> Checkpoint:
    """Return a published checkpoint, whose name tells whether it is quantised."""
    found = re.search(r'awq|gptq|nvfp4|fp8', Checkpoint(model).name, re.IGNORECASE)
    if found is None:
        return Checkpoint(model, '', weights)
    precision = {'awq': 'int4_awq', 'gptq': 'int4_gptq'}.get(found[0].lower(), found[0].lower())
    return Checkpoint(model, precision, Weights(
        weights.layers * BYTES_PER_WEIGHT[precision], weights.embedding * 2.0, weights.head * 2.0,
        weights.vision * 2.0, weights.source))


def _count(folder: Path, as_bytes: bool) -> Weights | None:
    """Return the weights of a folder, from the headers of its files."""
    sums = {'layers': 0.0, 'embedding': 0.0, 'head': 0.0, 'vision': 0.0}
    files = sorted(folder.glob('*.safetensors'))
    for file in files:
        for name, tensor in _header(file).items():
            if name != '__metadata__':
                begin, end = tensor['data_offsets']
                sums[_part(name)] += end - begin if as_bytes else math.prod(tensor['shape'])
    return Weights(**sums, source=f'files of {folder.name}') if files else None


def _part(name: str) -> str:
    if 'visual' in name or 'vision' in name:
        return 'vision'
    if 'lm_head' in name:
        return 'head'
    return 'embedding' if 'embed_tokens' in name else 'layers'


def _header(file: Path) -> dict[str, Any]:
    try:
        with file.open('rb') as stream:
            size = int.from_bytes(stream.read(8), 'little')
            if size > _MOST_HEADER:
                raise ValueError(f'a header of {size} bytes')
            header: dict[str, Any] = json.loads(stream.read(size))
            return header
    except (OSError, ValueError) as error:
        raise EngineError(f'{file} is not readable ({error}); fetch the checkpoint again'
                          ) from error


def checkpoint_digest(folder: Path) -> str:
    """Return a digest of a checkpoint, as hexadecimal text.

    Of the JSON files it reads all, of the weights the size and the first and last MiB: a gigabyte
    is told from another in milliseconds. It tells checkpoints apart; it proves nothing against
    somebody who wants to deceive.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir()
                       if path.suffix in ('.json', '.safetensors', '.gguf')):
        digest.update(f'{path.name} {path.stat().st_size}\n'.encode())
        with path.open('rb') as stream:
            if path.suffix == '.json':
                digest.update(stream.read())
                continue
            digest.update(stream.read(_SAMPLE))
            stream.seek(max(path.stat().st_size - _SAMPLE, 0))
            digest.update(stream.read(_SAMPLE))
    return digest.hexdigest()
