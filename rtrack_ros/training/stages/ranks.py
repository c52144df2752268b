"""What one process decides for all: a clock, a file on the disk, a limit that was reached.

Processes that decide such things each for itself drift apart: one leaves the loop, the others wait
for its gradients for ever.
"""

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import torch
import torch.distributed as dist
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

Value = TypeVar('Value')
_REFUSED: Final = 2
"""Exit status of the others where the first process refuses; it alone says why."""


def rank() -> int:
    """Return the number of this process among those that train, 0 where it is the only one."""
    return dist.get_rank() if _together() else int(os.environ.get('RANK', 0))


def together() -> int:
    """Return how many processes train this model."""
    return dist.get_world_size() if _together() else 1


def join() -> None:
    """Let the processes that a launcher such as torchrun started find each other."""
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        PartialState(cpu=not torch.cuda.is_available())


def decided_by_first(decide: Callable[[], Value]) -> Value:
    """Return what the first process decides, in all processes; only there it is worked out.

    To be called by all processes at the same place.

    Raises:
        Exception: what ``decide`` raised, in the first process.
        SystemExit: in the others then.
    """
    if not _together():
        return decide()
    found: list[Any] = [None, None]
    failure: Exception | None = None
    if dist.get_rank() == 0:
        try:
            found = [decide(), None]
        except Exception as error:
            failure, found = error, [None, str(error)]
    broadcast_object_list(found)
    if failure is not None:
        raise failure
    if found[1] is not None:
        raise SystemExit(_REFUSED)
    value: Value = found[0]
    return value


def _together() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
