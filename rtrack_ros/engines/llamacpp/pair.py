"""Which GGUF files are meant: a language model and the projector that belongs to it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import COMPILED_NAME, LLAMACPP_FOLDER, CompiledModel
from rtrack_ros.engines.manifest import MANIFEST_NAME

_SUFFIX: Final = '.gguf'
_PROJECTOR: Final = 'mmproj'
_PRECISION: Final = re.compile(r'[-._]((?:ud-)?i?q\d\w*|bf16|f16|fp16|f32|mxfp4\w*)$',
                               re.IGNORECASE)
_LATER_PART: Final = re.compile(r'-(\d{5})-of-\d{5}$')
_PROJECTOR_PRECISIONS: Final = ('f16', 'bf16', 'f32', 'q8_0')
"""Best first, where one projector lies there at several precisions."""

_COMPILE: Final = 'rtrack compile --engine llamacpp --model'
_UNKNOWN_PRECISION: Final = 'as in the file'


@dataclass(frozen=True)
class GgufPair:
    """A model for llama.cpp.

    Attributes:
        model: The language model; the first file where it is split.
        projector: The vision part.
        manifest: Folder with an ``rtrack.json`` about it; None where there is none.
    """

    model: Path
    projector: Path
    manifest: Path | None = None

    @classmethod
    def find(cls, path: Path) -> 'GgufPair':
        """Find the pair that a path means.

        Args:
            path: A model folder of ours that was converted, a folder that holds a pair, or the
                file of a language model with its projector beside it.

        Raises:
            EngineError: there is none, or more than one; the message names what to do.
        """
        if path.suffix.lower() == _SUFFIX:
            if not path.is_file():
                raise EngineError(f'{path} is not there; name a GGUF file that is')
            return cls(path, _projector_of(path), _manifest_near(path.parent))
        compiled = path / LLAMACPP_FOLDER
        if not compiled.is_dir() and (path / MANIFEST_NAME).is_file() and not _files(path):
            raise EngineError(f'{path} holds no model that was converted for llama.cpp; convert '
                              f'it with: {_COMPILE} {path}')
        folder = compiled if compiled.is_dir() else path
        model = _model_in(folder)
        return cls(model, _projector_of(model), _manifest_near(folder))

    def check_weights(self) -> None:
        """Refuse what was converted from other weights than those that lie beside it now.

        Raises:
            StaleExportError: the weights have changed since; the message names the command.
        """
        folder = self.model.resolve().parent
        if folder.name == LLAMACPP_FOLDER and (folder / COMPILED_NAME).is_file():
            CompiledModel.read(folder).check_weights(folder.parent)

    @property
    def precision(self) -> str:
        """Precision of the weights as the file's name tells it, such as 'q4_k_m'."""
        found = _PRECISION.search(_stem(self.model))
        return found[1].lower() if found else _UNKNOWN_PRECISION

    @property
    def names(self) -> tuple[str, ...]:
        """Names by which its family may be recognised."""
        return _base(self.model), self.model.resolve().parent.name


def _files(folder: Path) -> list[Path]:
    """Return the GGUF files of a folder that can be named: of a split model the first alone."""
    return [path for path in sorted(folder.glob(f'*{_SUFFIX}'))
            if not (part := _LATER_PART.search(path.stem)) or int(part[1]) == 1]


def _is_projector(path: Path) -> bool:
    return _PROJECTOR in path.name.lower()


def _model_in(folder: Path) -> Path:
    models = [path for path in _files(folder) if not _is_projector(path)]
    if len(models) == 1:
        return models[0]
    if models:
        raise EngineError(f'{folder} holds several models; name one of them: '
                          f'{", ".join(path.name for path in models)}')
    raise EngineError(f'{folder} holds no GGUF model; name a folder that has one with its '
                      f'projector (mmproj), or convert one of ours with: {_COMPILE} DIR')


def _projector_of(model: Path) -> Path:
    """Return the projector that lies beside a model."""
    beside = [path for path in _files(model.parent) if _is_projector(path)]
    mine = [path for path in beside if _base(path) in ('', _base(model))]
    if len(beside) == 1 or mine:
        return min(mine or beside, key=_rank)
    if beside:
        raise EngineError(f'nobody knows which projector belongs to {model}: '
                          f'{", ".join(path.name for path in beside)}; put the pair into a folder '
                          'of its own')
    raise EngineError(f'{model} has no projector beside it, without which it sees nothing; put '
                      'the file mmproj-....gguf of the same model into its folder')


def _rank(projector: Path) -> tuple[int, str]:
    found = _PRECISION.search(projector.stem)
    precision = found[1].lower() if found else ''
    known = precision in _PROJECTOR_PRECISIONS
    return (_PROJECTOR_PRECISIONS.index(precision) if known else len(_PROJECTOR_PRECISIONS),
            projector.name)


def _stem(path: Path) -> str:
    return _LATER_PART.sub('', path.stem)


def _base(path: Path) -> str:
    """Return the name of a file's model, without precision and without the projector's mark."""
    name = re.sub(rf'[-._]?{_PROJECTOR}[-._]?', '-', _stem(path).lower()).strip('-')
    return _PRECISION.sub('', f'-{name}').removeprefix('-')


def _manifest_near(folder: Path) -> Path | None:
    """Return the folder with the facts about a model: its own, or the one it was compiled in."""
    near = (folder, folder.resolve().parent) if folder.name == LLAMACPP_FOLDER else (folder,)
    return next((place for place in near if (place / MANIFEST_NAME).is_file()), None)
