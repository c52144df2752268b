"""Sentences that relate things by their place: who is spoken of, to what, and how.

"the people left of the car" means those of the people who are farther left than the car. Who is
behind something is farther away. On level ground what is farther away stands higher in the image.
That is an assumption: it fails on stairs and for what flies. The rules are our own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rtrack_ros.language.answers import Box
from rtrack_ros.language.english import COPULA, JOINED, NEGATION, is_kind, of_all, plain

_RELATION: Final = re.compile(
    r'(?P<who>.+?) (?:(?:right|directly|just|immediately|somewhere) )?'
    r'(?P<how>(?:(?:to|on) the )?(?:left|right) of|behind|in front of|before) '
    r'(?P<what>(?:(?:the|an?|any|all|every|each) )?\S.*)', re.IGNORECASE)
# The image and who looks at it are no things in it.
_NOT_IN_VIEW: Final = re.compile(
    r'\b(image|picture|photo|frame|scene|screen|view|video|camera|robot|middle|cent(er|re)|me|us|'
    r'you|it|him|her|them|wheel|bars|each other|one another)\b', re.IGNORECASE)
_PLACED: Final = re.compile(
    r'\b(left|right|behind|front|before|beside|between|near|next|above|below|under|over)\b',
    re.IGNORECASE)
_ANY_OF: Final = re.compile(r'(?:an?|any)\b', re.IGNORECASE)


def _column(box: Box) -> float:
    return (box[0] + box[2]) / 2


def _foot(box: Box) -> float:
    return box[3]


_HOLDS: Final[Mapping[str, Callable[[Box, Box], bool]]] = {
    'left of': lambda box, other: _column(box) < _column(other),
    'right of': lambda box, other: _column(box) > _column(other),
    'behind': lambda box, other: _foot(box) < _foot(other),
    'in front of': lambda box, other: _foot(box) > _foot(other),
}


@dataclass(frozen=True)
class Relation:
    """A sentence that relates things by their place.

    Attributes:
        spoken_of: All of whom it speaks: "the people", "every person".
        anchor: What they are related to: "every car".
        how: 'left of', 'right of', 'behind' or 'in front of'.
        of_any: Whether one of several anchors suffices ("a car"); otherwise it holds for all.
    """

    spoken_of: str
    anchor: str
    how: str
    of_any: bool = False

    def holds(self, box: Box, anchors: Sequence[Box]) -> bool:
        """Whether a box stands so to the anchors; to none, nothing does. Pixels of one image."""
        chosen = any if self.of_any else all
        return bool(anchors) and chosen(_HOLDS[self.how](box, other) for other in anchors)


@lru_cache(maxsize=1024)
def relation_in(sentence: str) -> Relation | None:
    """Return how a sentence relates things, None where it does not or is too involved."""
    text = plain(sentence)
    found = _RELATION.fullmatch(text)
    if found is None or NEGATION.search(text) or JOINED.search(text):
        return None
    who, what = COPULA.sub('', found['who']), found['what']
    if _PLACED.search(who) or _PLACED.search(what) or _NOT_IN_VIEW.search(what):
        return None
    if not (is_kind(who) and is_kind(what)):
        return None
    how = re.sub(r'^(?:to|on) the ', '', found['how'].lower()).replace('before', 'in front of')
    return Relation(of_all(who), of_all(what), how, bool(_ANY_OF.match(what)))
