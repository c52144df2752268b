"""The thread a network lives in: its own, at a lower priority than tracking."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

_Inputs = ParamSpec('_Inputs')
_Result = TypeVar('_Result')

NICENESS: Final = 10
"""Added by default: beside a tracker that wants all of a core, the network gets a tenth of it."""
NICEST: Final = 19


class ModelThread:
    """Runs calls one after another in one thread, which keeps its niceness.

    On Linux niceness belongs to a thread, and threads inherit it from the one that starts them.
    A model that is loaded and asked in this thread therefore has all its inference threads at
    this niceness, while the rest of the process keeps its own. No privilege is needed. On other
    systems niceness belongs to the whole process, tracking included, and is left alone.

    Args:
        name: Thread name.
        niceness: Added to the niceness of the process, 0 to 19; raising it lets other threads go
            first where cores are scarce.
    """

    def __init__(self, name: str, niceness: int) -> None:
        self._executor = ThreadPoolExecutor(1, name, lower_priority, (niceness,))

    def call(self, function: Callable[_Inputs, _Result], *args: _Inputs.args,
             **kwargs: _Inputs.kwargs) -> _Result:
        """Run ``function`` in the thread and return what it returns, or raise what it raises."""
        return self._executor.submit(function, *args, **kwargs).result()

    def niceness(self) -> int | None:
        """Return the niceness that the system gives the thread, None where threads have none."""
        return self.call(thread_niceness)

    def close(self) -> None:
        """End the thread after its last call."""
        self._executor.shutdown()


def lower_priority(niceness: int) -> None:
    """Add to the niceness of the calling thread, and of all threads that it starts from now on."""
    current = thread_niceness()
    if niceness > 0 and current is not None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(current + niceness, NICEST))


def thread_niceness() -> int | None:
    """Return the niceness of the calling thread, None where a thread has none of its own.

    Elsewhere than on Linux the number of a thread would be taken for that of some process.
    """
    if sys.platform != 'linux':
        return None
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def lower_session(process: int) -> None:
    """Give a session the niceness of the process that leads it; no other process changes it.

    Linux shares a core evenly among sessions, whatever the niceness within them; a session has a
    niceness of its own (sched(7), autogroups). Without it the tracker, in another session, would
    get half a core and no more.

    Args:
        process: Its number.
    """
    group = Path(f'/proc/{process}/autogroup')
    with suppress(OSError):  # it has ended, or a container forbids it
        if group.exists() and os.getsid(process) == process:
            group.write_text(str(os.getpriority(os.PRIO_PROCESS, process)), encoding='ascii')
