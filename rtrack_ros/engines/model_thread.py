"""The thread a model lives in: its own, at a lower priority than tracking."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_Inputs = ParamSpec('_Inputs')
_Result = TypeVar('_Result')


class ModelThread:
    """Runs calls one after another in one thread, which keeps its niceness.

    On Linux niceness belongs to a thread, and threads inherit it from the one that starts them.
    A model that is loaded and asked in this thread therefore has all its inference threads at
    this niceness, while the rest of the process keeps its own.

    Args:
        name: Thread name.
        niceness: Added to the niceness of the process, 0 to 19; raising it lets other threads go
            first where cores are scarce.
    """

    def __init__(self, name: str, niceness: int) -> None:
        self._executor = ThreadPoolExecutor(1, name, _lower_priority, (niceness,))

    def call(self, function: Callable[_Inputs, _Result], *args: _Inputs.args,
             **kwargs: _Inputs.kwargs) -> _Result:
        """Run ``function`` in the thread and return what it returns, or raise what it raises."""
        return self._executor.submit(function, *args, **kwargs).result()

    def close(self) -> None:
        """End the thread after its last call."""
        self._executor.shutdown()


def _lower_priority(niceness: int) -> None:
    if niceness > 0 and hasattr(os, 'setpriority'):
        thread = threading.get_native_id()
        current = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(current + niceness, 19))
