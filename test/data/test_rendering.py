"""Frames drawn by several processes are those of one."""

from multiprocessing import active_children

import numpy as np
import pytest

from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.rendering import render_frames
from rtrack_ros.simulation import make_scene


def test_frames_of_two_processes_equal_those_of_one() -> None:
    scene = make_scene(1, seconds=0.5, fps=10, size=(160, 120), thermal_size=(80, 60))
    frames = list(render_frames(scene, workers=2))
    assert [frame.index for frame in frames] == list(range(5))
    for frame in frames:
        alone = scene.frame(frame.index)
        assert np.array_equal(frame.rgb, alone.rgb)
        assert np.array_equal(frame.thermal, alone.thermal)
        assert frame.objects == alone.objects


def test_no_worker_outlives_an_abandoned_iterator() -> None:
    before = set(active_children())
    frames = render_frames(make_scene(1, seconds=9, fps=10, size=(160, 120),
                                      thermal_size=(80, 60)), workers=2)
    next(frames)
    assert len(set(active_children()) - before) == 2
    frames.close()
    assert set(active_children()) == before


def test_a_worker_that_dies_is_told_at_once() -> None:
    before = set(active_children())
    frames = render_frames(make_scene(1, seconds=9, fps=10, size=(160, 120),
                                      thermal_size=(80, 60)), workers=2)
    next(frames)
    for worker in set(active_children()) - before:
        worker.kill()
    with pytest.raises(DataError, match='died'):
        list(frames)
    assert set(active_children()) == before
