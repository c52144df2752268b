"""Referring expressions: sentences about a scene, and the objects each means in every frame.

A sentence is a claim that can be checked on one frame: class, colour, place, relation, motion
(seen from pose and heading), plural, or an object that is not there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rtrack_ros.simulation.palette import ABSENT_COLOURS, CLOTHES
from rtrack_ros.simulation.world import Actor

NOUNS: dict[str, tuple[tuple[str, str], ...]] = {
    'person': (('person', 'people'), ('pedestrian', 'pedestrians')),
    'car': (('car', 'cars'), ('vehicle', 'vehicles')),
    'cyclist': (('cyclist', 'cyclists'), ('bike rider', 'bike riders')),
}
"""Singular and plural nouns of each category."""

NOT = 'not '
"""Begins the kind of a denied sentence: 'not colour' denies one of the kind 'colour'."""

ABSENT_NOUNS = ('dog', 'bus', 'truck', 'horse', 'train', 'cat')


@dataclass(frozen=True)
class Expression:
    """A referring expression.

    Attributes:
        text: The sentence.
        kind: 'class', 'colour', 'place', 'relation', 'motion', 'plural' or 'nobody'; or one of
            ``negations``.
        ids: For every frame the IDs that are meant; an empty set means that nothing matches.
    """

    text: str
    kind: str
    ids: tuple[frozenset[int], ...]


@dataclass(frozen=True, eq=False)
class Sighting:
    """An actor as seen in one frame: box in RGB pixels, time in seconds."""

    actor: Actor
    box: tuple[float, float, float, float]
    seconds: float

    @property
    def column(self) -> float:
        """Centre column in pixels."""
        return (self.box[0] + self.box[2]) / 2

    @property
    def distance(self) -> float:
        """Metres ahead of the camera."""
        return self.actor.place(self.seconds)[1]


Meaning = Callable[[Sequence[Sighting]], Iterable[Sighting]]


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence with its meaning on the sightings of one frame."""

    text: str
    kind: str
    meaning: Meaning

    def ids(self, seen: Sequence[Sighting]) -> frozenset[int]:
        """Return the IDs meant among what is seen."""
        return frozenset(item.actor.id for item in self.meaning(seen))


def draw_expressions(seed: int, actors: Sequence[Actor], sightings: Sequence[Sequence[Sighting]],
                     width: int) -> tuple[Expression, ...]:
    """Return sentences of every kind about a scene.

    Args:
        seed: Fixes the wording and the choice.
        actors: The actors of the scene.
        sightings: What can be referred to, frame by frame.
        width: Image width in pixels, for left and right.
    """
    return evaluated(draw_sentences(np.random.default_rng((seed, 77)), actors, width), sightings)


def evaluated(sentences: Iterable[Sentence], sightings: Sequence[Sequence[Sighting]]
              ) -> tuple[Expression, ...]:
    """Return sentences with what each means in every frame."""
    return tuple(Expression(sentence.text, sentence.kind,
                            tuple(sentence.ids(seen) for seen in sightings))
                 for sentence in sentences)


def affirmed(kind: str) -> str:
    """Return the kind that a denied kind denies, any other kind as it is."""
    return kind.removeprefix(NOT)


def draw_sentences(rng: np.random.Generator, actors: Sequence[Actor], width: int
                   ) -> list[Sentence]:
    """Return about fifteen distinct sentences about the actors of a scene."""
    present = sorted({actor.category for actor in actors})
    made: list[Sentence] = []
    for category in NOUNS:
        made.append(_class(rng, category))
    for actor in actors:
        made.append(_colour(rng, actor))
        if rng.random() < 0.5:
            made.append(_colours(rng, actor))
    for category in present:
        made += [_place(rng, category, width), _motion(rng, category)]
    made += [_extreme(rng, str(rng.choice(present))), _relation(rng, present),
             _nobody(rng), _nobody_coloured(rng, actors)]
    unique = {sentence.text: sentence for sentence in made}
    return list(unique.values())


def _noun(rng: np.random.Generator, category: str, plural: bool) -> str:
    forms = NOUNS[category]
    pick = forms[0] if rng.random() < 0.7 else forms[int(rng.integers(len(forms)))]
    return pick[int(plural)]


def _of(category: str, seen: Sequence[Sighting]) -> list[Sighting]:
    return [item for item in seen if item.actor.category == category]


