"""One identity per object: for all sentences, through their changes, and with a detector."""

import numpy as np
import pytest

from rtrack_ros.detections import Detection, Detections
from rtrack_ros.language.answers import Answer, Grounding, Verdict
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import TrackState, published
from rtrack_ros.tracking.track_book import Outcome
from rtrack_ros.tracking.tracker import Tracker

CONFIG = TrackerConfig(siamese_per_frame=0)
PEOPLE, RED = Query('default', 'the people', 1), Query('red', 'the person in red', 2)


@pytest.fixture
def world(make_world, make_path):
    return make_world([make_path(80, 60, 60, 10), make_path(420, 120, -50, 5),
                       make_path(250, 300, 20, -15, 80, 60)])


def answer(world, index: int, query: Query, which) -> Answer:
    boxes = world.boxes(index)
    return Answer(world.stamp(index), query.id, query.epoch,
                  tuple(Grounding(tuple(map(float, boxes[i])), 'person') for i in which))


def seen(world, index: int, which=(0, 1, 2), noise: float = 0.0, extra=(), word='thing'
         ) -> Detections:
    rng = np.random.default_rng(index)
    boxes = world.boxes(index)[list(which)] + rng.normal(0, noise, (len(which), 4))
    return Detections(world.stamp(index), tuple(
        Detection(tuple(map(float, box)), word, 0.9) for box in [*boxes, *extra]))


def meant(tracks, query: Query) -> set[int]:
    return {track.id for track in tracks
            if any(belief.query_id == query.id for belief in track.meanings)}


