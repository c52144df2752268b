"""Negated and counterfactual sentences: what they mean in a scene of which everything is known."""

import numpy as np
import pytest

from rtrack_ros.simulation import CONDITIONS, Scene, make_scene
from rtrack_ros.simulation.descriptions import checkable
from rtrack_ros.simulation.expressions import Sentence, Sighting, affirmed, draw_sentences
from rtrack_ros.simulation.negations import deny, draw_negations
from rtrack_ros.simulation.world import Actor

WIDTH = 640
STILL = np.zeros(2)


def actor(identity: int, category: str, upper: str, lower: str, x: float, z: float,
          speed: float = 0.0) -> Actor:
    """Return an actor who goes sideways at a speed in metres per second, to the right above 0."""
    places = np.array([[x - 10 * speed, z], [x + 10 * speed, z]])
    return Actor(identity, category, upper, lower, None, np.array([0.0, 20.0]), places, 1.0)


def seen(actor: Actor, column: float) -> Sighting:
    return Sighting(actor, (column - 10, 100.0, column + 10, 200.0), 10.0)


RED = actor(1, 'person', 'red', 'black', -3.0, 8.0, -1.0)
BLUE = actor(2, 'person', 'blue', 'grey', 3.0, 20.0, 1.0)
STANDING = actor(3, 'person', 'red', 'grey', 0.0, 20.0)
CAR = actor(4, 'car', 'red', '', 1.0, 12.0, 2.0)
PARKED = actor(5, 'car', 'white', '', -2.0, 14.0)
ACTORS = (RED, BLUE, STANDING, CAR, PARKED)
FRAME = [seen(RED, 100), seen(BLUE, 500), seen(STANDING, 300), seen(CAR, 400), seen(PARKED, 200)]


def ordinary(text: str) -> Sentence:
    """Return an ordinary sentence about ``ACTORS``, drawn as the world draws it."""
    for seed in range(400):
        for sentence in draw_sentences(np.random.default_rng(seed), ACTORS, WIDTH):
            if sentence.text == text:
                return sentence
    raise AssertionError(f'never drawn: {text}')


def meanings(frame: list[Sighting] = FRAME) -> dict[str, frozenset[int]]:
    return {sentence.text: sentence.ids(frame) for seed in range(150)
            for sentence in draw_negations(np.random.default_rng(seed), ACTORS, WIDTH)}


@pytest.mark.parametrize(('text', 'denials', 'kind', 'ids'), [
    ('the person in red', {'the person not in red', 'the person who is not in red'},
     'not colour', {2}),
    ('all people in red', {'all people not in red', 'all people who are not in red'},
     'not colour', {2}),
    ('the person with grey trousers', {'the person without grey trousers'}, 'not colour', {1}),
    ('the red car', {'the car that is not red'}, 'not colour', {5}),
    ('all white cars', {'all cars that are not white'}, 'not colour', {4}),
    ('the person in pink', {'the person not in pink', 'the person who is not in pink'},
     'not colour', {1, 2, 3}),
    ('the people walking to the left', {'the people not walking to the left',
                                        'the people who are not walking to the left'},
     'not motion', {2, 3}),
    ('the people standing still', {'the people not standing still',
                                   'the people who are not standing still'},
     'not motion', {1, 2}),
    ('the people on the left', {'the people not on the left',
                                'the people who are not on the left'}, 'not place', {2}),
    ('the cars on the left', {'the cars not on the left', 'the cars that are not on the left'},
     'not place', {4})])
def test_a_denial_means_the_others_of_its_class(text: str, denials: set[str], kind: str,
                                                ids: set[int]) -> None:
    sentence = ordinary(text)
    denied = [deny(np.random.default_rng(seed), sentence) for seed in range(30)]
    assert {item.text for item in denied} == denials
    assert {item.kind for item in denied} == {kind}
    assert all(item.ids(FRAME) == ids for item in denied)


@pytest.mark.parametrize('text', ['the people', 'everyone', 'the leftmost person', 'the dog',
                                  'the people left of the car'])
def test_what_would_have_no_clear_meaning_is_not_denied(text: str) -> None:
    assert deny(np.random.default_rng(0), ordinary(text)) is None


def test_behind_and_in_front_are_by_the_distance_from_the_camera() -> None:
    said = meanings()
    # The red car is at 12 m, the white one at 14 m: behind is farther than both.
    assert said['the people behind the car'] == {2, 3}
    assert said['the people in front of the car'] == said['the people before the car'] == {1}
    # The people are at 8 and 20 m: no car is behind all of them, none before.
    assert said['the cars behind the person'] == said['the cars before the person'] == set()


def test_nobody_is_behind_what_is_not_there() -> None:
    said = meanings()
    trucks = {text: ids for text, ids in said.items() if text.endswith('the truck')}
    assert {'the cars behind the truck', 'the person in front of the truck'} <= trucks.keys()
    assert set().union(*trucks.values()) == set()
    without_cars = meanings([item for item in FRAME if item.actor.category != 'car'])
    assert without_cars['the people behind the car'] == set()


def test_two_things_have_to_be_true_of_the_same_object() -> None:
    said = meanings()
    assert said['the person in red with grey trousers'] == {3}
    assert said['the person in red with black trousers'] == {1}
    assert said['the person in blue with black trousers'] == set()
    assert said['the person in red walking to the left'] == {1}
    assert said['the person in red walking to the right'] == set()
    assert said['the red car driving to the right'] == {4}


@pytest.mark.parametrize(('kind', 'by_day', 'at_night'), [
    ('not colour', True, False), ('not motion', True, True), ('not place', False, False),
    ('depth', False, False), ('conjunction', True, False)])
def test_a_close_view_decides_what_it_decides_of_the_ordinary_kind(kind: str, by_day: bool,
                                                                   at_night: bool) -> None:
    assert (checkable(kind, 'day'), checkable(kind, 'night')) == (by_day, at_night)
    assert affirmed('not colour') == 'colour' and affirmed('depth') == 'depth'


@pytest.fixture(scope='module')
def scenes() -> list[Scene]:
    return [make_scene(seed, seconds=6.0, conditions=CONDITIONS, fps=2) for seed in range(12)]


def test_scenes_have_every_kind_and_keep_their_ordinary_sentences(scenes: list[Scene]) -> None:
    kinds = {item.kind for scene in scenes for item in scene.negations}
    assert kinds == {'not colour', 'not motion', 'not place', 'depth', 'conjunction'}
    assert not kinds & {item.kind for scene in scenes for item in scene.expressions}
    again = make_scene(3, seconds=6.0, conditions=CONDITIONS, fps=2)
    assert again.negations == scenes[3].negations
    assert again.expressions == make_scene(3, 6.0, conditions=CONDITIONS, fps=2).expressions


def test_each_kind_is_at_times_true_and_at_times_of_nobody(scenes: list[Scene]) -> None:
    for kind in ('not colour', 'not motion', 'not place', 'depth', 'conjunction'):
        means = [bool(ids) for scene in scenes for item in scene.negations if item.kind == kind
                 for ids in item.ids]
        assert 0.05 < np.mean(means) < 0.98, kind


def test_all_words_but_one_are_tokens_of_nano(scenes: list[Scene]) -> None:
    pytest.importorskip('tokenizers')
    from rtrack_ros.training.models.tokenizer import vocabulary_words

    said = {word for scene in scenes for item in scene.negations for word in item.text.split()}
    assert said - set(vocabulary_words()) == {'without'}
