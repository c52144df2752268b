"""What kind of thing a sentence means, and how a detector's class name stands to it."""

import pytest

from rtrack_ros.detectors.labels import COCO
from rtrack_ros.language.class_words import Agreement, class_of, differ, kind_of

SAME, ALIKE, OTHER = Agreement.SAME, Agreement.ALIKE, Agreement.OTHER


def agreement(sentence: str, label: str) -> Agreement | None:
    kind = kind_of(sentence)
    return None if kind is None else kind.agreement(label)


@pytest.mark.parametrize(('sentence', 'label', 'expected'), [
    ('the people', 'person', SAME), ('The People.', 'Person', SAME), ('everyone', 'person', SAME),
    ('the horse', 'person', OTHER), ('the people', 'horse', OTHER), ('the horse', 'cow', ALIKE),
    ('the man in the red jacket', 'person', SAME), ('the man on the horse', 'horse', OTHER),
    ('the horse with a rider', 'horse', SAME), ('the horse with a rider', 'person', OTHER),
    ('the red car', 'car', SAME), ('the red car', 'truck', ALIKE), ('the red car', 'dog', OTHER),
    ('all vehicles', 'bus', SAME), ('the truck behind the car', 'truck', SAME),
    ('the truck behind the car', 'person', OTHER), ('the cyclists', 'person', ALIKE),
    ('the cyclists', 'bicycle', ALIKE), ('the cyclists', 'car', OTHER),
    ('the people', 'cyclist', ALIKE), ('a group of people', 'person', SAME),
    ('the running man', 'person', SAME), ('people walking to the left', 'person', SAME),
    ('the left car', 'car', SAME), ('the two people in the image', 'person', SAME),
    ('every child with a backpack', 'backpack', OTHER), ('the stop sign', 'stop sign', SAME),
    ('the orange car', 'orange', OTHER), ('the person not in red', 'person', SAME),
    ('people and cars', 'car', SAME), ('people and cars', 'dog', OTHER),
    ('the black and white dog', 'dog', SAME), ('the knives', 'knife', SAME),
    ('the bus driver', 'person', SAME), ('the bus driver', 'bus', OTHER)])
def test_the_noun_at_the_head_is_held_against_the_class(sentence, label, expected) -> None:
    assert agreement(sentence, label) is expected


@pytest.mark.parametrize('sentence', [
    '', '...', 'the forklift', 'the paramedic near the car', 'the statue of a man', 'car park',
    'nobody', 'no people', 'not the people', 'everything but the people', 'all but the cars',
    'forklift carrying people', 'what is carried by a person', 'die Leute', 'the bus stop',
    'the group to the left', '的人', 'person detector', 'things that are not people',
    'the shadow of the dog', 'the forklift and the person'])
def test_what_is_not_known_for_certain_says_nothing(sentence) -> None:
    assert agreement(sentence, 'person') is None
    assert agreement(sentence, 'car') is None


@pytest.mark.parametrize('label', ['', '0', 'object', '/m/01g317', 'obstacle', 'Fussgänger'])
def test_an_unknown_class_says_nothing(label) -> None:
    assert agreement('the people', label) is None
    assert class_of(label) is None


@pytest.mark.parametrize('sentence', ['the people and the forklift', 'people or forklifts',
                                      'the man with a hat and a dog'])
def test_a_sentence_that_may_mean_more_rules_nothing_out(sentence) -> None:
    assert agreement(sentence, 'person') is SAME
    assert agreement(sentence, 'car') is None


@pytest.mark.parametrize(('sentence', 'every'), [
    ('the people', True), ('all people', True), ('people', True), ('everyone', True),
    ('every person', True), ('a dog', True), ('any car', True), ('all the pedestrians', True),
    ('the people in the image', True), ('people and cars', True), ('the vehicles', True),
    ('the person', False), ('the people in red', False), ('the red cars', False),
    ('the two people', False), ('the people on the left', False), ('the men', False),
    ('some people', False), ('people walking', False), ('the other people', False),
    ('these people', False), ('the person and the dog', False), ('the taxis', False)])
def test_a_sentence_that_says_no_more_means_every_object_of_its_kind(sentence, every) -> None:
    kind = kind_of(sentence)
    assert kind is not None and kind.every is every


@pytest.mark.parametrize(('first', 'second', 'expected'), [
    ('person', 'bicycle', True), ('man in red', 'person', False), ('car', 'person', True),
    ('person', 'worker', False), ('object', 'person', False), ('thing', 'forklift', False),
    ('car', 'truck', False), ('cyclist', 'person', False), ('', 'car', False)])
def test_words_differ_only_where_both_are_known(first, second, expected) -> None:
    assert differ(first, second) is differ(second, first) is expected


def test_every_class_of_coco_is_a_word_of_its_own() -> None:
    assert [class_of(name) for name in COCO] == list(COCO)
    assert all(agreement(f'the {name}', name) is SAME for name in COCO)
