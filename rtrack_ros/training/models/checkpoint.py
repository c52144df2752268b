"""Checkpoints of our own trainers: one file each."""

import pickle
from pathlib import Path
from typing import Any

import torch

from rtrack_ros.training.failure import TrainingError


def read_checkpoint(path: Path, device: torch.device | str = 'cpu') -> dict[str, Any]:
    """Return what a checkpoint holds.

    Args:
        path: File that ``torch.save`` wrote.
        device: Where its tensors go.

    Raises:
        TrainingError: it is damaged, by a failing disk for example.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f'{path} is damaged ({" ".join(str(error).split())[:200]}); remove '
                            'it, and the run begins anew') from error
    return state
