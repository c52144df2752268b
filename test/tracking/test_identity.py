"""Identities over minutes, crossings and sentences that move from one object to another."""

import numpy as np
import pytest

from rtrack_ros.detections import Detection, Detections
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import published
from rtrack_ros.tracking.tracker import Tracker

SENTENCE = Query('default', 'the nearest thing', 1)


def answer(world, index: int, which) -> Answer:
    boxes = world.boxes(index)
    return Answer(world.stamp(index), 'default', 1, tuple(
        Grounding(tuple(map(float, boxes[i])), 'thing') for i in which))


def on_object(tracks, box) -> int | None:
    """Return the id of the published track that lies on a box."""
    for track in tracks:
        if np.abs(np.array(track.box) - box).max() < 15:
            return track.id
    return None


@pytest.mark.parametrize(('gone_s', 'same'), [(120, True), (400, False)])
def test_who_returns_after_two_minutes_has_the_id_of_before(make_world, make_path, gone_s,
                                                            same) -> None:
    world = make_world([make_path(200, 120, 0, 0), make_path(420, 120, 0, 0)])
    tracker, ids = Tracker(TrackerConfig(siamese_per_frame=0)), []
    back = 60 + 30 * gone_s
    frames = [*range(0, 60, 3), *range(60, back, 45), *range(back, back + 60, 3)]
    for turn, index in enumerate(frames):
        tracker.step(world.pair(index), [SENTENCE])
        there = index < 60 or index >= back
        if turn % 5 == 0 or 60 <= index < back:
            tracker.apply(answer(world, index, [0, 1] if there else [1]))
        if index in (57, back + 57):
            ids.append([on_object(published(tracker.tracks()), box)
                        for box in world.boxes(index)])
    assert None not in ids[0] + ids[1] and ids[0][1] == ids[1][1]
    assert (ids[0][0] == ids[1][0]) is same


def test_two_alike_that_cross_keep_their_ids_with_a_detector(make_world, make_path) -> None:
    world = make_world([make_path(60, 100, 90, 0), make_path(420, 112, -90, 0)],
                       hues=[(60, 0, -60), (60, 0, -60)])
    tracker, ids = Tracker(TrackerConfig(siamese_per_frame=0)), []
    for index in range(105):
        tracker.step(world.pair(index), [SENTENCE])
        boxes = world.boxes(index)
        if index % 3 == 0:
            # The one in front hides the other one while they overlap by half.
            apart = abs(boxes[0][0] - boxes[1][0]) > 30
            tracker.detect(Detections(world.stamp(index), tuple(
                Detection(tuple(map(float, boxes[i])), 'thing', 0.9)
                for i in ((0, 1) if apart else (1,)))))
        if index in (40, 100):
            ids.append([on_object(tracker.tracks(), box) for box in boxes])
    assert None not in ids[0] + ids[1]
    assert ids[0] == ids[1]


def test_a_sentence_that_moves_to_another_object_takes_no_id_along(make_world, make_path) -> None:
    world = make_world([make_path(100, 120, 0, 0), make_path(400, 120, 0, 0)])
    tracker, shown = Tracker(TrackerConfig(siamese_per_frame=0)), []
    for index in range(240):
        tracker.step(world.pair(index), [SENTENCE])
        if index % 10 == 0:
            tracker.apply(answer(world, index, [index // 80 % 2]))
        if index % 80 == 79:
            boxes = world.boxes(index)
            tracks = sorted(published(tracker.tracks()), key=lambda track: -track.score)
            shown.append((tracks[0].id, on_object(tracks[:1], boxes[len(shown) % 2])))
    assert all(first == on for first, on in shown), 'the surest is the one that is meant'
    assert shown[0][0] == shown[2][0] != shown[1][0]
    assert tracker.counts.births == 2


def test_doubt_is_said_while_somebody_is_hidden(make_world, make_path) -> None:
    world = make_world([make_path(100, 100, 40, 0), make_path(300, 112, -40, 0)])
    tracker, scores = Tracker(TrackerConfig(siamese_per_frame=0)), []
    everyone = Query('default', 'every person', 1)
    for index in range(90):
        tracker.step(world.pair(index), [everyone])
        boxes = world.boxes(index)
        if index % 3 == 0:
            apart = abs(boxes[0][0] - boxes[1][0]) > 35
            tracker.detect(Detections(world.stamp(index), tuple(
                Detection(tuple(map(float, boxes[i])), 'person', 0.9)
                for i in ((0, 1) if apart else (1,)))))
        if index in (40, 88):
            scores.append(sorted(track.score for track in tracker.tracks()))
    assert min(scores[0]) > 0.8
    assert scores[1][0] < 0.6 * scores[1][1], 'the one behind is doubted, the one in front is not'
