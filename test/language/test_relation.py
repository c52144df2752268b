"""Which sentences relate things by their place, and who stands so."""

import numpy as np
import pytest

from rtrack_ros.language.relation import Relation, relation_in
from rtrack_ros.simulation import make_scene
from rtrack_ros.simulation.expressions import draw_sentences
from rtrack_ros.simulation.negations import draw_negations


@pytest.mark.parametrize(('sentence', 'expected'), [
    ('the people left of the car', Relation('the people', 'every car', 'left of')),
    ('The people to the LEFT of the cars.', Relation('The people', 'the cars', 'left of')),
    ('the man in red on the right of a car',
     Relation('every man in red', 'every car', 'right of', of_any=True)),
    ('the car behind the truck', Relation('every car', 'every truck', 'behind')),
    ('the person who is right behind the red car',
     Relation('every person', 'every red car', 'behind')),
    ('the cyclists before the bus', Relation('the cyclists', 'every bus', 'in front of')),
    ('the people in front of any van', Relation('the people', 'every van', 'in front of',
                                                of_any=True)),
    ('the people walking behind the forklift',
     Relation('the people walking', 'the forklift', 'behind'))])
def test_a_relation_is_who_to_what_and_how(sentence, expected) -> None:
    assert relation_in(sentence) == expected


@pytest.mark.parametrize('sentence', [
    '', 'the people', 'the people on the left', 'the people to the left', 'the bag left behind',
    'the car on the left of the image', 'the person in front of me', 'the man behind the wheel',
    'the nearest person behind the car', 'the person behind the nearest car',
    'the two people left of the car', 'the person behind the car on the left',
    'the person not behind the car', 'the people behind the car and the van',
    'the man next to the car', 'left of the car', 'the person behind each other',
    'the people left of the centre of the picture', 'behind', 'das Auto hinter dem Bus'])
def test_what_relates_nothing_or_is_too_involved_is_left_as_it_stands(sentence) -> None:
    assert relation_in(sentence) is None


MIDDLE, LEFT, NEAR = (100, 50, 140, 150), (10, 60, 50, 150), (110, 60, 170, 190)


@pytest.mark.parametrize(('how', 'box', 'anchors', 'expected'), [
    ('left of', LEFT, [MIDDLE], True), ('right of', LEFT, [MIDDLE], False),
    ('right of', MIDDLE, [LEFT], True), ('left of', MIDDLE, [LEFT, NEAR], False),
    ('left of', LEFT, [MIDDLE, NEAR], True), ('behind', MIDDLE, [NEAR], True),
    ('behind', NEAR, [MIDDLE], False), ('in front of', NEAR, [MIDDLE, LEFT], True),
    ('in front of', MIDDLE, [NEAR, LEFT], False), ('behind', MIDDLE, [], False)])
def test_who_stands_so_is_said_by_geometry(how, box, anchors, expected) -> None:
    assert Relation('all', 'the cars', how).holds(box, anchors) is expected


def test_to_any_of_several_one_suffices() -> None:
    assert Relation('all', 'a car', 'left of', of_any=True).holds(MIDDLE, [LEFT, NEAR])
    assert not Relation('all', 'a car', 'left of', of_any=True).holds(MIDDLE, [])


def test_simulated_relations_mean_what_geometry_says_of_their_boxes() -> None:
    """Of people and cars on the ground, farther is higher: nearly all agree with the truth."""
    right = asked = 0
    for seed in range(30):
        scene = make_scene(seed, 2.0)
        seen = [item for item in scene.sightings(30) if item.box[3] < scene.height - 2]
        rng = np.random.default_rng(seed)
        for sentence in [*draw_sentences(rng, scene.actors, scene.width),
                         *draw_negations(rng, scene.actors, scene.width)]:
            relation = relation_in(sentence.text)
            assert (relation is not None) == (sentence.kind in ('relation', 'depth')
                                              and 'est ' not in sentence.text
                                              and 'most ' not in sentence.text), sentence.text
            if relation is None:
                continue
            whose = relation.anchor.split()[-1].rstrip('s')
            anchors = [item.box for item in seen if item.actor.category == whose]
            kind = next(category for category, words in KINDS.items()
                        if any(word in relation.spoken_of for word in words))
            found = {item.actor.id for item in seen if item.actor.category == kind
                     and item.box not in anchors and relation.holds(item.box, anchors)}
            asked += 1
            right += found == set(sentence.ids(seen))
    assert asked > 60 and right / asked > 0.9, (right, asked)


KINDS = {'cyclist': ('cyclist', 'bike rider'), 'person': ('person', 'people', 'pedestrian'),
         'car': ('car', 'vehicle')}
