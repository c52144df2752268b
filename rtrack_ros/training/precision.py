"""Where training computes, and in which arithmetic: bfloat16 where the hardware has it.

A processor that must emulate bfloat16 takes several times longer for a step than in float32.
"""

import torch


def training_device() -> torch.device:
    """Return the first GPU, or the CPU where there is none."""
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def training_precision(device: torch.device | None = None) -> torch.autocast:
    """Return the context in which forward passes of training run.

    Args:
        device: Where they run; None for the CPU.
    """
    if device is not None and device.type == 'cuda':
        return torch.autocast('cuda', torch.bfloat16, enabled=torch.cuda.is_bf16_supported())
    native = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return torch.autocast('cpu', torch.bfloat16, enabled=native)
