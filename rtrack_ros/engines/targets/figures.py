"""How much memory an engine takes and how long an answer takes, each figure with its source."""

from dataclasses import dataclass
from typing import Final

from rtrack_ros.engines.targets.checkpoints import Checkpoint
from rtrack_ros.engines.targets.devices import DEVICES, Device

IMAGE_TOKENS: Final = 300
"""Of one image of 640x480 in Qwen3-VL: 20 x 15 patches of 32 pixels."""
PROMPT_TOKENS: Final = 80
"""Of the words of a question; an allowance of ours."""
ANSWER_TOKENS: Final = 39
"""Of an answer with one box, counted with the vocabulary of Qwen."""

RUNTIME_GB: Final = 2.0
"""For activations, cache and runtime beside the weights."""
SERVER_GB: Final = 4.0
"""The same for vLLM and TensorRT-LLM, with a cache for four questions at once."""

_QUESTION: Final = 'for two 640x480 images and one box'
_VENDOR: Final = 'TensorRT Edge-LLM 0.10.0 documentation, JetPack 7.2, batch 1'
_VENDOR_IMAGE_TOKENS, _VENDOR_PROMPT_TOKENS = 265, 292
_ROOF_SHARE: Final = 0.7
"""Of the bandwidth of memory that decoding reaches: 68 to 85 % on Orin and Thor."""
_MOST_TOKENS_S: Final = 400.0
"""Where launching kernels, not memory, is the limit: 200 to 400 are expected of one question."""


@dataclass(frozen=True)
class Measured:
    """What the vendor measured on a device, in milliseconds, tokens a second and GB.

    Attributes:
        vision_ms: Encoding one image of 265 tokens.
        prefill_ms: Reading a prompt of 292 tokens.
        tokens_s: Writing.
        memory_gb: Of the GPU, weights included; 0 where they are not included.
    """

    vision_ms: float
    prefill_ms: float
    tokens_s: float
    memory_gb: float = 0.0


MEASURED: Final = {
    ('jetson-orin', 'Qwen3-VL-2B', 'int4_awq'): Measured(36.2, 45.7, 98.9, 4.554),
    ('jetson-orin', 'Qwen3-VL-4B', 'int4_awq'): Measured(36.5, 105.7, 54.7, 6.076),
    ('jetson-orin', 'Qwen3-VL-8B', 'int4_awq'): Measured(53.0, 178.3, 32.1, 9.004),
    ('jetson-orin-nano', 'Qwen3-VL-2B', 'int4_awq'): Measured(141.0, 167.0, 36.1, 4.486),
    ('jetson-thor', 'Qwen3-VL-2B', 'nvfp4'): Measured(11.4, 12.7, 151.9),
    ('jetson-thor', 'Qwen3-VL-2B', 'int4_awq'): Measured(11.7, 29.3, 151.1),
    ('jetson-thor', 'Qwen3-VL-4B', 'nvfp4'): Measured(11.6, 22.3, 79.2),
    ('jetson-thor', 'Qwen3-VL-4B', 'int4_awq'): Measured(11.6, 64.5, 82.8),
    ('jetson-thor', 'Qwen3-VL-8B', 'nvfp4'): Measured(15.7, 32.1, 47.1),
}
"""By device, model and precision, all with Edge-LLM."""

OURS: Final = {('cpu', 'rtrack-nano', 'int8'): 68.0}
"""Milliseconds of one look, median, by device, model and precision."""


@dataclass(frozen=True)
class Figure:
    """A figure and where it comes from.

    Attributes:
        value: In the unit of whoever made it; None where nobody knows.
        text: In words.
        source: Who measured it, or from what it is derived.
    """

    value: float | None
    text: str
    source: str


def expected_memory(device: Device, checkpoint: Checkpoint, precision: str, engine: str) -> Figure:
    """Return the GB of memory that an engine takes while it runs."""
    for other in _with_the_same_gpu(device):
        known = _measured(other, checkpoint, precision, engine)
        if known is not None and known.memory_gb:
            return Figure(known.memory_gb, f'{known.memory_gb:.1f} GB',
                          f'measured on {other.figures_of}: {_VENDOR}')
    # vLLM makes fp8 of a 16-bit checkpoint after it has loaded the whole of it.
    loaded = 'fp16' if engine == 'vllm' and not checkpoint.precision else precision
    weights = checkpoint.weight_gb(loaded)
    if weights is None or checkpoint.weights is None:
        return Figure(None, 'not known', f'the sizes of {checkpoint.name} are not listed; fetch '
                                         'the checkpoint and give its folder')
    beside = RUNTIME_GB if engine in ('edgellm', 'openvino') else SERVER_GB
    total = weights + beside
    return Figure(total, f'{total:.1f} GB', f'derived: {weights:.1f} GB of weights ({loaded}; '
                  f'{checkpoint.weights.source}) and {beside:.0f} GB beside them')


def quantising_memory(checkpoint: Checkpoint) -> Figure:
    """Return the GB of memory that quantising a 16-bit checkpoint takes."""
    weights = checkpoint.weight_gb('fp16')
    if weights is None:
        return Figure(None, 'not known', f'the sizes of {checkpoint.name} are not listed')
    total = weights + RUNTIME_GB
    return Figure(total, f'{total:.1f} GB', f'derived: {weights:.1f} GB of 16-bit weights and '
                  f'{RUNTIME_GB:.0f} GB beside them')


def expected_answer(device: Device, checkpoint: Checkpoint, precision: str, engine: str) -> Figure:
    """Return the milliseconds that an answer takes."""
    known = _measured(device, checkpoint, precision, engine)
    if known is not None:
        images = 2 * IMAGE_TOKENS
        total = (known.vision_ms * images / _VENDOR_IMAGE_TOKENS
                 + known.prefill_ms * (images + PROMPT_TOKENS) / _VENDOR_PROMPT_TOKENS
                 + ANSWER_TOKENS / known.tokens_s * 1e3)
        return Figure(total, f'{total:.0f} ms {_QUESTION}',
                      f'derived from rates on {device.figures_of}: {_VENDOR}')
    ours = OURS.get((device.name, checkpoint.name, precision))
    if ours is not None:
        return Figure(ours, f'{ours:.0f} ms for one look, one thread',
                      f'measured by us: model card of {checkpoint.name}')
    read = checkpoint.read_per_token_gb(precision)
    if read is None or not device.bandwidth_gb_s:
        return Figure(None, 'not known', 'nobody has measured it; rtrack benchmark grounding does')
    rate = min(device.bandwidth_gb_s * _ROOF_SHARE / read, _MOST_TOKENS_S)
    writing = ANSWER_TOKENS / rate * 1e3
    return Figure(writing, f'{writing:.0f} ms to write one box; no figure for the images before',
                  f'derived: {read:.2f} GB are read for a token, {device.figures_of} reads '
                  f'{device.bandwidth_gb_s:g} GB/s (its data sheet) and reaches '
                  f'{_ROOF_SHARE:.0%} of it, at most {_MOST_TOKENS_S:.0f} tokens/s')


def _with_the_same_gpu(device: Device) -> list[Device]:
    """Return a device, and after it those of the same compute capability."""
    alike = [other for other in DEVICES.values()
             if other.compute_capability == device.compute_capability and other != device]
    return [device, *alike]


def _measured(device: Device, checkpoint: Checkpoint, precision: str, engine: str
              ) -> Measured | None:
    if engine != 'edgellm':
        return None
    return MEASURED.get((device.name, checkpoint.listed_as, precision))
