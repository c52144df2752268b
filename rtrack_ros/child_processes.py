"""Processes that work for another one and end when that one does, however it ends."""

import multiprocessing
import os
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Let this process end as soon as the one that started it is gone.

    For the initializer of a pool. A process that is killed cannot tell its pool to end; its
    workers would wait for work for ever, and hold their memory.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), name='parent', daemon=True
                         ).start()


def _follow(parent: int) -> None:
    wait([parent])
    os._exit(1)
