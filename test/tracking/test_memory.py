"""Objects that are gone and return."""

import numpy as np
import pytest

from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.appearance.histogram import Appearance
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.memory import Departed, Memory
from rtrack_ros.tracking.track import published
from rtrack_ros.tracking.tracker import Tracker

CONFIG = TrackerConfig(memory_s=60.0)
SECOND = 1_000_000_000
BOX = np.array([100.0, 100.0, 150.0, 200.0])


def looks(colour: int, warmth: int | None = 3) -> Appearance:
    histogram, thermal = np.zeros(96, np.float32), np.zeros(16, np.float32)
    histogram[colour] = 1.0
    if warmth is not None:
        thermal[warmth] = 1.0
    return Appearance((histogram, histogram, None if warmth is None else thermal))


def remembering(*departed: tuple[int, Appearance]) -> Memory:
    memory = Memory()
    for number, appearance in departed:
        memory.keep(Departed(number, 'person', appearance, BOX, SECOND))
    return memory


def recall(memory, appearance, label='person', box=BOX, seconds=20.0, config=CONFIG):
    return memory.recall(label, appearance, box, round(seconds * SECOND), config)


def test_who_looks_the_same_is_known_again_once() -> None:
    memory = remembering((7, looks(5)), (8, looks(50)))
    assert recall(memory, looks(5)) == 7
    assert recall(memory, looks(5)) is None


@pytest.mark.parametrize(('change', 'why'), [
    ({'appearance': looks(6)}, 'another colour'),
    ({'appearance': looks(5, warmth=9)}, 'alike in RGB is not enough'),
    ({'appearance': None}, 'nothing to see'), ({'label': 'car'}, 'another word'),
    ({'seconds': 62.0}, 'too long ago'),
    ({'box': BOX + 5000.0}, 'too far away for the time')])
def test_who_cannot_be_the_same_is_new(change, why) -> None:
    given = {'appearance': looks(5)} | change
    assert recall(remembering((7, looks(5))), **given) is None, why


def test_doubt_between_two_gives_a_new_id() -> None:
    assert recall(remembering((7, looks(5)), (8, looks(5))), looks(5)) is None


def test_a_spectrum_that_one_was_not_seen_in_does_not_count() -> None:
    assert recall(remembering((7, looks(5, warmth=None))), looks(5)) == 7


def test_only_the_latest_hundred_are_kept() -> None:
    memory = remembering(*((number, looks(number % 90)) for number in range(1, 250)))
    assert len(memory) == 100


@pytest.mark.parametrize(('memory_s', 'same'), [(60.0, True), (0.0, False)])
def test_who_left_for_ten_seconds_gets_the_id_back(make_world, make_path, memory_s, same) -> None:
    world = make_world([make_path(200, 120, 0, 0), make_path(420, 120, 0, 0)])
    tracker = Tracker(TrackerConfig(siamese_per_frame=0, memory_s=memory_s, max_lost_s=1.0,
                                    history_length_s=2.0))
    query, ids = Query('default', 'the thing', 1), []
    for index in range(0, 450, 3):
        tracker.step(world.pair(index), [query])
        there = index < 60 or index > 400
        if index % 15 == 0:
            boxes = world.boxes(index) if there else world.boxes(index)[1:]
            tracker.apply(Answer(world.stamp(index), 'default', 1, tuple(
                Grounding(tuple(map(float, box)), 'thing') for box in boxes)))
            ids.append({track.id for track in published(tracker.tracks())})
    assert len(ids[3]) == len(ids[-1]) == 2 and len(ids[12]) == 1
    assert (ids[3] == ids[-1]) is same
    assert tracker.counts.returned == same
