"""Export of a trained Qwen3-VL folder to OpenVINO, for the embedded engine.

The exporter reads transformers 4.57 configurations, while training writes those of transformers 5:
the folder is translated into a staging copy first. The weights are the same in both.
"""

import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import (
    OPENVINO_FOLDER,
    CompiledModel,
    install_export,
    weights_digest,
)
from rtrack_ros.engines.families import read_manifest
from rtrack_ros.engines.manifest import ModelManifest

PRECISIONS: Final = ('int8', 'fp16', 'fp32')
REQUIREMENTS: Final = ('torch==2.13.0', 'transformers==4.57.6', 'optimum-intel==2.2.0',
                       'openvino==2026.4.1', 'openvino-tokenizers==2026.4.1.0',
                       'opencv-python-headless')

_REMEDY = f"""the export needs an environment of its own, with an older transformers:
  python3 -m venv build/env-export
  build/env-export/bin/pip install {' '.join(REQUIREMENTS)}
  build/env-export/bin/pip uninstall -y torchvision   # only where it does not match torch
  build/env-export/bin/python -m rtrack_ros.cli compile --model DIR"""

_MODEL_FILES = ('config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json',
                'tokenizer_config.json', 'preprocessor_config.json', 'chat_template.jinja')
_RUNTIME_FILES = ('config.json', 'generation_config.json', 'preprocessor_config.json')


def export_openvino(model: Path, precision: str = 'int8') -> Path:
    """Export ``model`` and put the result in ``model``/openvino, replacing an earlier one.

    Args:
        model: Model folder that ``rtrack train`` wrote, with ``rtrack.json``.
        precision: Weight precision, one of ``PRECISIONS``; activations stay in floating point.

    Returns:
        The folder of the exported files.

    Raises:
        EngineError: this environment cannot export, or the folder is not such a model; nothing
            is changed then.
    """
    if precision not in PRECISIONS:
        raise EngineError(f'precision {precision!r} is unknown; choose one of '
                          f'{", ".join(PRECISIONS)}')
    manifest = read_manifest(model)
    check_environment()
    with tempfile.TemporaryDirectory(prefix='rtrack-export-') as scratch:
        staged, exported = Path(scratch, 'staged'), Path(scratch, 'exported')
        stage_for_export(model, staged, manifest)
        _run_exporter(staged, exported, precision)
        return _install(exported, model, precision)


def check_environment() -> None:
    """Check that the exporter and its older transformers can be imported.

    Raises:
        EngineError: they cannot, with the commands that make an environment in which they can.
    """
    try:
        version = importlib.metadata.version('transformers')
        importlib.metadata.version('optimum-intel')
    except importlib.metadata.PackageNotFoundError as error:
        raise EngineError(f'{error.name} is not installed; {_REMEDY}') from error
    if not version.startswith('4.57.'):
        raise EngineError(f'transformers {version} cannot export; {_REMEDY}')


def stage_for_export(model: Path, staged: Path, manifest: ModelManifest) -> None:
    """Copy ``model`` to the new folder ``staged`` in the form that transformers 4.57 reads.

    Raises:
        EngineError: a file of the model is missing.
    """
    staged.mkdir(parents=True)
    for name in _MODEL_FILES:
        try:
            shutil.copyfile(model / name, staged / name)
        except FileNotFoundError as error:
            raise EngineError(f'{model / name} is missing; give a folder that rtrack train '
                              'wrote') from error
    for name, translate in (('config.json', older_config),
                            ('tokenizer_config.json', older_tokenizer_config)):
        _write_json(staged / name, translate(_read_json(staged / name)))
    _write_json(staged / 'preprocessor_config.json', fixed_size_preprocessor(
        _read_json(staged / 'preprocessor_config.json'), manifest.image_size))


def older_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return a transformers 5 Qwen3-VL configuration in the words of transformers 4.57."""
    text = dict(config['text_config'])
    if 'rope_parameters' in text:
        rope = dict(text.pop('rope_parameters'))
        text['rope_theta'] = rope.pop('rope_theta')
        text['rope_scaling'] = rope
    vision = {key: value for key, value in config['vision_config'].items()
              if key != 'rope_parameters'}
    older = {**config, 'text_config': text, 'vision_config': vision}
    if 'dtype' in older:
        older['torch_dtype'] = older.pop('dtype')
    return older


def older_tokenizer_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return a tokenizer configuration that names a class of transformers 4.57."""
    kept = {key: value for key, value in config.items()
            if key not in ('backend', 'extra_special_tokens')}
    return {**kept, 'tokenizer_class': 'PreTrainedTokenizerFast'}


def fixed_size_preprocessor(config: dict[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """Return a preprocessor configuration under which images of ``size`` keep their size.

    The runtime bounds the area between two limits; equal limits leave no other size.
    """
    area = size[0] * size[1]
    return {**config, 'size': {'shortest_edge': area, 'longest_edge': area},
            'min_pixels': area, 'max_pixels': area}


def exporter_command(staged: Path | str, exported: Path | str, precision: str) -> list[str]:
    """Return the command that exports a staged copy."""
    return ['python', '-m', 'optimum.commands.optimum_cli', 'export', 'openvino',
            '-m', str(staged), '--task', 'image-text-to-text',
            '--weight-format', precision, str(exported)]


def _run_exporter(staged: Path, exported: Path, precision: str) -> None:
    command = exporter_command(staged, exported, precision)
    done = subprocess.run([sys.executable, *command[1:]], capture_output=True, text=True)
    if done.returncode != 0:
        raise EngineError(f'the exporter failed:\n{done.stderr[-2000:]}\nif it could not import '
                          f'something, {_REMEDY}')


def _install(exported: Path, model: Path, precision: str) -> Path:
    target, draft = model / OPENVINO_FOLDER, model / f'{OPENVINO_FOLDER}.part'
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for path in sorted(exported.iterdir()):
        if path.name in _RUNTIME_FILES or path.suffix in ('.xml', '.bin'):
            shutil.copyfile(path, draft / path.name)
    runtime = f'openvino {importlib.metadata.version("openvino")}'
    CompiledModel('openvino', precision, weights_digest(model), runtime).write(draft)
    install_export(draft, target)
    return target


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    return content


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
