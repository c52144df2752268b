"""Which sentences deny, and what they speak of and leave out."""

import numpy as np
import pytest

from rtrack_ros.language.denial import Denial, denial_in
from rtrack_ros.simulation import make_scene
from rtrack_ros.simulation.expressions import NOT, draw_sentences
from rtrack_ros.simulation.negations import deny, draw_negations


@pytest.mark.parametrize(('sentence', 'spoken_of', 'left_out'), [
    ('the person not in red', 'the person', 'the person in red'),
    ('The people NOT in red.', 'The people', 'The people in red'),
    ('people without grey trousers', 'people', 'people with grey trousers'),
    ('the cars that are not red', 'the cars', 'the red cars'),
    ('all the vehicles which are not red', 'all the vehicles', 'all the red vehicles'),
    ("the person who isn't walking", 'the person', 'the person walking'),
    ('the people who aren\N{RIGHT SINGLE QUOTATION MARK}t on the left',
     'the people', 'the people on the left'),
    ('the man not wearing a helmet', 'the man', 'the man wearing a helmet'),
    ("the man who doesn't wear a helmet", 'the man', 'the man who does wear a helmet'),
    ('the woman whose coat is not red', 'the woman', 'the woman whose coat is red'),
    ('the workers with no helmet', 'the workers', 'the workers with helmet'),
    ('the man in red but not walking', 'the man in red', 'the man in red walking'),
    ('the people in red, but not the man with a bag', 'the people in red', 'the man with a bag'),
    ('everyone except the man in red', 'everyone', 'the man in red'),
    ('everybody other than those on the left', 'everybody', 'everybody on the left'),
    ('all cars except for the red ones', 'all cars', 'all red cars'),
    ('all vehicles apart from trucks', 'all vehicles', 'trucks'),
    ('the animal that is not a dog', 'the animal', 'a dog'),
    ('the people not in red or blue', 'the people', 'the people in red or blue'),
    ('the person next to the car that is not red', 'the person next to the car',
     'the person next to the car that is red')])
def test_a_denial_is_two_sentences_that_do_not_deny(sentence, spoken_of, left_out) -> None:
    assert denial_in(sentence) == Denial(spoken_of, left_out)


@pytest.mark.parametrize('sentence', [
    '', 'not', 'the people', 'the person in red', 'nobody', 'no people', 'not the red car',
    'the nearest person not in red', 'the two people not in red', 'the other man not in red',
    'the person not far from the car', 'the person not only in red', 'not all people',
    'the people not in red and not in blue', 'the people not in red and the cars',
    'the person not in red, the car', 'the man who is neither tall nor small',
    'the man who never walks', 'the knot', 'the person in a notched hat', 'das Auto, nicht rot',
    'the people that cannot walk', 'the person who is no longer in red'])
def test_what_denies_nothing_or_is_too_involved_is_left_as_it_stands(sentence) -> None:
    assert denial_in(sentence) is None


@pytest.mark.parametrize(('sentence', 'spoken_of', 'left_out'), [
    ('the person not in red', 'every person', 'every person in red'),
    ('a bike rider who is not in red', 'every bike rider', 'every bike rider in red'),
    ('the people not in red', 'the people', 'the people in red'),
    ('everyone except the man in red', 'everyone', 'every man in red'),
    ('the forklift not in red', 'the forklift', 'the forklift in red')])
def test_of_a_kind_all_are_asked_for(sentence, spoken_of, left_out) -> None:
    assert denial_in(sentence).of_all() == Denial(spoken_of, left_out)


def test_the_denial_of_a_simulated_sentence_leaves_out_just_that_sentence() -> None:
    read = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        for sentence in draw_sentences(rng, make_scene(seed).actors, 640):
            denied = deny(rng, sentence)
            if denied is not None:
                denial = denial_in(denied.text)
                assert denial is not None and denial.left_out == sentence.text, denied.text
                read.add(denied.text)
    assert len(read) > 100


def test_other_counterfactual_sentences_deny_nothing() -> None:
    for seed in range(20):
        for sentence in draw_negations(np.random.default_rng(seed), make_scene(1).actors, 640):
            assert (denial_in(sentence.text) is not None) == sentence.kind.startswith(NOT)
