"""Precisions of weights: how large they are, and which one a checkpoint already has."""

from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.foreign_text import parse_json, read_foreign

BYTES_PER_WEIGHT: Final = {
    'fp32': 4.0, 'fp16': 2.0, 'f16': 2.0, 'q8_0': 1.06, 'int8': 1.0, 'int8_sq': 1.0, 'fp8': 1.0,
    'mxfp8': 1.03,
    'int4_awq': 0.56, 'int4_gptq': 0.56, 'nvfp4': 0.56}
"""Scales of groups of weights included."""

_NAMES: Final = {
    'awq': 'int4_awq', 'w4a16_awq': 'int4_awq', 'int4_awq': 'int4_awq', 'gptq': 'int4_gptq',
    'fp8': 'fp8', 'nvfp4': 'nvfp4', 'mxfp8': 'mxfp8', 'w8a8_sq_per_channel': 'int8_sq',
    'int8_sq': 'int8_sq'}
"""Ours by the names that checkpoints of AutoAWQ, GPTQ and NVIDIA ModelOpt use."""


def checkpoint_precision(folder: Path) -> str:
    """Return the precision that a checkpoint was quantised to, '' for 16 bit.

    Raises:
        EngineError: a file that says so cannot be read, or names something unknown.
    """
    config = _read(folder / 'config.json').get('quantization_config') or {}
    named = config.get('quant_algo') or config.get('quant_method')
    if not named or named == 'modelopt':
        inner = _read(folder / 'hf_quant_config.json').get('quantization') or {}
        named = inner.get('quant_algo') or named
    if not named:
        return ''
    precision = _NAMES.get(str(named).lower())
    if precision is None:
        raise EngineError(f'{folder} is quantised as {named!r}, which is not known here; give a '
                          f'checkpoint of {", ".join(sorted(set(_NAMES.values())))}, or one that '
                          'is not quantised')
    return precision


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_foreign(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EngineError(f'{path} is not readable ({error}); fetch the checkpoint again'
                          ) from error
    if not isinstance(content, dict):
        raise EngineError(f'{path} is no JSON object; fetch the checkpoint again')
    return content
