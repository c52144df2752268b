"""What is asked next, as a pure function of what is known."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.frames import FramePair
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.expected_gain import Worth
from rtrack_ros.scheduling.scheduler import Question, Schedule, Scheduler
from rtrack_ros.tracking.track import Belief, Track, TrackState

patiently = settings(max_examples=60, deadline=None,
                     suppress_health_check=[HealthCheck.too_slow])

SECOND = 1_000_000_000
IMAGE = np.zeros((480, 640, 3), np.uint8)
A, B, C = Query('a', 'x', 1), Query('b', 'y', 2), Query('c', 'z', 3)
CROPS = Schedule(full_frame_interval_s=2.0, crop_size=(256, 192))


def pair(seconds: float = 0.0) -> FramePair:
    return FramePair(round(seconds * SECOND), IMAGE, IMAGE[:, :, 0])


def track(query: Query, score: float = 0.95, state: TrackState = TrackState.CONFIRMED,
          box=(300.0, 200.0, 320.0, 240.0)) -> Track:
    return Track(1, box, (0.0, 0.0), score, 'person', (Belief(query.id, score, score, state, 0),))


def turns(scheduler: Scheduler, rounds) -> str:
    """Put the first question of every round of (queries, tracks); returns the ids asked."""
    asked = ''
    for queries, tracks in rounds:
        question = scheduler.questions(pair(), queries, tracks)[0]
        scheduler.asked(question, 0)
        asked += question.query.id
    return asked


def test_queries_take_turns_and_a_new_or_replaced_one_comes_first() -> None:
    scheduler = Scheduler()
    assert turns(scheduler, [((A, B), ())] * 4) == 'abab'
    assert turns(scheduler, [((A, Query('b', 'new', 4)), ())] * 2) == 'ba'
    assert turns(scheduler, [((A, Query('b', 'new', 4), C), ())] * 2) == 'cb'
    assert scheduler.questions(pair(), (), ()) == []


@pytest.mark.parametrize('doubt', [
    track(B, score=0.5), track(B, state=TrackState.LOST), track(B, state=TrackState.TENTATIVE)])
def test_a_doubtful_track_brings_its_query_forward_but_starves_no_other(doubt) -> None:
    rounds = [((A, B, C), ())] * 3 + [((A, B, C), (track(A), doubt, track(C)))] * 12
    asked = turns(Scheduler(), rounds)[3:]
    assert asked.count('b') > asked.count('a') >= 2 and asked.count('c') >= 2


def test_a_track_only_kept_for_its_id_changes_neither_turn_nor_region() -> None:
    gone = track(B, score=0.01, state=TrackState.LOST, box=(5.0, 5.0, 25.0, 45.0))
    assert turns(Scheduler(), [((A, B), (track(A), gone))] * 6) == 'ababab'
    scheduler = Scheduler(CROPS)
    assert ask(scheduler, 0.0, B).region is None
    assert ask(scheduler, 0.3, B, (track(B), gone)) == ask(scheduler, 0.6, B, (track(B),))
    assert ask(scheduler, 0.9, B, (track(B), gone)).region is not None


def test_a_query_without_tracks_waits_its_turn() -> None:
    assert turns(Scheduler(), [((A, B), (track(A),))] * 4) == 'abab'


@st.composite
def histories(draw):
    """Rounds in which queries are replaced and doubted at random."""
    count = draw(st.integers(1, 5))
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    return draw(st.lists(st.tuples(flags, flags), min_size=3 * count, max_size=40))


@patiently
@given(histories())
def test_no_query_starves_whatever_the_others_need(history) -> None:
    count = len(history[0][0])
    scheduler, epochs = Scheduler(), [0] * count
    waited = [0] * count
    for replaced, doubted in history:
        epochs = [epoch + new for epoch, new in zip(epochs, replaced, strict=True)]
        queries = [Query(str(i), 'x', epoch) for i, epoch in enumerate(epochs)]
        tracks = [track(query, 0.5 if doubt else 0.95)
                  for query, doubt in zip(queries, doubted, strict=True)]
        question = scheduler.questions(pair(), queries, tracks)[0]
        scheduler.asked(question, 0)
        waited = [0 if str(i) == question.query.id else wait + 1 for i, wait in enumerate(waited)]
        assert max(waited) < 2 * count


def ask(scheduler: Scheduler, seconds: float, query: Query = A, tracks=None) -> Question:
    question = scheduler.questions(pair(seconds), (query,), [track(query)] if tracks is None
                                   else tracks)[0]
    scheduler.asked(question, round(seconds * SECOND))
    return question


def test_sure_tracks_are_asked_about_enlarged_and_the_whole_image_at_intervals() -> None:
    scheduler = Scheduler(CROPS)
    whole = [ask(scheduler, 0.5 * turn).region is None for turn in range(10)]
    assert whole == [True, False, False, False] * 2 + [True, False]


@pytest.mark.parametrize('tracks', [
    [], [track(A, score=0.5)], [track(A), track(A, state=TrackState.LOST)],
    [track(A, box=(0.0, 0.0, 600.0, 400.0))]])
def test_without_tracks_or_with_doubtful_or_large_ones_the_whole_image_is_shown(tracks) -> None:
    scheduler = Scheduler(CROPS)
    assert [ask(scheduler, 0.1 * turn, tracks=tracks).region for turn in range(3)] == [None] * 3


def test_a_new_query_a_new_epoch_and_a_clock_that_jumps_back_get_the_whole_image() -> None:
    scheduler = Scheduler(CROPS)
    assert ask(scheduler, 10.0).region is None and ask(scheduler, 10.1).region is not None
    replaced = Query('a', 'other', 5)
    assert ask(scheduler, 10.2, replaced).region is None
    assert ask(scheduler, 10.3, replaced).region is not None
    assert ask(scheduler, 3.0, replaced).region is None


def test_tracks_of_other_queries_play_no_part() -> None:
    scheduler = Scheduler(CROPS)
    tracks = [track(A), track(B, score=0.1, box=(0.0, 0.0, 600.0, 400.0))]
    regions = [ask(scheduler, turn, tracks=tracks).region for turn in (0.0, 0.5)]
    assert regions == [None, (182, 124, 438, 316)]


def test_without_a_gain_from_crops_every_question_is_about_the_whole_image() -> None:
    scheduler = Scheduler()
    assert [ask(scheduler, 0.1 * turn).region for turn in range(5)] == [None] * 5


def test_the_question_shows_the_model_its_region() -> None:
    question = Question(A, (100, 50, 356, 242))
    assert question.view(pair()).rgb.shape == (192, 256, 3)
    assert question.view(pair()).thermal.shape == (192, 256)
    assert Question(A).view(pair()).region is None


def test_only_questions_about_the_same_images_are_put_together() -> None:
    close = (0, 0, 256, 192)
    shared = Scheduler(Schedule(queries_per_pair=3))
    whole = [Question(query) for query in (A, B, C, Query('d', 'w', 4))]
    assert shared.now(whole) == whole[:3]
    assert shared.now([Question(A), Question(B, close), Question(C)]) == [
        Question(A), Question(C)]
    assert shared.now([Question(A, close), Question(B, close)]) == [Question(A, close)]
    assert Scheduler().now(whole) == whole[:1]
    assert shared.now([]) == []


def test_the_time_since_a_question_is_that_of_the_stamps() -> None:
    scheduler = Scheduler()
    ask(scheduler, 5.0)
    assert scheduler.waited_ns(A, 7 * SECOND) == 2 * SECOND
    assert scheduler.waited_ns(A, 4 * SECOND) is None
    assert scheduler.waited_ns(Query('a', 'other', 9), 7 * SECOND) is None
    assert scheduler.waited_ns(B, 7 * SECOND) is None


@pytest.mark.parametrize(('crops', 'gains', 'expected'), [
    ('auto', True, (320, 256)), ('auto', False, None), ('always', False, (320, 256)),
    ('never', True, None)])
def test_a_schedule_uses_what_the_model_offers(crops, gains, expected) -> None:
    model = Capabilities('e', 'm', 'CPU', 'int8', 'rel1000', (320, 256), True, crops=gains)
    suited = Schedule(queries_per_pair=4).for_model(model, crops)
    assert (suited.crop_size, suited.queries_per_pair) == (expected, 1)


def test_sharing_is_used_where_it_is_offered() -> None:
    model = Capabilities('e', 'm', 'CPU', 'int8', 'rel1000', (320, 256), True, shares_images=True)
    assert Schedule(queries_per_pair=4).for_model(model).queries_per_pair == 4


def test_settings_with_which_nothing_works_are_refused() -> None:
    model = Capabilities('e', 'm', 'CPU', 'int8', 'rel1000', (320, 256), True)
    with pytest.raises(ValueError, match='auto, always, never'):
        Schedule().for_model(model, 'sometimes')
    with pytest.raises(ValueError, match='queries_per_pair'):
        Schedule(queries_per_pair=0)
    with pytest.raises(ValueError, match='deadline_s'):
        Schedule(deadline_s=0.0)


class TestWithADetector:
    """While a detector sees objects, they are asked about one by one."""

    def scheduler(self) -> Scheduler:
        return Scheduler(Schedule(worth=Worth()))

    def seen(self, stamp_ns: int) -> Track:
        return Track(7, (5.0, 5.0, 25.0, 45.0), (0.0, 0.0), 0.95, 'person', (), stamp_ns)

    def test_a_new_object_is_verified(self) -> None:
        (question,) = self.scheduler().questions(pair(1.0), [A], [self.seen(pair(1.0).stamp_ns)])
        assert [track.id for track in question.objects] == [7] and question.region is None

    def test_without_a_detector_or_a_model_that_verifies_the_image_is_asked_about(self) -> None:
        known = [self.seen(0)]
        assert self.scheduler().questions(pair(1.0), [A], known)[0].objects == ()
        seen = [self.seen(pair(1.0).stamp_ns)]
        assert Scheduler().questions(pair(1.0), [A], seen)[0].objects == ()

    def test_a_sentence_about_places_is_grounded(self) -> None:
        place = Query('a', 'the person on the left', 1)
        seen = [self.seen(pair(1.0).stamp_ns)]
        assert self.scheduler().questions(pair(1.0), [place], seen)[0].objects == ()

    def test_measured_times_decide(self) -> None:
        scheduler, seen = self.scheduler(), [self.seen(pair(1.0).stamp_ns)]
        (whole,) = scheduler.questions(pair(1.0), [A], seen)
        scheduler.asked(whole, pair(1.0).stamp_ns)
        (question,) = scheduler.questions(pair(1.0), [A], seen)
        assert question.objects
        scheduler.took(question, 30.0)
        assert scheduler.questions(pair(1.0), [A], seen)[0].objects == ()