class TestSentences:
    """Ids stay with objects whatever is said about them."""

    def test_through_three_changes_of_sentence_every_object_keeps_its_id(self, world) -> None:
        tracker, ids = Tracker(CONFIG), []
        sentences = [Query('default', text, epoch) for epoch, text in
                     enumerate(('the people', 'the person in red', 'the people', 'everybody'), 1)]
        for number, query in enumerate(sentences):
            which = [1] if number == 1 else [0, 1, 2]
            for index in range(20 * number, 20 * number + 20):
                tracker.step(world.pair(index), [query])
                if index % 5 == 4:
                    assert tracker.apply(answer(world, index - 3, query, which)) is Outcome.APPLIED
            ids.append(meant(tracker.tracks(), query))
        assert len(ids[0]) == 3 and ids[0] == ids[2] == ids[3]
        assert len(ids[1]) == 1 and ids[1] < ids[0]
        assert tracker.counts.births == 3

    def test_two_sentences_over_the_same_people_share_tracks(self, world) -> None:
        tracker = Tracker(CONFIG)
        for index in range(40):
            tracker.step(world.pair(index), [PEOPLE, RED])
            if index % 4 == 3:
                query, which = ((PEOPLE, [0, 1, 2]), (RED, [1]))[index // 4 % 2]
                tracker.apply(answer(world, index - 2, query, which))
        tracks = tracker.tracks()
        assert len(tracks) == tracker.counts.births == 3
        assert len(meant(tracks, PEOPLE)) == 3 and len(meant(tracks, RED)) == 1

    def test_an_omission_by_one_sentence_leaves_the_other_alone(self, world) -> None:
        tracker, scores = Tracker(CONFIG), []
        for index in range(60):
            tracker.step(world.pair(index), [PEOPLE, RED])
            if index % 10 == 1:
                tracker.apply(answer(world, index, PEOPLE, [0, 1, 2]))
            if index % 10 == 5:
                tracker.apply(answer(world, index, RED, [1]))
            if index > 20:
                scores += [track.belief(PEOPLE.id).score for track in tracker.tracks()]
        assert min(scores) > 0.5 and tracker.counts.births == 3

    def test_a_removed_sentence_takes_only_its_meaning_along(self, world) -> None:
        tracker = Tracker(CONFIG)
        for index in range(10):
            tracker.step(world.pair(index), [PEOPLE, RED])
        tracker.apply(answer(world, 4, PEOPLE, [0, 1]))
        tracker.apply(answer(world, 4, RED, [1]))
        tracks = tracker.step(world.pair(10), [RED])
        assert len(meant(tracks, RED)) == 1 and meant(tracks, PEOPLE) == set()

    def test_an_object_that_no_sentence_means_is_forgotten_in_time(self, world) -> None:
        tracker = Tracker(CONFIG)
        for index in range(10):
            tracker.step(world.pair(index), [PEOPLE])
        tracker.apply(answer(world, 4, PEOPLE, [0]))
        assert len(tracker.step(world.pair(10), [])) == 1
        for index in range(11, 150):
            tracks = tracker.step(world.pair(index), [])
            assert published(tracks) == []
        assert tracks == []


class TestDetections:
    """A detector says what is there; a sentence says what is meant."""

    def follow(self, world, frames=range(45), config=CONFIG, **kwargs) -> Tracker:
        tracker = Tracker(config)
        for index in frames:
            tracker.step(world.pair(index), [PEOPLE])
            if index % 3 == 2:
                assert tracker.detect(seen(world, index - 2, **kwargs)) is Outcome.APPLIED
        return tracker

    def test_what_is_detected_is_followed_and_not_published(self, world) -> None:
        tracks = self.follow(world, noise=1.0).tracks()
        assert len(tracks) == 3 and published(tracks) == []
        assert {track.state for track in tracks} == {TrackState.UNMEANT}
        assert min(track.existence for track in tracks) > 0.85

    def test_a_sentence_gives_meaning_to_tracks_that_are_there(self, world) -> None:
        tracker = self.follow(world)
        before = {track.id for track in tracker.tracks()}
        tracker.apply(answer(world, 40, PEOPLE, [0, 2]))
        assert meant(tracker.tracks(), PEOPLE) < before
        assert len(meant(tracker.tracks(), PEOPLE)) == 2 and tracker.counts.births == 3

    def test_false_detections_once_each_do_not_last(self, world) -> None:
        tracker = Tracker(CONFIG)
        rng = np.random.default_rng(4)
        for index in range(60):
            tracker.step(world.pair(index), [PEOPLE])
            if index % 3 == 2:
                x, y = rng.uniform((0, 0), (560, 380))
                tracker.detect(seen(world, index, extra=[np.array([x, y, x + 50, y + 80])]))
        sure = [track for track in tracker.tracks() if track.existence > 0.8]
        assert len(sure) == 3

    def test_boxes_follow_the_detector(self, world) -> None:
        tracker = self.follow(world, noise=2.0)
        truth = world.boxes(44)
        found = np.array([track.box for track in sorted(tracker.tracks(), key=lambda t: t.id)])
        assert np.abs(found - truth).max() < 6.0

    def test_what_the_detector_leaves_out_for_long_is_given_up(self, world) -> None:
        tracker = self.follow(world)
        for index in range(45, 120):
            tracker.step(world.pair(index), [PEOPLE])
            if index % 3 == 2:
                tracker.detect(seen(world, index - 1, which=[0, 1]))
        assert len(tracker.tracks()) == 2

    def test_a_detector_that_invents_words_and_objects_fills_no_memory(self, world) -> None:
        tracker, rng = Tracker(CONFIG), np.random.default_rng(3)
        for index in range(120):
            tracker.step(world.pair(index), [PEOPLE])
            corner = rng.uniform((0, 0), (560, 380))
            words = [f'word {12 * index + place}' for place in range(12)]
            tracker.detect(Detections(world.stamp(index), (
                *seen(world, index, word=words[0]).detections,
                *(Detection((*corner, *corner + 40), word, 0.9) for word in words))))
        book = tracker._book
        assert len(book.spoken) <= 1000
        living = book.tracklets.keys()
        assert all(track.distinct_from.keys() <= living for track in book.tracklets.values())

    def test_what_was_given_up_is_shown_again_as_soon_as_it_is_seen_again(self, world) -> None:
        tracker, named = self.follow(world, word='person'), {'word': 'person'}
        assert len(published(tracker.tracks())) == 3
        for index in range(45, 105):
            tracker.step(world.pair(index), [PEOPLE])
            if index % 3 == 2:
                tracker.detect(seen(world, index - 1, which=[0, 1], **named))
        assert len(published(tracker.tracks())) == 2
        for index in range(105, 117):
            tracker.step(world.pair(index), [PEOPLE])
            if index % 3 == 2:
                tracker.detect(seen(world, index - 1, **named))
        assert len(published(tracker.tracks())) == 3
        assert tracker.counts.births == 3, 'it is known again, too'

    def test_a_detector_that_stops_is_not_missed(self, world) -> None:
        tracker = self.follow(world)
        tracker.apply(answer(world, 40, PEOPLE, [0, 1, 2]))
        ids = meant(tracker.tracks(), PEOPLE)
        for index in range(45, 120):
            tracker.step(world.pair(index), [PEOPLE])
            if index % 15 == 0:
                tracker.apply(answer(world, index - 5, PEOPLE, [0, 1, 2]))
        assert meant(tracker.tracks(), PEOPLE) == ids and len(ids) == 3

    def test_late_doubled_and_unknown_sets_are_counted_and_harmless(self, world) -> None:
        tracker = self.follow(world, range(30))
        late = Detections(world.stamp(0) - 10 ** 10, ())
        unknown = Detections(world.stamp(29) + 7, ())
        assert tracker.detect(late) is Outcome.LATE
        assert tracker.detect(unknown) is Outcome.UNKNOWN_FRAME
        assert tracker.detect(seen(world, 27)) is Outcome.DUPLICATE
        assert tracker.detect(seen(world, 20)) is Outcome.APPLIED, 'out of order'
        assert len(tracker.tracks()) == 3
        assert tracker.counts.detections[Outcome.LATE] == 1

    @pytest.mark.parametrize('order', [(6, 0, 3), (9, 6, 3, 0), (3, 0, 6)])
    def test_what_is_overtaken_begins_no_second_track(self, world, order) -> None:
        tracker = Tracker(CONFIG)
        for index in range(12):
            tracker.step(world.pair(index), [PEOPLE])
        for index in order:
            assert tracker.detect(seen(world, index)) is Outcome.APPLIED
        assert len(tracker.tracks()) == tracker.counts.births == 3
        assert min(track.existence for track in tracker.tracks()) > 0.8

    def test_of_answers_neither(self, world) -> None:
        tracker = Tracker(CONFIG)
        for index in range(12):
            tracker.step(world.pair(index), [PEOPLE])
        for index in (8, 2):
            tracker.apply(answer(world, index, PEOPLE, [0, 1, 2]))
        assert tracker.counts.births == 3

    def test_two_that_cannot_be_told_apart_are_there_all_the_same(self, make_world, make_path
                                                                  ) -> None:
        crowd = make_world([make_path(100, 60, 0, 0), make_path(112, 60, 0, 0)])
        tracker = Tracker(CONFIG)
        for index in range(45):
            tracker.step(crowd.pair(index), [PEOPLE])
            if index % 3 == 2:
                tracker.detect(seen(crowd, index - 2, which=(0, 1), noise=3.0))
        assert len(tracker.tracks()) == 2
        assert min(track.existence for track in tracker.tracks()) > 0.8

    def test_many_detections_in_a_row_say_little_more_than_one(self, world) -> None:
        often, seldom = Tracker(CONFIG), Tracker(CONFIG)
        for index in range(8):
            for tracker in (often, seldom):
                tracker.step(world.pair(index), [])
            often.detect(seen(world, index))
            if index % 7 == 0:
                seldom.detect(seen(world, index))
        one, other = (min(track.existence for track in tracker.tracks())
                      for tracker in (often, seldom))
        assert abs(one - other) < 0.05


class TestNames:
    """A detector's class names are words: for a sentence of their kind, and against others."""

    def follow(self, world, query: Query, word: str, frames=range(45), tracker=None) -> Tracker:
        tracker = tracker or Tracker(CONFIG)
        for index in frames:
            tracker.step(world.pair(index), [query])
            if index % 3 == 2:
                tracker.detect(seen(world, index - 2, noise=1.0, word=word))
        return tracker

    def test_a_sentence_that_says_no_more_needs_no_model(self, world) -> None:
        tracks = published(self.follow(world, PEOPLE, 'person').tracks())
        assert len(tracks) == 3 and min(track.score for track in tracks) > 0.8

    @pytest.mark.parametrize('text', ['the person in red', 'the forklift', 'the horse'])
    def test_a_sentence_that_says_more_or_something_else_does(self, world, text) -> None:
        tracker = self.follow(world, Query('default', text, 1), 'person')
        assert len(tracker.tracks()) == 3 and published(tracker.tracks()) == []

    def test_a_model_that_takes_people_for_a_horse_is_not_believed(self, world) -> None:
        horse = Query('default', 'the horse', 1)
        tracker = self.follow(world, horse, 'person')
        for index in range(45, 90):
            tracks = tracker.step(world.pair(index), [horse])
            if index % 3 == 2:
                tracker.detect(seen(world, index - 2, noise=1.0, word='person'))
            if index % 15 == 0:
                tracker.apply(answer(world, index - 4, horse, [1]))
            assert published(tracks) == []
        assert tracker.counts.births == 3

    def test_the_model_may_still_say_who_is_meant(self, world) -> None:
        tracker = self.follow(world, RED, 'person')
        for index in (38, 42):
            tracker.apply(answer(world, index, RED, [1]))
        (track,) = published(tracker.tracks())
        assert track.score > 0.5

    def test_the_model_may_deny_what_the_detector_calls_so(self, world) -> None:
        tracker = self.follow(world, PEOPLE, 'person')
        wrong = published(tracker.tracks())[0].id
        for index in (32, 36, 40, 44):
            tracker.judge(Verdict(world.stamp(index), PEOPLE.id, PEOPLE.epoch, wrong, 0.05))
        assert wrong not in {track.id for track in published(tracker.tracks())}

    def test_a_new_sentence_means_at_once_what_was_called_so_before(self, world) -> None:
        tracker = self.follow(world, RED, 'person')
        ids = {track.id for track in tracker.tracks()}
        new = Query('default', 'everybody', 7)
        assert meant(tracker.step(world.pair(45), [new]), new) == ids

    def test_a_box_of_the_model_alone_is_doubted_beside_a_detector_that_knows_its_kind(
            self, world) -> None:
        tracker, lone = self.follow(world, PEOPLE, 'person'), np.array([560.0, 20.0, 620, 120])
        shown = 0
        for index in range(45, 150):
            tracks = published(tracker.step(world.pair(index), [PEOPLE]))
            shown += any(abs(track.box[0] - lone[0]) < 40 and track.box[1] < 60
                         for track in tracks)
            if index % 3 == 2:
                tracker.detect(seen(world, index - 2, noise=1.0, word='person'))
            if index % 9 == 0:
                said = answer(world, index - 4, PEOPLE, [0, 1, 2])
                tracker.apply(Answer(said.stamp_ns, said.query_id, said.epoch, (
                    *said.groundings, Grounding(tuple(lone), 'person'))))
        assert shown < 0.35 * 105

    def test_what_was_called_a_person_does_not_become_a_truck_beside_it(self, world) -> None:
        tracker = self.follow(world, PEOPLE, 'person')
        before = {track.id: track.box for track in tracker.tracks()}
        box = world.boxes(45)[0] + [20, 30, 20, 10]
        tracker.step(world.pair(45), [PEOPLE])
        tracker.detect(Detections(world.stamp(45), (Detection(tuple(map(float, box)), 'truck',
                                                              0.9),)))
        after = {track.id: track.box for track in tracker.tracks()}
        assert len(after) == 4
        assert all(abs(after[key][1] - before[key][1]) < 4 for key in before)

    @pytest.mark.parametrize(('score', 'lasts'), [(0.9, True), (0.4, False)])
    def test_what_is_seen_half_of_the_time_lasts_if_it_is_seen_surely(self, world, score,
                                                                      lasts) -> None:
        tracker, lone = Tracker(CONFIG), (560.0, 20.0, 620.0, 120.0)
        for index in range(90):
            tracker.step(world.pair(index), [PEOPLE])
            if index % 6 == 0:
                extra = () if index % 12 else (Detection(lone, 'person', score),)
                known = seen(world, index, word='person')
                tracker.detect(Detections(known.stamp_ns, known.detections + extra))
        assert any(track.box[0] > 500 and track.box[1] < 60 and track.score > 0.3
                   for track in published(tracker.tracks())) is lasts

    def test_the_order_of_names_does_not_matter_much_and_the_majority_counts(self, world) -> None:
        tracker = Tracker(CONFIG)
        for index in range(60):
            tracker.step(world.pair(index), [PEOPLE])
            if index % 3 == 2:
                word = 'horse' if index % 12 == 2 else 'person'
                tracker.detect(seen(world, index - 2, noise=1.0, word=word))
        assert len(published(tracker.tracks())) == 3


class TestVerdicts:
    """The model's yes or no about one track."""

    def judged(self, world, probability: float, times: int = 2):
        tracker = TestDetections().follow(world)
        ids = sorted(track.id for track in tracker.tracks())
        for turn in range(times):
            assert tracker.judge(Verdict(world.stamp(30 + 5 * turn), PEOPLE.id, PEOPLE.epoch,
                                         ids[1], probability)) is Outcome.APPLIED
        return tracker, ids[1]

    def test_a_yes_publishes_the_object(self, world) -> None:
        tracker, track_id = self.judged(world, 0.95)
        (track,) = published(tracker.tracks())
        assert track.id == track_id and track.score > 0.8

    @pytest.mark.parametrize(('word', 'shown'), [('person', False), ('thing', True)])
    def test_of_what_a_detector_never_saw_a_yes_says_nothing_if_it_knows_the_kind(
            self, world, word, shown) -> None:
        tracker, lone = Tracker(CONFIG), np.array([560.0, 20.0, 620, 120])
        for index in range(75):
            tracks = tracker.step(world.pair(index), [PEOPLE])
            mine = [track.id for track in tracks if track.box[0] > 520 and track.box[1] < 60]
            if index % 3 == 2:
                tracker.detect(seen(world, index - 2, word=word))
            if index == 30:
                tracker.apply(Answer(world.stamp(29), PEOPLE.id, PEOPLE.epoch,
                                     (Grounding(tuple(lone), 'person'),)))
            if index % 9 == 8 and mine:
                tracker.judge(Verdict(world.stamp(index - 1), PEOPLE.id, PEOPLE.epoch, mine[0],
                                      0.95))
        assert any(track.box[0] > 520 and track.box[1] < 60
                   for track in published(tracker.tracks())) is shown

    def test_a_no_does_not_and_the_object_stays(self, world) -> None:
        tracker, track_id = self.judged(world, 0.05)
        assert published(tracker.tracks()) == []
        assert track_id in {track.id for track in tracker.tracks()}

    def test_a_no_takes_a_yes_back(self, world) -> None:
        tracker, track_id = self.judged(world, 0.95, times=1)
        for index in (38, 41, 44):
            tracker.judge(Verdict(world.stamp(index), PEOPLE.id, PEOPLE.epoch, track_id, 0.05))
        assert published(tracker.tracks()) == []

    def test_a_verdict_counts_on_the_frame_it_is_about(self, world) -> None:
        tracker, track_id = self.judged(world, 0.95, times=1)
        (track,) = published(tracker.tracks())
        assert track.confirmed_ns == world.stamp(30)

    def test_what_cannot_be_judged_is_refused_and_counted(self, world) -> None:
        tracker, _ = self.judged(world, 0.95)
        assert tracker.judge(Verdict(world.stamp(40), PEOPLE.id, PEOPLE.epoch, 999, 0.9)
                             ) is Outcome.UNKNOWN_TRACK
        assert tracker.judge(Verdict(world.stamp(40), PEOPLE.id, 77, 1, 0.9)
                             ) is Outcome.STALE_EPOCH
        assert tracker.counts.verdicts[Outcome.UNKNOWN_TRACK] == 1

    def test_one_wrong_answer_does_not_outweigh_many_verdicts(self, world) -> None:
        tracker, track_id = self.judged(world, 0.05, times=2)
        tracker.apply(answer(world, 43, PEOPLE, [1]))
        (track,) = [track for track in tracker.tracks() if track.id == track_id]
        assert track.belief(PEOPLE.id).score < CONFIG.min_score
