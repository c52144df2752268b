"""A model folder as it is read for conversion."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.llamacpp.weights import Weights
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.foreign_text import parse_json, read_foreign

_MODEL_TYPE: Final = 'qwen3_vl'


@dataclass(frozen=True)
class Source:
    """A Qwen3-VL folder that ``rtrack train`` wrote.

    Attributes:
        name: Name of the model.
        config: Content of ``config.json``.
        tokenizer: Content of ``tokenizer.json``.
        preprocessor: Content of ``preprocessor_config.json``.
        chat_template: Content of ``chat_template.jinja``.
        weights: The tensors.
    """

    name: str
    config: dict[str, Any]
    tokenizer: dict[str, Any]
    preprocessor: dict[str, Any]
    chat_template: str
    weights: Weights

    @classmethod
    def read(cls, folder: Path) -> 'Source':
        """Read a model folder.

        Raises:
            EngineError: something is missing, or it holds a model of another kind.
        """
        name = ModelManifest.read(folder).name
        config = _json(folder / 'config.json')
        if config.get('model_type') != _MODEL_TYPE:
            raise EngineError(f'{folder} holds a {config.get("model_type")}, and only '
                              f'{_MODEL_TYPE} is converted here; of published models take a GGUF '
                              'pair that somebody converted, see docs/engines.md')
        return cls(name, config, _json(folder / 'tokenizer.json'),
                   _json(folder / 'preprocessor_config.json'),
                   _text(folder / 'chat_template.jinja'), Weights(folder))

    @property
    def text(self) -> dict[str, Any]:
        """Configuration of the language model."""
        return dict(self.config['text_config'])

    @property
    def vision(self) -> dict[str, Any]:
        """Configuration of the vision tower."""
        return dict(self.config['vision_config'])


def _json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = parse_json(_text(path))
    except ValueError as error:
        raise EngineError(f'{path} is not readable ({error}); give a folder that rtrack train '
                          'wrote') from error
    return content


def _text(path: Path) -> str:
    try:
        return read_foreign(path)
    except ValueError as error:
        raise EngineError(f'{path} is not readable ({error}); give a folder that rtrack train '
                          'wrote') from error
    except OSError as error:
        raise EngineError(f'{path} is missing; give a folder that rtrack train wrote') from error
