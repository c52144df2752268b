"""How answers change the existence and the state of a track."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.tracking.belief import Certainty, existence_of
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.existence import initial_existence, objectness_ratio
from rtrack_ros.tracking.track import TrackState
from rtrack_ros.tracking.tracklet import BoxStatus, Standing, Tracklet

CONFIG = TrackerConfig()
SECOND = 1_000_000_000


KEY = ('default', 1)


def tracklet(probability: float = 0.5) -> Tracklet:
    """An object that one answer listed, there and meant with this probability."""
    existence = existence_of(probability, CONFIG)
    return Tracklet(1, 'person', Certainty(existence, {KEY: probability / existence}), 0,
                    {KEY: Standing(1, 0)})


def state_of(track: Tracklet) -> TrackState:
    return track.standings[KEY].state


def update_state(track: Tracklet, stamp_ns: int) -> bool:
    return track.update_state(BoxStatus(stamp_ns, located=1.0, coasting_s=0.0, inside=1.0),
                              CONFIG.unmeant_existence, CONFIG)


def test_the_first_answer_to_a_query_gives_the_greatest_existence() -> None:
    assert initial_existence(math.inf, CONFIG) == CONFIG.max_initial_existence


def test_a_new_object_within_a_frame_of_an_answer_without_it_is_not_published() -> None:
    assert initial_existence(1 / 30, CONFIG) < CONFIG.min_score < initial_existence(0.45, CONFIG)


@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0))
def test_the_longer_since_an_answer_the_likelier_a_new_object(first: float,
                                                              second: float) -> None:
    earlier, later = sorted((first, second))
    assert 0.0 <= initial_existence(earlier, CONFIG) <= initial_existence(later, CONFIG)
    assert initial_existence(later, CONFIG) <= CONFIG.max_initial_existence


def test_birth_odds_are_those_of_arrivals_over_errors() -> None:
    config = TrackerConfig(birth_interval_s=1 / math.log(2), max_initial_existence=0.99,
                           accuracy=AnswerAccuracy(0.6, 0.3))
    # Within a second an object comes with probability one half.
    assert initial_existence(1.0, config) == pytest.approx(0.5)


@given(st.floats(0.0, 9.0), st.floats(0.0, 9.0))
def test_the_less_sure_the_edges_of_a_box_the_lower_its_existence(one, other) -> None:
    sharp, blurred = sorted((one, other))
    assert 0.0 < objectness_ratio([blurred]) <= objectness_ratio([sharp]) <= 1.0
    seen = objectness_ratio([sharp])
    assert initial_existence(0.5, CONFIG, seen) <= initial_existence(0.5, CONFIG)


def test_a_box_without_measurements_or_with_sharp_ones_keeps_its_existence() -> None:
    assert objectness_ratio([]) == 1.0
    assert initial_existence(math.inf, CONFIG, objectness_ratio([0.02, 0.03])) == pytest.approx(
        CONFIG.max_initial_existence, abs=1e-3)


def test_a_doubtful_new_track_waits_for_a_second_answer() -> None:
    track = tracklet(initial_existence(1 / 30, CONFIG))
    assert update_state(track, 0)
    assert state_of(track) is TrackState.TENTATIVE
    track.confirm(KEY, SECOND // 30, CONFIG)
    assert update_state(track, SECOND // 30)
    assert state_of(track) is TrackState.CONFIRMED


def test_a_refuted_new_track_ends() -> None:
    track = tracklet(initial_existence(1 / 30, CONFIG))
    track.contradict(KEY, SECOND // 30, 1.0, CONFIG)
    assert not update_state(track, SECOND // 30)


def test_a_known_track_keeps_its_id_while_its_object_does_not_match() -> None:
    track = tracklet()
    track.confirm(KEY, 0, CONFIG)
    for index in range(1, 6):
        track.contradict(KEY, index * SECOND // 2, 1.0, CONFIG)
        assert update_state(track, index * SECOND // 2)
    assert state_of(track) is TrackState.LOST
    assert track.certainty_at(5 * SECOND // 2, CONFIG).of(KEY) < CONFIG.min_existence
    track.confirm(KEY, 3 * SECOND, CONFIG)
    assert update_state(track, 3 * SECOND)
    assert state_of(track) is TrackState.CONFIRMED


def test_a_track_whose_object_no_longer_matches_ends_after_max_lost_s() -> None:
    track = tracklet()
    track.confirm(KEY, 0, CONFIG)
    for index in range(1, 6):
        track.contradict(KEY, index, 1.0, CONFIG)
    assert update_state(track, 10)
    assert not update_state(track, 10 + int((CONFIG.max_lost_s + 0.1) * SECOND))


def test_evidence_counts_by_stamp_not_by_arrival() -> None:
    orders = []
    for order in ((1, 2, 3), (3, 1, 2)):
        track = tracklet()
        for number in order:
            if number == 2:
                track.contradict(KEY, number * SECOND, 1.0, CONFIG)
            else:
                track.confirm(KEY, number * SECOND, CONFIG)
        orders.append(track.certainty_at(4 * SECOND, CONFIG).of(KEY))
    assert orders[0] == pytest.approx(orders[1])
    assert 0.5 < orders[0] < 1.0, 'two for it, one against it'
