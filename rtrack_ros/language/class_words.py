"""Class names as words: does a detector's 'person' speak of what a sentence means?

A detector names classes, a sentence names a kind of thing and says more about it. Only the noun at
the head of the sentence is held against the class: "the man on the horse" is a person. Where the
noun or the class is not known, or a sentence is too involved, nothing is said: a wrong word would
do more harm than none. The words are English, as are the sentences that the model was trained on.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Final

from rtrack_ros.detectors.labels import COCO

# Words for all objects of a class, and words for some of them only.
_ALL_OF: Final = {
    'person': 'person people human pedestrian someone somebody anyone anybody everyone everybody',
    'cyclist': 'cyclist bicyclist biker rider motorcyclist|bike rider|bicycle rider',
    'car': 'car automobile', 'van': 'van', 'truck': 'truck lorry', 'bus': 'bus',
    'train': 'train tram', 'motorcycle': 'motorcycle motorbike moped', 'bicycle': 'bicycle bike',
    'boat': 'boat ship', 'airplane': 'airplane aeroplane plane aircraft',
    'helicopter': 'helicopter', 'drone': 'drone uav quadcopter', 'tractor': 'tractor',
    'deer': 'deer', 'goat': 'goat', 'pig': 'pig', 'fox': 'fox'}
_SOME_OF: Final = {
    'person': 'man woman boy girl child kid adult guy lady walker runner jogger hiker worker '
              'soldier officer policeman policewoman firefighter player driver student passenger '
              'swimmer victim rescuer',
    'car': 'taxi cab jeep sedan suv hatchback', 'truck': 'pickup', 'bus': 'coach minibus',
    'dog': 'puppy', 'cat': 'kitten', 'horse': 'pony foal', 'cow': 'bull calf ox',
    'sheep': 'lamb', 'bird': 'duck goose pigeon gull'}
_MANY: Final = {
    'vehicle': 'car van truck bus motorcycle tractor', 'animal': (
        'dog cat horse sheep cow elephant bear zebra giraffe bird deer goat pig fox'),
    'bag': 'backpack handbag suitcase'}
# A detector gives one of these classes to an object of another one now and then.
_ALIKE: Final = (
    'person cyclist', 'cyclist bicycle motorcycle', 'car van truck bus train tractor vehicle',
    'motorcycle vehicle', 'bag backpack handbag suitcase', 'airplane drone helicopter bird kite',
    'animal dog cat horse sheep cow elephant bear zebra giraffe bird deer goat pig fox')
_PLURALS: Final = {
    'people': 'person', 'persons': 'person', 'men': 'man', 'women': 'woman', 'children': 'child',
    'policemen': 'policeman', 'knives': 'knife', 'mice': 'mouse', 'geese': 'goose',
    'calves': 'calf', 'oxen': 'ox'}
_ALWAYS_ALL: Final = frozenset('people everyone everybody anyone anybody someone somebody'.split())
_DETERMINERS: Final = frozenset(
    'the a an all any every each this that these those some both many several most other '
    'one two three four five six seven eight nine ten'.split())
_EACH: Final = frozenset('all any every each a an'.split())
_CERTAIN: Final = frozenset('this that these those some both other one two three four five six '
                            'seven eight nine ten many several most'.split())
_JOINING: Final = frozenset(('and', 'or', ',', '&'))
_BEHIND: Final = frozenset(
    'in on at of by with without within near to from behind before after above below under over '
    'between beside besides around across along among towards toward against into onto off up '
    'down who whose whom which that where when is are was were has have wears carries walks '
    'rides drives runs stands not but except than like as wearing alone together visible there '
    'here now'.split())
# These may stand before the noun as well.
_EITHER: Final = frozenset(
    'left right nearest next closest farthest furthest inside outside'.split())
_PLACES: Final = re.compile(
    r'\s+(?:(?:that (?:is|are) )?visible|you (?:can )?see|there|here|'
    r'in (?:the |this )?(?:images?|pictures?|scene|view|videos?|frame))$')
_NEGATED: Final = frozenset('no not non nobody nothing none without except everything but'.split())
_AMOUNTS: Final = re.compile(
    r'^(?:an? |the )?(?:lot|couple|pair|group|crowd|row|all|any|each|some|one|many)s? of ')
_COLOURS: Final = frozenset(
    'black white red green blue yellow orange brown grey gray pink purple dark bright'.split())
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|,|&")


class Agreement(Enum):
    """How a class name stands to the noun of a sentence."""

    SAME = 'same'
    ALIKE = 'alike'
    OTHER = 'other'


@dataclass(frozen=True)
class Kind:
    """The kind of thing that a sentence means.

    Attributes:
        classes: Classes whose objects are of this kind.
        every: Whether the sentence says no more: every object of the kind is meant.
        open: Whether it may mean other kinds besides.
    """

    classes: frozenset[str]
    every: bool = False
    open: bool = False

    def agreement(self, label: str) -> Agreement | None:
        """Return how a class name stands to this kind, None where that is not known."""
        named = class_of(label)
        if named is None:
            return None
        if named in self.classes:
            return Agreement.SAME
        if any(named in alike and self.classes & alike for alike in _ALIKE_SETS):
            return Agreement.ALIKE
        return None if self.open else Agreement.OTHER


@lru_cache(maxsize=1024)
def class_of(label: str) -> str | None:
    """Return the class that a word or a short description names, None for an unknown one."""
    if label in _CLASSES:
        return _CLASSES[label]
    kind = kind_of(label)
    if kind is None or kind.open:
        return None
    return next(iter(kind.classes)) if len(kind.classes) == 1 else _MANY_NAMES.get(kind.classes)


def differ(first: str, second: str) -> bool:
    """Whether two words name things of different kinds; unknown words never do."""
    one, other = class_of(first), class_of(second)
    if one is None or other is None or one == other:
        return False
    return not any(one in alike and other in alike for alike in _ALIKE_SETS)


@lru_cache(maxsize=1024)
def kind_of(sentence: str) -> Kind | None:
    """Return the kind of thing that a sentence means, None where it is not known for certain."""
    text = _AMOUNTS.sub('', _PLACES.sub('', ' '.join(sentence.lower().split()).rstrip('.!? ')))
    tokens = _TOKEN.findall(text.replace('_', ' '))
    return None if not tokens or tokens[0] in _NEGATED else _read(tokens)


def is_singular(phrase: str) -> bool:
    """Whether the first noun in a phrase that is known is one thing: "the red car"."""
    tokens = _TOKEN.findall(phrase.lower())
    for place in range(len(tokens)):
        noun, end = _noun_at(tokens, place)
        if noun is not None:
            written = ' '.join(tokens[place:end])
            return written == noun.singular and written not in _ALWAYS_ALL
    return False


def _read(tokens: list[str]) -> Kind | None:
    """Return the kind that the first noun at the head of these tokens names."""
    before: list[str] = []
    for place, token in enumerate(tokens):
        noun, end = _noun_at(tokens, place)
        if noun is None:
            if _begins_another(token, before):
                return None
            before.append(token)
            continue
        rest = tokens[end:]
        if rest and _noun_at(tokens, end)[0] is not None:
            before.append(token)
            continue
        if rest and rest[0] not in _JOINING and not _follows(rest[0]):
            return None
        return _joined(noun, before, tokens[place], rest)
    return None


def _begins_another(token: str, before: list[str]) -> bool:
    """Whether a token ends the words that may stand before a noun: that noun is not known."""
    content = [word for word in before if word not in _DETERMINERS]
    if token in _JOINING:
        return any(word not in _COLOURS for word in content)
    if token in _DETERMINERS or token.endswith('ing'):
        return bool(content)
    return token in _BEHIND or token in _NEGATED


def _follows(token: str) -> bool:
    return token in _BEHIND or token in _EITHER or token.endswith(('ing', 'ed'))


def _joined(noun: '_Noun', before: list[str], written: str, rest: list[str]) -> Kind:
    plural = written != noun.singular or written in _ALWAYS_ALL
    every = (noun.all_of and not rest and not set(before) & _CERTAIN
             and set(before) <= _DETERMINERS and (plural or bool(set(before) & _EACH)))
    kind = Kind(noun.classes, every)
    if rest and rest[0] in _JOINING:
        kind = replace(kind, every=noun.all_of and set(before) <= _DETERMINERS
                       and not set(before) & _CERTAIN and plural)
        other = _read(rest[1:]) if rest[1:] else None
        if other is None:
            return replace(kind, open=True, every=False)
        return Kind(kind.classes | other.classes, kind.every and other.every, other.open)
    return replace(kind, open=any(token in _JOINING for token in rest))


@dataclass(frozen=True)
class _Noun:
    singular: str
    classes: frozenset[str]
    all_of: bool


def _noun_at(tokens: list[str], place: int) -> tuple[_Noun | None, int]:
    """Return the noun that begins at a place and where it ends; nouns of two words first."""
    for length in (2, 1):
        words = tokens[place:place + length]
        if len(words) == length:
            for last in _singulars(words[-1]):
                noun = _NOUNS.get(' '.join([*words[:-1], last]))
                if noun is not None:
                    return noun, place + length
    return None, place


def _singulars(word: str) -> list[str]:
    forms = [_PLURALS[word]] if word in _PLURALS else [word]
    if word.endswith('s'):
        forms.append(word[:-1])
    if word.endswith('es'):
        forms.append(word[:-2])
    if word.endswith('ies'):
        forms.append(word[:-3] + 'y')
    return forms


def _split(words: str) -> list[str]:
    parts = words.split('|')
    return [*parts[0].split(), *parts[1:]]


def _vocabulary() -> dict[str, _Noun]:
    nouns = {name: _Noun(name, frozenset({name}), all_of=True) for name in COCO}
    for table, all_of in ((_SOME_OF, False), (_ALL_OF, True)):
        for name, words in table.items():
            nouns |= {word: _Noun(word, frozenset({name}), all_of) for word in _split(words)}
    for name, words in _MANY.items():
        nouns[name] = _Noun(name, frozenset({*words.split(), name}), all_of=True)
    return nouns


_NOUNS: Final = _vocabulary()
_CLASSES: Final = {word: next(iter(noun.classes)) for word, noun in _NOUNS.items()
                   if len(noun.classes) == 1} | {name: name for name in _MANY}
_MANY_NAMES: Final = {frozenset({*words.split(), name}): name for name, words in _MANY.items()}
_ALIKE_SETS: Final = tuple(frozenset(words.split()) for words in _ALIKE)