def _class(rng: np.random.Generator, category: str) -> Sentence:
    lead = str(rng.choice(['the', 'all', 'all the', 'every']))
    text = f'{lead} {_noun(rng, category, lead != "every")}'
    if category == 'person' and rng.random() < 0.15:
        text = str(rng.choice(['everyone', 'anybody']))
    return Sentence(text, 'class', lambda seen: _of(category, seen))


def _colour(rng: np.random.Generator, actor: Actor) -> Sentence:
    noun, colour, category = _noun(rng, actor.category, False), actor.upper, actor.category
    if category == 'car':
        text = f'the {colour} {noun}'
    elif rng.random() < 0.25:
        lower = actor.lower
        return Sentence(f'the {noun} with {lower} trousers', 'colour', lambda seen: [
            item for item in _of(category, seen) if item.actor.lower == lower])
    else:
        wears = str(rng.choice(['in', 'wearing', 'dressed in', 'in the']))
        text = f'the {noun} {wears} {colour}' + (
            str(rng.choice([' jacket', ' top'])) if wears == 'in the' else '')
    return Sentence(text, 'colour', lambda seen: [
        item for item in _of(category, seen) if item.actor.upper == colour])


def _colours(rng: np.random.Generator, actor: Actor) -> Sentence:
    noun, colour, category = _noun(rng, actor.category, True), actor.upper, actor.category
    text = f'all {colour} {noun}' if category == 'car' else f'all {noun} in {colour}'
    return Sentence(text, 'plural', lambda seen: [
        item for item in _of(category, seen) if item.actor.upper == colour])


def _place(rng: np.random.Generator, category: str, width: int) -> Sentence:
    left = bool(rng.random() < 0.5)
    side = 'left' if left else 'right'
    form = str(rng.choice([f'on the {side}', f'on the {side} side', f'in the {side} half']))
    return Sentence(f'the {_noun(rng, category, True)} {form}', 'place', lambda seen: [
        item for item in _of(category, seen) if (item.column < width / 2) == left])


def _extreme(rng: np.random.Generator, category: str) -> Sentence:
    keys: dict[str, Callable[[Sighting], float]] = {
        'leftmost': lambda item: item.column, 'rightmost': lambda item: -item.column,
        'nearest': lambda item: item.distance, 'farthest': lambda item: -item.distance}
    word = str(rng.choice(list(keys)))
    key = keys[word]
    return Sentence(f'the {word} {_noun(rng, category, False)}', 'place',
                    lambda seen: sorted(_of(category, seen), key=key)[:1])


def _motion(rng: np.random.Generator, category: str) -> Sentence:
    side = str(rng.choice(['left', 'right']))
    verb = {'person': 'walking', 'car': 'driving', 'cyclist': 'riding'}[category]
    noun = _noun(rng, category, True)
    if category == 'person' and rng.random() < 0.25:
        return Sentence(f'the {noun} standing still', 'motion', lambda seen: [
            item for item in _of(category, seen) if not item.actor.moving(item.seconds)])
    return Sentence(f'the {noun} {verb} to the {side}', 'motion', lambda seen: [
        item for item in _of(category, seen) if item.actor.facing(item.seconds) == side
        and item.actor.moving(item.seconds)])


def _relation(rng: np.random.Generator, present: Sequence[str]) -> Sentence:
    anchor = str(rng.choice([name for name in present if name != 'person'] or ['person']))
    if anchor == 'person':
        return _extreme(rng, 'person')
    side = str(rng.choice(['left', 'right']))
    sign = 1 if side == 'left' else -1

    def meaning(seen: Sequence[Sighting]) -> list[Sighting]:
        anchors = [item.column for item in _of(anchor, seen)]
        if not anchors:
            return []
        edge = min(anchors) if sign > 0 else max(anchors)
        return [item for item in _of('person', seen) if sign * (edge - item.column) > 0]

    name = NOUNS[anchor][0][0]
    return Sentence(f'the people {side} of the {name}', 'relation', meaning)


def _nobody(rng: np.random.Generator) -> Sentence:
    lead = str(rng.choice(['the', 'a', 'any']))
    return Sentence(f'{lead} {rng.choice(ABSENT_NOUNS)}', 'nobody', lambda seen: [])


def _nobody_coloured(rng: np.random.Generator, actors: Sequence[Actor]) -> Sentence:
    worn = {actor.upper for actor in actors if actor.category != 'car'}
    free = [*ABSENT_COLOURS, *(name for name in CLOTHES if name not in worn)]
    colour = str(rng.choice(free))
    return Sentence(f'the person in {colour}', 'nobody', lambda seen: [
        item for item in _of('person', seen) if item.actor.upper == colour])
