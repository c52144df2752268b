"""What evidence says about an object, and about what a sentence means."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.language.class_words import kind_of
from rtrack_ros.tracking.belief import Certainty, Evidence, existence_of
from rtrack_ros.tracking.class_votes import ClassVotes
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.existence import confidence_weight

CONFIG = TrackerConfig()
RED, TALL = ('red', 1), ('tall', 2)
PROBABILITY = st.floats(0.01, 0.98)
RATIO = st.floats(0.05, 20.0)


def weighed(existence, meant, *evidence) -> Certainty:
    certainty = Certainty(existence, {RED: meant})
    for item in evidence:
        certainty.weigh(item, CONFIG)
    return certainty


@given(PROBABILITY, PROBABILITY, RATIO, RATIO)
def test_evidence_counts_as_the_three_cases_say(existence, meant, ratio, other) -> None:
    cases = {'meant': existence * meant * ratio, 'other': existence * (1 - meant) * other,
             'nothing': 1 - existence}
    total = sum(cases.values())
    after = weighed(existence, meant, Evidence(0, RED, ratio, other))
    assert after.existence == pytest.approx((cases['meant'] + cases['other']) / total, abs=6e-3)
    assert after.of(RED) == pytest.approx(cases['meant'] / total, abs=1.2e-2)


@given(st.floats(0.1, 0.8), st.floats(0.1, 0.8),
       st.lists(st.tuples(st.sampled_from([RED, None]), st.floats(0.5, 2.0)),
                min_size=2, max_size=4))
def test_at_one_instant_the_order_of_evidence_does_not_matter(existence, meant, said) -> None:
    results = {round(weighed(existence, meant, *(Evidence(0, key, ratio, ratio if key is None
                                                          else 1.0)
                                                 for key, ratio in order)).of(RED), 6)
               for order in itertools.permutations(said)}
    assert max(results) - min(results) < 1e-5


def test_an_answer_without_a_person_it_does_not_mean_says_nothing_against_the_person() -> None:
    omitted = Evidence(0, RED, CONFIG.accuracy.omitting_ratio)
    unmeant = weighed(0.9, 0.02, omitted)
    assert unmeant.existence == pytest.approx(0.9, abs=0.01)
    meant = weighed(0.9, 0.95, omitted)
    assert meant.existence < 0.75 and meant.of(RED) < 0.65 * 0.9 * 0.95


def test_a_sentence_says_of_another_one_only_that_the_object_is_there() -> None:
    certainty = Certainty(0.5, {RED: 0.7, TALL: 0.4})
    certainty.weigh(Evidence(0, RED, CONFIG.accuracy.confirming_ratio), CONFIG)
    assert certainty.existence > 0.6 and certainty.meant[RED] > 0.8
    assert certainty.meant[TALL] == 0.4


def test_a_detection_says_nothing_about_what_is_meant() -> None:
    certainty = weighed(0.5, 0.3, Evidence(0, None, 8.0))
    assert certainty.existence == pytest.approx(8 / 9)
    assert certainty.meant[RED] == 0.3


def test_what_was_given_up_and_is_detected_again_is_as_probable_as_a_new_object() -> None:
    assert weighed(1e-6, 0.9, Evidence(0, None, 2.0, least=0.2)).existence == 0.2
    assert weighed(0.5, 0.9, Evidence(0, None, 2.0, least=0.2)).existence == pytest.approx(2 / 3)


def test_evidence_of_meaning_alone_leaves_existence() -> None:
    after = weighed(0.4, 0.3, Evidence(0, RED, 19.0, there=False))
    assert after.existence == 0.4
    assert after.meant[RED] == pytest.approx(0.3 * 19 / (0.3 * 19 + 0.7), abs=1e-6)


def after_looks(*found: bool) -> float:
    """Return the existence after looks of a detector, from 0.9."""
    looks = [Evidence(0, None, CONFIG.detector_recall / CONFIG.detector_false_alarms, found=1.0)
             if seen else Evidence(0, None, (1 - CONFIG.detector_recall)
                                   / (1 - CONFIG.detector_false_alarms), found=-1.0)
             for seen in found]
    return weighed(0.9, 0.9, *looks).existence


def test_a_miss_of_an_object_that_is_hard_to_see_says_little() -> None:
    seen, half = [True] * 8, [True, False] * 8
    assert after_looks(*seen, False, False) < after_looks(*half, False, False)
    assert after_looks(*[False] * 3) < 0.06, 'never seen: missed at the rate of all objects'
    assert after_looks(*seen, *[False] * 12) < 0.2, 'and what is gone is given up'


@given(PROBABILITY, PROBABILITY, PROBABILITY)
def test_a_confirmed_object_is_at_least_as_probable_as_a_new_one(existence, meant, least) -> None:
    after = weighed(existence, meant, Evidence(0, RED, 3.4, least=least))
    assert after.of(RED) >= least - 1e-9
    assert 0 < after.existence < 1 and 0 < after.meant[RED] <= 1


def test_what_an_answer_got_wrong_is_an_object_or_nothing() -> None:
    assert existence_of(0.6, CONFIG) == pytest.approx(0.8)
    assert existence_of(1.0, CONFIG) == 1.0


def test_time_makes_everything_forgotten() -> None:
    certainty = Certainty(0.9, {RED: 0.95, TALL: 0.05})
    certainty.age(1e6, CONFIG)
    assert certainty.existence == pytest.approx(0.0, abs=1e-6)
    assert certainty.meant == pytest.approx({RED: CONFIG.belief_prior, TALL: CONFIG.belief_prior})


def test_a_clock_that_goes_back_forgets_nothing() -> None:
    certainty = Certainty(0.9, {RED: 0.95})
    certainty.age(-5.0, CONFIG)
    assert (certainty.existence, certainty.meant[RED]) == (0.9, 0.95)


def leaning(sentence: str, *votes: tuple[str, float]) -> float:
    said = ClassVotes()
    for word, weight in votes:
        said.add(word, weight)
    return said.leaning(kind_of(sentence), CONFIG)


def test_a_name_counts_for_every_object_of_a_kind_and_against_another_kind() -> None:
    assert leaning('the people', ('person', 1.0)) == pytest.approx(9.0)
    assert leaning('the horse', ('person', 1.0)) == pytest.approx(1 / 9)
    assert leaning('the person in red', ('person', 1.0)) == 1.0
    assert leaning('the people', ('object', 1.0)) == 1.0


def test_names_that_are_repeated_stop_counting_and_old_ones_fade() -> None:
    assert leaning('the people', *[('person', 1.0)] * 50) == pytest.approx(81.0)
    assert leaning('the horse', *[('person', 1.0)] * 50) == pytest.approx(1 / 729)
    assert leaning('the people', ('horse', 1.0), *[('person', 1.0)] * 9) > 80
    assert leaning('the people', *[('horse', 1.0)] * 5, *[('person', 1.0)] * 20) > 1


def test_a_detector_that_invents_words_fills_no_memory() -> None:
    said = ClassVotes()
    for number in range(5000):
        said.add(f'thing {number}', 1.0)
    assert len(said.weights) < 50 and said.word == 'thing 4999'


def share_of(odds: float) -> float:
    return odds / (1 + odds)


@given(PROBABILITY, PROBABILITY, RATIO, st.floats(0.01, 80.0))
def test_a_name_and_an_answer_count_in_either_order(existence, meant, ratio, lean) -> None:
    named = Certainty(existence, {RED: meant}, {RED: lean})
    named.weigh(Evidence(0, RED, ratio), CONFIG)
    # What answers say is never quite sure, however the object is called.
    said = min(share_of(meant / (1 - meant) * ratio), math.sqrt(0.99))
    assert named.share(RED) == pytest.approx(share_of(said / (1 - said) * lean), abs=1e-5)


def test_a_detection_counts_by_its_confidence() -> None:
    weights = [confidence_weight(score) for score in (0.0, 0.3, 0.5, 0.7, 1.0)]
    assert weights == pytest.approx([0.1, 0.1, 0.5, 1.0, 1.0])
