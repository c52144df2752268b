"""Descriptions: what a frame shows of an actor, as a sentence, and read back from a sentence."""

import re
from dataclasses import dataclass
from typing import Final

from rtrack_ros.simulation.expressions import NOUNS, Sighting, affirmed
from rtrack_ros.simulation.palette import ABSENT_COLOURS, CLOTHES

COLOURLESS: Final = ('night', 'smoke')
"""Conditions in which the RGB camera does not show colours well enough to be asked for them."""

SEEN_ON_ONE: Final = ('class', 'colour', 'plural', 'motion', 'nobody', 'conjunction')
"""Kinds of sentences that can be checked on one object without its surroundings, denied or not."""

_OF_COLOUR: Final = ('colour', 'plural', 'conjunction')
_VERBS: Final = {'person': 'walking', 'car': 'driving', 'cyclist': 'riding'}
_STANDING: Final = {'car': 'parked'}
_DEPTH: Final = {'near': 'coming near', 'far': 'going away'}
_COLOURS: Final = '|'.join((*CLOTHES, *ABSENT_COLOURS))
_SINGULAR: Final = {forms[0]: category for category, nouns in NOUNS.items() for forms in nouns}


@dataclass(frozen=True)
class Attributes:
    """The contents of a description; an empty word says nothing.

    Attributes:
        category: 'person', 'car' or 'cyclist'.
        upper: Colour of the jacket, or of the paint of a car.
        lower: Colour of a person's trousers.
        motion: 'left', 'right', 'near' or 'far' for where it heads, 'still' when it stands.
    """

    category: str = ''
    upper: str = ''
    lower: str = ''
    motion: str = ''

    def sentence(self) -> str:
        """Return the description in lower case, without a full stop."""
        return ' '.join(filter(None, (self._what(), self._trousers(), self._does())))

    def _what(self) -> str:
        if not self.upper:
            return self.category
        if self.category == 'car':
            return f'{self.upper} car'
        return f'{self.category} in {self.upper}'

    def _trousers(self) -> str:
        return f'with {self.lower} trousers' if self.lower else ''

    def _does(self) -> str:
        if self.motion == 'still':
            return _STANDING.get(self.category, 'standing still')
        if self.motion in _DEPTH:
            return _DEPTH[self.motion]
        return f'{_VERBS[self.category]} to the {self.motion}' if self.motion else ''


def attributes_of(item: Sighting, condition: str) -> Attributes:
    """Return what a frame shows of an actor.

    Args:
        item: The actor as seen.
        condition: The weather's name, one of ``simulation.CONDITIONS``; in the ``COLOURLESS`` ones
            colours are left out, as they cannot be seen.
    """
    actor = item.actor
    motion = actor.facing(item.seconds) if actor.moving(item.seconds) else 'still'
    if condition in COLOURLESS:
        return Attributes(actor.category, motion=motion)
    # The trousers of a cyclist are a few pixels among the spokes.
    lower = actor.lower if actor.category == 'person' else ''
    return Attributes(actor.category, actor.upper, lower, motion)


def describe_sighting(item: Sighting, condition: str) -> str:
    """Return the true description of an actor in one frame.

    For example 'person in red with blue trousers walking to the left', 'black car parked', or, at
    night, 'cyclist standing still'. Every word is a token of rtrack-nano.

    Args:
        item: The actor as seen.
        condition: The weather's name, one of ``simulation.CONDITIONS``.
    """
    return attributes_of(item, condition).sentence()


def checkable(kind: str, condition: str) -> bool:
    """Return whether a close view of one object shows if a sentence is true of it.

    In smoke one colour can still be told from another, but not well enough to name it unasked. In
    the dark it cannot.

    Args:
        kind: The sentence's kind, see ``expressions.Expression``.
        condition: The weather's name.
    """
    about = affirmed(kind)
    return about in SEEN_ON_ONE and not (condition == 'night' and about in _OF_COLOUR)


def read_attributes(text: str) -> Attributes:
    """Return what a description in the simulation's words says; what it leaves out stays empty.

    Args:
        text: A sentence, any case. Words that are not the simulation's are ignored.
    """
    words = ' '.join(re.findall(r'[a-z]+', text.lower()))
    lower = re.search(rf'\b({_COLOURS}) trousers\b', words)
    rest = words.replace(lower.group(), '') if lower else words
    upper = re.search(rf'\b({_COLOURS})\b', rest)
    nouns = [(rest.find(noun), category) for noun, category in _SINGULAR.items()
             if re.search(rf'\b{noun}\b', rest)]
    return Attributes(min(nouns)[1] if nouns else '', upper.group(1) if upper else '',
                      lower.group(1) if lower else '', _motion_in(words))


def _motion_in(words: str) -> str:
    heading = re.search(r'\bto the (left|right)\b', words)
    if heading:
        return heading.group(1)
    for motion, phrase in _DEPTH.items():
        if phrase in words:
            return motion
    return 'still' if re.search(r'\b(standing still|parked|stopped)\b', words) else ''
