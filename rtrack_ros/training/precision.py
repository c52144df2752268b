"""The arithmetic of training: bfloat16 where the processor has it, else float32.

A processor that must emulate bfloat16 takes several times longer for a step than in float32.
"""

import torch


def training_precision() -> torch.autocast:
    """Return the context in which forward passes of training run."""
    native = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return torch.autocast('cpu', torch.bfloat16, enabled=native)
