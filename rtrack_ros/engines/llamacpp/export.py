"""Conversion of a trained Qwen3-VL folder to a GGUF pair: language model and projector."""

import importlib.metadata
import shutil
from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import (
    LLAMACPP_FOLDER,
    CompiledModel,
    check_replaceable,
    install_export,
    weights_digest,
)
from rtrack_ros.engines.llamacpp.language import write_language_model
from rtrack_ros.engines.llamacpp.projector import write_projector
from rtrack_ros.engines.llamacpp.source import Source

PRECISIONS: Final = ('f16', 'q8_0')


def export_llamacpp(model: Path, precision: str = 'f16', target: Path | None = None) -> Path:
    """Convert ``model`` and put the result in ``model``/llamacpp, replacing an earlier one.

    Args:
        model: Model folder that ``rtrack train`` wrote, with ``rtrack.json``.
        precision: Of the weights of the language model, one of ``PRECISIONS``; the projector is
            written as f16.
        target: Another folder to write; an earlier export there is replaced.

    Returns:
        The folder of the converted files.

    Raises:
        EngineError: the folder is not such a model; nothing is changed then.
    """
    if precision not in PRECISIONS:
        raise EngineError(f'precision {precision!r} is unknown to llama.cpp; choose one of '
                          f'{", ".join(PRECISIONS)}')
    source = Source.read(model)
    target = target or model / LLAMACPP_FOLDER
    check_replaceable(target)
    draft = target.with_name(f'{target.name}.part')
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        write_language_model(draft / f'{source.name}-{precision}.gguf', source, precision)
        write_projector(draft / f'mmproj-{source.name}-f16.gguf', source)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    writer = f'gguf {importlib.metadata.version("gguf")}'
    CompiledModel('llamacpp', precision, weights_digest(model), writer).write(draft)
    install_export(draft, target)
    return target
