"""Target sight: the eye finds a target again, and the network has a say where it knows it."""

import numpy as np
import pytest

from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.tracker import Tracker

TARGET = Query('it', 'thing', 1, by_template=True)
SENTENCE = Query('it', 'thing', 1)


def begin(world, query=TARGET, number: int = 0, **settings) -> Tracker:
    tracker = Tracker(TrackerConfig(**settings))
    tracker.step(world.pair(0), [query])
    box = tuple(world.boxes(0)[number].tolist())
    tracker.apply(Answer(world.stamp(0), 'it', 1, (Grounding(box, 'thing'),)))
    return tracker


def small(x, y, reach):
    """Return the path of a box of 12 x 8 pixels that is thrown about, as by a shaken camera."""
    def path(seconds):
        step = round(seconds * 30)
        dx, dy = reach * np.sin(2.1 * step), reach * np.cos(1.7 * step) - reach
        return np.array([x + dx, y + dy, x + dx + 12, y + dy + 8])
    return path


def test_a_small_target_is_followed_without_answers_through_jumps(make_world):
    world = make_world([small(200, 150, 9)])
    tracker = begin(world)
    for index in range(1, 60):
        track, = tracker.step(world.pair(index), [TARGET])
        truth = world.boxes(index)[0]
        assert track.sighted
        assert np.abs(np.array(track.box) - truth).max() < 5


def test_only_targets_have_an_eye_of_their_own(make_world, make_path):
    world = make_world([make_path(80, 60, 30, 0)])
    tracker = begin(world, SENTENCE)
    track, = tracker.step(world.pair(1), [SENTENCE])
    assert not track.sighted and not tracker._sight._watched


def test_sight_lasts_longer_than_existence_without_answers(make_world, make_path):
    world = make_world([make_path(80, 60, 2, 0)])
    tracker, blind = begin(world), begin(world, SENTENCE)
    for index in range(1, 400):
        seen, = tracker.step(world.pair(index), [TARGET])
        forgotten = blind.step(world.pair(index), [SENTENCE])
    assert seen.score > 0.5
    assert not forgotten or forgotten[0].score < 0.3


def test_an_answer_elsewhere_takes_the_eye_along(make_world, make_path):
    world = make_world([make_path(80, 60, 10, 0), make_path(200, 80, 10, 0)])
    tracker = begin(world)
    for index in range(1, 10):
        tracker.step(world.pair(index), [TARGET])
    first, = tracker._sight._watched
    wanted = tuple(world.boxes(9)[1].tolist())
    tracker.apply(Answer(world.stamp(9), 'it', 1, (Grounding(wanted, 'thing'),)))
    for index in range(10, 30):
        tracks = tracker.step(world.pair(index), [TARGET])
    sighted = [track for track in tracks if track.sighted]
    assert any(track.box == pytest.approx(world.boxes(29)[1], abs=8) for track in sighted)
    assert first in {track.id for track in tracks}


def test_what_has_left_is_not_watched_for_ever(make_world, make_path):
    world = make_world([make_path(80, 60, 10, 0)])
    tracker = begin(world)
    tracker.step(world.pair(1), [TARGET])
    tracker.step(world.pair(2), [TARGET])
    assert tracker._sight._watched
    tracker.step(world.pair(3), [])
    assert not tracker._sight._watched


def test_frames_that_the_eye_did_not_see_make_it_learn_nothing_new(make_world, make_path):
    world = make_world([make_path(80, 60, 150, 20)])
    tracker = begin(world)
    for index in range(1, 10):
        tracker.step(world.pair(index), [TARGET])
    known = tracker._sight._watched[1].filter
    look, tracker._sight.look = tracker._sight.look, lambda *args: None
    for index in range(10, 20):
        tracker.step(world.pair(index), [TARGET])
    tracker._sight.look = look
    for index in range(20, 30):
        track, = tracker.step(world.pair(index), [TARGET])
    assert tracker._sight._watched[1].filter is known
    assert track.sighted and track.box == pytest.approx(world.boxes(29)[0], abs=6)


def test_without_the_network_the_eye_suffices(make_world, make_path):
    world = make_world([make_path(80, 60, 90, 20)])
    tracker = begin(world, siamese_per_frame=0)
    for index in range(1, 40):
        track, = tracker.step(world.pair(index), [TARGET])
    assert track.box == pytest.approx(world.boxes(39)[0], abs=6)
