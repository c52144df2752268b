"""Draws the frames of a scene on several processor cores, in order."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from os import sched_getaffinity

import cv2

from rtrack_ros.simulation import Scene, SimFrame

_AHEAD = 8
"""Frames drawn ahead of the reader; a 640x480 pair takes about 1 MB."""

_scene: Scene | None = None


def render_frames(scene: Scene, workers: int | None = None) -> Iterator[SimFrame]:
    """Yield the frames of a scene in order.

    Args:
        scene: What to draw.
        workers: Number of processes; None takes one for every core, 1 draws in this process.
    """
    count = len(sched_getaffinity(0)) if workers is None else workers
    if count <= 1:
        yield from scene
        return
    # A fresh interpreter: forking one in which OpenCV has threads can hang.
    with ProcessPoolExecutor(count, get_context('spawn'), _start, (scene,)) as pool:
        waiting: deque[Future[SimFrame]] = deque()
        for index in range(len(scene)):
            waiting.append(pool.submit(_draw, index))
            if len(waiting) >= _AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _start(scene: Scene) -> None:
    global _scene
    _scene = scene
    cv2.setNumThreads(1)


def _draw(index: int) -> SimFrame:
    assert _scene is not None
    return _scene.frame(index)
