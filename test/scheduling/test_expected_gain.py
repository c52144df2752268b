"""What is worth asking while a detector says where objects are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.language.queries import Query
from rtrack_ros.language.whole_image import needs_whole_image
from rtrack_ros.scheduling.expected_gain import Worth, entropy, information, objects_to_verify
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import Belief, Track, TrackState

RED, WORTH, CONFIG = Query('default', 'the person in red', 1), Worth(), TrackerConfig()
SECOND = 1_000_000_000


def track(number: int, meant: float | None, existence: float = 0.95,
          heard_ns: int = 9 * SECOND, prior: float = CONFIG.belief_prior) -> Track:
    beliefs = () if meant is None else (
        Belief(RED.id, meant, meant * existence, TrackState.UNMEANT, 0, heard_ns, prior),)
    return Track(number, (0.0, 0.0, 20.0, 40.0), (0.0, 0.0), existence, 'person', beliefs,
                 9 * SECOND)


def chosen(tracks, waited_s: float = 1.0, worth: Worth = WORTH,
           config: TrackerConfig = CONFIG) -> list[int]:
    return [item.id for item in objects_to_verify(RED, tracks, 10 * SECOND, waited_s, worth,
                                                  config)]


@given(st.floats(0.001, 0.999), st.floats(0.5, 0.98), st.floats(0.02, 0.5))
def test_information_lies_between_nothing_and_the_entropy(meant, detected, false) -> None:
    bits = information(meant, AnswerAccuracy(detected, false))
    assert 0.0 <= bits <= entropy(meant) + 1e-12


def test_a_question_whose_answer_is_known_gives_nothing() -> None:
    perfect = AnswerAccuracy(0.99, 0.01)
    assert information(0.5, perfect) > 0.9 > 0.05 > information(0.999, perfect)
    assert information(0.4, AnswerAccuracy(0.5, 0.5)) == pytest.approx(0.0)


def test_new_objects_and_those_near_the_threshold_come_first() -> None:
    tracks = [track(1, 0.99), track(2, 0.5), track(3, None), track(4, 0.01), track(5, 0.97)]
    worth = Worth(most_objects=2)
    assert set(chosen(tracks, worth=worth)) == {2, 3}


def test_a_sure_object_is_asked_about_again_when_its_time_is_up() -> None:
    worth = Worth(most_objects=1)
    assert chosen([track(1, 0.98), track(2, 0.98, heard_ns=1)], worth=worth) == [2]


def test_what_is_probably_nothing_comes_last() -> None:
    assert chosen([track(1, None, existence=0.2), track(2, None)],
                  worth=Worth(most_objects=1)) == [2]


def test_when_all_is_sure_the_whole_image_is_worth_more() -> None:
    sure = [track(number, 0.99) for number in range(5)]
    assert chosen(sure, waited_s=5.0) == []
    assert chosen([], waited_s=0.0) == []


def test_the_cheaper_question_is_asked() -> None:
    tracks = [track(number, None) for number in range(8)]
    assert chosen(tracks, worth=Worth(ground_s=0.6, verify_s=0.05))
    assert not chosen(tracks, worth=Worth(ground_s=0.05, verify_s=0.5))


def test_the_longer_nothing_was_grounded_the_more_it_is_worth() -> None:
    tracks = [track(1, 0.9)]
    assert chosen(tracks, waited_s=0.0) == [1]
    assert chosen(tracks, waited_s=math.inf) == []


def test_an_engine_that_takes_no_time_is_asked_about_everything() -> None:
    tracks = [track(1, 0.5), track(2, 0.9)]
    assert chosen(tracks, worth=Worth(ground_s=0.0, verify_s=0.0)) == []
    assert chosen(tracks, worth=Worth(ground_s=0.5, verify_s=0.0)) == [1, 2]


def test_what_a_detector_calls_something_else_is_not_asked_about_again() -> None:
    car = track(1, 0.004, heard_ns=1, prior=0.004)
    assert chosen([car, track(2, 0.98, heard_ns=1)], worth=Worth(most_objects=1)) == [2]


@pytest.mark.parametrize(('settings', 'grounded'), [
    ({}, False), ({'detector_recall': 0.1}, True), ({'birth_interval_s': 0.2}, True)])
def test_the_settings_of_the_tracker_say_what_the_detector_misses(settings, grounded) -> None:
    tracks = [track(1, 0.8), track(2, 0.8)]
    config = TrackerConfig(**settings)
    assert (chosen(tracks, waited_s=4.0, config=config) == []) is grounded


@pytest.mark.parametrize(('sentence', 'whole'), [
    ('the person in red', False), ('people with a backpack', False), ('the cyclist', False),
    ('the person on the left', True), ('the two people walking', True),
    ('the nearest car', True), ('the person behind the truck', True),
    ('the people walking to the left', False), ('the cyclists riding to the right', False),
    ('the person on the left walking to the right', True), ('people left of the car', True),
    ('the tallest man', True), ('the dog next to the car', True), ('somebody walking', False)])
def test_sentences_of_place_count_and_degree_need_the_whole_image(sentence, whole) -> None:
    assert needs_whole_image(sentence) is whole
