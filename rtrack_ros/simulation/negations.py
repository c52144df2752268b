"""Negated and counterfactual sentences: what is not so, and what would be so in another scene.

Three kinds that the ordinary sentences lack:

- 'not colour', 'not motion', 'not place': an ordinary sentence denied. It means all of its class
  that the ordinary one does not mean: "the people not in red", "the cars that are not parked".
- 'depth': who is behind or in front of something, always both ways round. What is said of those
  in front when nobody is there, or of a truck that is not there, means nobody.
- 'conjunction': two things said of one object, often one of them another object's: "the person in
  red with blue trousers", where the blue trousers are somebody else's.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from rtrack_ros.simulation.expressions import (
    ABSENT_NOUNS,
    NOT,
    NOUNS,
    Sentence,
    Sighting,
    draw_sentences,
)
from rtrack_ros.simulation.palette import CLOTHES
from rtrack_ros.simulation.world import Actor

_DENIED: Final = {'colour': 'colour', 'plural': 'colour', 'nobody': 'colour', 'motion': 'motion',
                  'place': 'place'}
"""What is denied of the kinds of sentences; of 'nobody' those about a colour that nobody wears."""
_ABSENT_ANCHOR: Final = 0.25
"""Share of 'depth' sentences about a thing that is never there."""
_OWN: Final = 0.4
"""Share of conjunctions of which both halves are taken from one object."""
_FORMS: Final = {form: (category, plural) for category, nouns in NOUNS.items()
                 for forms in nouns for plural, form in enumerate(forms)}
"""Category of each noun, and whether it is a plural."""
_VERBS: Final = {'person': 'walking', 'car': 'driving', 'cyclist': 'riding'}
_SENTENCE: Final = re.compile(
    rf'(?P<lead>the|all|all the) (?:(?P<colour>{"|".join(CLOTHES)}) )?'
    rf'(?P<noun>{"|".join(sorted(_FORMS, key=len, reverse=True))})(?: (?P<rest>.+))?')


def draw_negations(rng: np.random.Generator, actors: Sequence[Actor], width: int
                   ) -> list[Sentence]:
    """Return about fifteen distinct negated and counterfactual sentences about a scene.

    Args:
        rng: Chooses wording.
        actors: The actors of the scene.
        width: Image width in pixels, for left and right.
    """
    made = [denied for sentence in draw_sentences(rng, actors, width)
            if (denied := deny(rng, sentence)) is not None]
    present = sorted({actor.category for actor in actors})
    for category in present:
        made += _depth(rng, category, present)
    made += [_conjunction(rng, actors) for _ in range(3)]
    unique = {sentence.text: sentence for sentence in made}
    return list(unique.values())


def deny(rng: np.random.Generator, sentence: Sentence) -> Sentence | None:
    """Return the denial of an ordinary sentence; None where it would have no clear meaning.

    It means all of the named class but those that the sentence means. A superlative is not
    denied, and neither is a relation, which may lack what it relates to.

    Args:
        rng: Chooses wording.
        sentence: One of ``expressions.draw_sentences``.
    """
    parts = _SENTENCE.fullmatch(sentence.text)
    if sentence.kind not in _DENIED or parts is None or not (parts['colour'] or parts['rest']):
        return None
    category, plural = _FORMS[parts['noun']]
    said = _denial(rng, category, bool(plural), parts['colour'], parts['rest'] or '')

    def meaning(seen: Sequence[Sighting]) -> list[Sighting]:
        meant = sentence.ids(seen)
        return [item for item in seen
                if item.actor.category == category and item.actor.id not in meant]

    return Sentence(f"{parts['lead']} {parts['noun']} {said}", NOT + _DENIED[sentence.kind],
                    meaning)


def _denial(rng: np.random.Generator, category: str, plural: bool, colour: str | None, rest: str
            ) -> str:
    """Return what is said of the noun: of the paint before it, or of what comes after it."""
    clause = f"{'that' if category == 'car' else 'who'} {'are' if plural else 'is'} not"
    if colour:
        return f'{clause} {colour}'
    if rest.startswith('with '):
        return f'without {rest.removeprefix("with ")}'
    return f"{'not' if rng.random() < 0.6 else clause} {rest}"


def _depth(rng: np.random.Generator, category: str, present: Sequence[str]) -> list[Sentence]:
    """Return who is behind something and who is in front of it; one of them may be nobody."""
    others = [name for name in present if name != category]
    anchor = str(rng.choice(others if others and rng.random() >= _ABSENT_ANCHOR
                            else ABSENT_NOUNS))
    noun = NOUNS[category][int(rng.integers(2))][int(rng.random() < 0.6)]
    name = NOUNS[anchor][0][0] if anchor in NOUNS else anchor
    before = str(rng.choice(['before', 'in front of']))
    return [_beyond(f'the {noun} behind the {name}', category, anchor, 1.0),
            _beyond(f'the {noun} {before} the {name}', category, anchor, -1.0)]


def _beyond(text: str, category: str, anchor: str, sign: float) -> Sentence:
    """Return who is farther than all of ``anchor``, or nearer where ``sign`` is -1."""
    def meaning(seen: Sequence[Sighting]) -> list[Sighting]:
        anchors = [sign * item.distance for item in seen if item.actor.category == anchor]
        return [item for item in seen if item.actor.category == category and anchors
                and sign * item.distance > max(anchors)]

    return Sentence(text, 'depth', meaning)


def _conjunction(rng: np.random.Generator, actors: Sequence[Actor]) -> Sentence:
    """Return two things said of one object: a colour, and trousers or where it heads."""
    first = actors[int(rng.integers(len(actors)))]
    alike = [actor for actor in actors if actor.category == first.category
             and (actor.upper, actor.lower) != (first.upper, first.lower)]
    own = not alike or rng.random() < _OWN
    second = first if own else alike[int(rng.integers(len(alike)))]
    category, upper, lower = first.category, first.upper, second.lower
    noun = NOUNS[category][int(rng.integers(2))][0]
    what = f'the {upper} {noun}' if category == 'car' else f'the {noun} in {upper}'
    if category == 'person' and rng.random() < 0.6:
        return Sentence(f'{what} with {lower} trousers', 'conjunction', lambda seen: [
            item for item in _coloured(seen, category, upper) if item.actor.lower == lower])
    side = str(rng.choice(['left', 'right']))
    return Sentence(f'{what} {_VERBS[category]} to the {side}', 'conjunction', lambda seen: [
        item for item in _coloured(seen, category, upper)
        if item.actor.moving(item.seconds) and item.actor.facing(item.seconds) == side])


def _coloured(seen: Sequence[Sighting], category: str, colour: str) -> list[Sighting]:
    return [item for item in seen
            if item.actor.category == category and item.actor.upper == colour]
