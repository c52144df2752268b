"""Descriptions: true to the scene, in words the model has, and read back without change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.simulation import CONDITIONS, Scene, make_scene
from rtrack_ros.simulation.descriptions import (
    COLOURLESS,
    Attributes,
    attributes_of,
    describe_sighting,
    read_attributes,
)
from rtrack_ros.simulation.palette import CLOTHES

COLOURS = st.sampled_from(['', *CLOTHES])
MOTIONS = st.sampled_from(['', 'left', 'right', 'near', 'far', 'still'])


@pytest.fixture(scope='module')
def scenes() -> list[Scene]:
    return [make_scene(seed, seconds=4.0, fps=2) for seed in range(8)]


def test_a_scene_is_described_in_words_that_are_tokens_of_nano(scenes: list[Scene]) -> None:
    pytest.importorskip('tokenizers')
    from rtrack_ros.training.models.tokenizer import vocabulary_words

    words = set(vocabulary_words())
    said = {describe_sighting(item, condition) for scene in scenes for item in scene.sightings(3)
            for condition in CONDITIONS}
    assert len(said) > 20
    assert {word for sentence in said for word in sentence.split()} <= words


def test_a_description_says_what_the_actor_is_and_does(scenes: list[Scene]) -> None:
    for scene in scenes:
        for item in scene.sightings(5):
            read = read_attributes(describe_sighting(item, 'day'))
            assert read.category == item.actor.category and read.upper == item.actor.upper
            moving = item.actor.moving(item.seconds)
            assert read.motion == (item.actor.facing(item.seconds) if moving else 'still')


def test_no_colour_is_named_where_none_is_seen(scenes: list[Scene]) -> None:
    for condition in COLOURLESS:
        for item in scenes[0].sightings(0):
            named = attributes_of(item, condition)
            assert named.upper == named.lower == '' and named.category == item.actor.category


@pytest.mark.parametrize(('attributes', 'sentence'), [
    (Attributes('person', 'red', 'blue', 'left'),
     'person in red with blue trousers walking to the left'),
    (Attributes('car', 'black', '', 'right'), 'black car driving to the right'),
    (Attributes('car', motion='still'), 'car parked'),
    (Attributes('cyclist', 'green', '', 'still'), 'cyclist in green standing still'),
    (Attributes('person', motion='near'), 'person coming near'),
    (Attributes('person', motion='far'), 'person going away')])
def test_attributes_become_sentences(attributes: Attributes, sentence: str) -> None:
    assert attributes.sentence() == sentence


@given(st.sampled_from(['person', 'car', 'cyclist']), COLOURS, COLOURS, MOTIONS)
def test_sentences_are_read_back(category: str, upper: str, lower: str, motion: str) -> None:
    attributes = Attributes(category, upper, lower, motion)
    assert read_attributes(attributes.sentence()) == attributes


def test_other_wordings_are_read() -> None:
    assert read_attributes('A pedestrian in red.') == Attributes('person', 'red')
    assert read_attributes('the bike rider standing still').category == 'cyclist'
    assert read_attributes('') == Attributes()
