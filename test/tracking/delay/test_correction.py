"""What an answer changes, without the tracker around it."""

import numpy as np
import pytest

from rtrack_ros.detections import Detection, Detections
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.tracking.appearance.histogram import Appearance
from rtrack_ros.tracking.belief import Certainty
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.delay.correction import AnsweredFrame, correct_past
from rtrack_ros.tracking.delay.observation import of_answer, of_detections
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.tracklet import Standing, Tracklet

VIEWS = Views(np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64), np.uint8), None, (0.1, 0.1),
              np.zeros((48, 64, 2), np.uint8))
FIRST, SECOND = (100.0, 100.0, 160.0, 220.0), (115.0, 100.0, 175.0, 220.0)


CONFIG, KEY = TrackerConfig(), ('default', 1)


def tracklet(number, existence=0.8):
    """An object that an answer to the sentence listed."""
    return Tracklet(number, 'person', Certainty(existence, {KEY: 1.0}), 0, {KEY: Standing(1, 0)})


def correct(boxes, listed, distinct_from=(), detected_ns=None):
    """Correct two tracks by an answer, or a detector, that lists ``listed``."""
    tracklets, stamp_ns = [tracklet(1), tracklet(2)], detected_ns or 0
    tracklets[0].distinct_from |= dict.fromkeys(distinct_from, 0)
    states = kalman.new_states(np.array(boxes), np.full((2, 4), 3.0))
    frame = Frame(stamp_ns, 0.1, VIEWS, (640, 480), states={1: states[0], 2: states[1]})
    seen = of_answer(Answer(0, 'default', 1, tuple(Grounding(box, 'person') for box in listed)),
                     CONFIG) if detected_ns is None else of_detections(
        Detections(stamp_ns, tuple(Detection(box, 'person', 0.9) for box in listed)), 0.1, CONFIG)
    return correct_past(seen, AnsweredFrame(frame, [], tracklets, states), CONFIG)


@pytest.mark.parametrize('seen', [FIRST, SECOND])
def test_of_two_tracks_on_one_object_the_older_stays(seen) -> None:
    correction = correct([FIRST, SECOND], [seen])
    assert correction.duplicates == [(1, 2)]
    assert [change.track_id for change in correction.changes] == [1 if seen == FIRST else 2]


def test_two_tracks_that_an_answer_listed_side_by_side_are_two_objects() -> None:
    assert correct([FIRST, SECOND], [FIRST], distinct_from=[2]).duplicates == []
    assert correct([FIRST, SECOND], [FIRST, SECOND]).duplicates == []


@pytest.mark.parametrize(('later_s', 'duplicates'), [(0.8, []), (1.2, [(1, 2)])])
def test_to_a_detector_they_are_two_for_as_long_as_one_may_hide_the_other(later_s, duplicates
                                                                         ) -> None:
    correction = correct([FIRST, SECOND], [FIRST], distinct_from=[2],
                         detected_ns=int(later_s * 1e9))
    assert correction.duplicates == duplicates


def test_tracks_far_apart_or_both_not_listed_are_no_duplicates() -> None:
    away = (400.0, 100.0, 460.0, 220.0)
    assert correct([FIRST, away], [FIRST]).duplicates == []
    correction = correct([FIRST, SECOND], [])
    assert correction.duplicates == []
    assert [track_id for track_id, _ in correction.unseen] == [1, 2]


def test_a_box_listed_twice_is_one_birth() -> None:
    almost = (401.0, 100.0, 461.0, 220.0)
    correction = correct([FIRST, SECOND], [FIRST, SECOND, (400.0, 100.0, 460.0, 220.0), almost])
    assert [change.track_id for change in correction.changes] == [1, 2, None]


@pytest.mark.parametrize(('gone', 'back'), [
    ((660.0, 100.0, 720.0, 220.0), (600.0, 104.0, 640.0, 222.0)),
    ((-90.0, 100.0, -30.0, 220.0), (0.0, 96.0, 52.0, 219.0)),
    ((300.0, 490.0, 360.0, 610.0), (296.0, 380.0, 361.0, 480.0))])
def test_an_object_that_left_the_image_is_found_again_at_the_same_edge(gone, back) -> None:
    near = (400.0, 200.0, 460.0, 320.0)
    changes = correct([near, gone], [back]).changes
    assert [change.track_id for change in changes] == [2]


def test_an_object_that_left_by_one_edge_does_not_come_back_by_the_other() -> None:
    gone = (660.0, 100.0, 720.0, 220.0)
    changes = correct([FIRST, gone], [(0.0, 100.0, 40.0, 220.0)]).changes
    assert [change.track_id for change in changes] == [None]


@pytest.mark.parametrize(('existence', 'found'), [(0.8, 1), (0.05, None)])
def test_whether_a_track_was_lost_is_decided_on_the_frame_of_the_answer(existence, found) -> None:
    other = np.zeros(16, np.float32)
    other[3] = 1.0
    views = Views(VIEWS.rgb, VIEWS.grey, np.full((48, 64), 200, np.uint8), VIEWS.scale, VIEWS.fine)
    lost = tracklet(1, existence)
    lost.appearance = Appearance((None, None, other))
    state = kalman.new_states(np.array([FIRST]), np.full((1, 4), 3.0))[0]
    frame = Frame(0, 0.1, views, (640, 480), states={1: state})
    jumped = tuple(edge + shift for edge, shift in zip(FIRST, (50, 0, 50, 0), strict=True))
    answer = Answer(0, 'default', 1, (Grounding(jumped, 'person'),))
    known = AnsweredFrame(frame, [], [lost], state[None])
    changes = correct_past(of_answer(answer, CONFIG), known, CONFIG).changes
    assert [change.track_id for change in changes] == [found]
