"""Draws the frames of a scene on several processor cores, in order."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from os import sched_getaffinity

import cv2

from rtrack_ros.child_processes import end_with_parent
from rtrack_ros.data.pairs import DataError
from rtrack_ros.simulation import Scene, SimFrame

_AHEAD = 8
"""Frames drawn ahead of the reader; a 640x480 pair takes about 1 MB."""

_scene: Scene | None = None


def render_frames(scene: Scene, workers: int | None = None) -> Iterator[SimFrame]:
    """Yield the frames of a scene in order; the workers end with the iterator, however it ends.

    Args:
        scene: What to draw.
        workers: Number of processes; None takes one for every core, 1 draws in this process.

    Raises:
        DataError: a worker died, for want of memory perhaps.
    """
    count = len(sched_getaffinity(0)) if workers is None else workers
    if count <= 1:
        yield from scene
        return
    # A fresh interpreter: forking one in which OpenCV has threads can hang. Workers end by
    # themselves: one that is killed may hold a lock for which the others then wait for ever.
    pool = ProcessPoolExecutor(count, get_context('spawn'), _start, (scene,))
    try:
        waiting: deque[Future[SimFrame]] = deque()
        for index in range(len(scene)):
            waiting.append(pool.submit(_draw, index))
            if len(waiting) >= _AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DataError('a process that draws frames died, perhaps for want of memory; draw '
                        'smaller frames, or free memory') from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(scene: Scene) -> None:
    global _scene
    end_with_parent()
    _scene = scene
    cv2.setNumThreads(1)


def _draw(index: int) -> SimFrame:
    assert _scene is not None
    return _scene.frame(index)
