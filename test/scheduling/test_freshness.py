"""Questions prefer pairs whose thermal image is of their own instant, and wait for no miracle."""

from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.frames import FramePair, ImageState, PairHealth
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import Query
from rtrack_ros.pipeline import TrackingPipeline
from rtrack_ros.scheduling.agenda import Agenda, Offer
from rtrack_ros.scheduling.scheduler import Scheduler

FRAME_NS, IMAGE = 33_333_333, np.zeros((8, 8, 3), np.uint8)
QUERY = Query('a', 'the dog', 1)


def pair(index: int, state: ImageState) -> FramePair:
    return FramePair(index * FRAME_NS, IMAGE, IMAGE[:, :, 0], health=PairHealth(thermal=state))


def slow(index: int, every: int = 4) -> FramePair:
    """Return a pair of a thermal camera that delivers every so many frames."""
    return pair(index, ImageState.HELD if index % every else ImageState.FRESH)


def asked(pairs: list[FramePair], busy: int) -> list[int]:
    """Return the frames that a model of one question per ``busy`` frames is asked about."""
    agenda, frames, item, until = Agenda(Scheduler(), 1), [], None, 0
    for index, newest in enumerate(pairs):
        agenda.offer(Offer(newest, (QUERY,), ()))
        if item is not None and index >= until:
            agenda.ended(item, well=True)
            item = None
        if item is None and (item := agenda.next_about_newest()):
            frames.append(round(item.pair.stamp_ns / FRAME_NS))
            until = index + busy
    return frames


@pytest.mark.parametrize('busy', [1, 3, 5, 9])
def test_every_question_is_about_a_fresh_pair(busy: int) -> None:
    frames = asked([slow(index) for index in range(80)], busy)
    assert all(frame % 4 == 0 for frame in frames)
    assert len(frames) >= 79 // max(4, busy + 3)


def test_with_both_cameras_at_full_rate_the_newest_pair_is_asked_about() -> None:
    assert asked([slow(index, every=1) for index in range(20)], 3) == list(range(0, 20, 3))


def test_a_camera_that_pauses_is_waited_for_no_longer_than_that() -> None:
    pairs = [slow(index) for index in range(8)] + [pair(index, ImageState.HELD)
                                                   for index in range(8, 40)]
    frames = asked(pairs, 1)
    assert frames[:2] == [0, 4]
    assert frames[2:] == list(range(12, 40)), 'a quarter of a second after the last fresh one'


def test_a_missing_thermal_image_is_not_waited_for() -> None:
    assert asked([pair(index, ImageState.MISSING) for index in range(5)], 1) == [0, 1, 2, 3, 4]


def test_a_dead_first_image_is_not_asked_about_and_a_dead_camera_is_after_a_while() -> None:
    first = [pair(0, ImageState.DEAD)] + [pair(index, ImageState.FRESH) for index in range(1, 4)]
    assert asked(first, 1) == [1, 2, 3]
    assert asked([pair(index, ImageState.DEAD) for index in range(12)], 1) == [8, 9, 10, 11]


def test_a_reset_forgets_that_a_fresh_pair_came() -> None:
    agenda = Agenda(Scheduler(), 1)
    agenda.offer(Offer(slow(0), (QUERY,), ()))
    agenda.withdraw()
    agenda.offer(Offer(slow(7), (QUERY,), ()))
    agenda.offer(Offer(slow(15), (QUERY,), ()))
    assert agenda.next_about_newest() is not None


class Recorder:
    def __init__(self) -> None:
        self.fresh: list[bool] = []

    def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
        self.fresh.append(pair.thermal_fresh)
        return Answer(pair.stamp_ns, query.id, query.epoch, ())


def test_a_file_is_asked_about_at_fresh_pairs_too(make_world, make_path) -> None:
    world, recorder = make_world([make_path(100, 100, 30, 0)]), Recorder()
    pipeline = TrackingPipeline(recorder, synchronous=True, ask_interval_s=0.3)
    pipeline.set_query('all objects')
    for index in range(45):
        pipeline.push(replace(world.pair(index), health=PairHealth(
            thermal=ImageState.HELD if index % 4 else ImageState.FRESH)))
    assert recorder.fresh == [True] * 4


def test_the_first_pair_with_thermal_is_asked_about_at_once(make_world, make_path) -> None:
    world, recorder = make_world([make_path(100, 100, 30, 0)]), Recorder()
    pipeline = TrackingPipeline(recorder, synchronous=True, ask_interval_s=0.3)
    pipeline.set_query('all objects')
    for index in range(18):
        whole = world.pair(index)
        pipeline.push(whole if index in range(2, 5) or index >= 13 else replace(
            whole, thermal=None, health=PairHealth(thermal=ImageState.MISSING)))
    assert recorder.fresh == [False, True, False, True], 'frames 0, 2, 11 and 13'
