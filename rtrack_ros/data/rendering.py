"""Draws the frames of a scene on several processor cores, in order."""

from collections import deque
from collections.abc import Iterator
from multiprocessing import TimeoutError as WorkerTimeout
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult
from os import sched_getaffinity

import cv2

from rtrack_ros.data.pairs import DataError
from rtrack_ros.simulation import Scene, SimFrame

_AHEAD = 8
"""Frames drawn ahead of the reader; a 640x480 pair takes about 1 MB."""

_PATIENCE_S = 300.0
"""A frame takes some 20 ms; this long without one means that a worker died."""

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
    # A fresh interpreter: forking one in which OpenCV has threads can hang.
    with get_context('spawn').Pool(count, _start, (scene,)) as pool:
        waiting: deque[AsyncResult[SimFrame]] = deque()
        for index in range(len(scene)):
            waiting.append(pool.apply_async(_draw, (index,)))
            if len(waiting) >= _AHEAD * count:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())


def _result(frame: 'AsyncResult[SimFrame]') -> SimFrame:
    try:
        return frame.get(_PATIENCE_S)
    except WorkerTimeout as error:
        raise DataError(f'no frame was drawn for {_PATIENCE_S:.0f} s; a worker may have died for '
                        'want of memory') from error


def _start(scene: Scene) -> None:
    global _scene
    _scene = scene
    cv2.setNumThreads(1)


def _draw(index: int) -> SimFrame:
    assert _scene is not None
    return _scene.frame(index)
