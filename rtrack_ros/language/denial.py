"""Sentences that deny: what they speak of, and what they leave out of it.

"the people not in red" means the people, without the people in red. Both halves are plain
sentences, and models that fail at "not" answer those. The rules read English and are our own. They
know what is usually said of things in view. A sentence that is more involved is not read: it is
then put to the model as it stands.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rtrack_ros.language.english import JOINED, LEAD, NEGATION, is_kind, of_all, plain

_CONTRACTED: Final = re.compile(r"\b(is|are|was|were|do|does|did|has|have|had)n['\N{RIGHT SINGLE "
                                r"QUOTATION MARK}]?t\b", re.IGNORECASE)
# "Not far from", "not only" and "not all" deny something else than what follows.
_OTHERWISE: Final = re.compile(
    r'(far|only|just|yet|until|too|so|very|quite|even|necessarily|all|every|everyone|everybody|'
    r'both|any|anymore|always|more|less|fewer|many|much|least)\b', re.IGNORECASE)
_CLAUSE: Final = re.compile(r',? \b(?P<who>who|that|which|whose)(?P<said>(?: [\w-]+){1,4})$',
                            re.IGNORECASE)
_COPULA: Final = re.compile(r' (is|are|was|were)$', re.IGNORECASE)
_OWN: Final = re.compile(r'(?:the|a|an|this|that|these|those|everyone|everybody)\b',
                         re.IGNORECASE)
_ONES: Final = re.compile(r'(?:(?:the|a|an) )?(?P<which>[\w-]+) ones?', re.IGNORECASE)
_THOSE: Final = re.compile(r'(?:those|(?:the )?ones?|that|people|somebody|someone) '
                           r'(?P<which>(?:in|on|at|with|near|wearing|who|that|by)\b.*)',
                           re.IGNORECASE)
_CARRIED: Final = re.compile(r' (?P<how>with|wearing|carrying|holding|having)$', re.IGNORECASE)
_PREPOSITION: Final = re.compile(
    r'(?:in|on|at|with|near|by|behind|before|beside|inside|outside|under|above|from|to|towards?|'
    r'left|right|next to|in front of)\b|\w+ing\b', re.IGNORECASE)


@dataclass(frozen=True)
class Denial:
    """A sentence that denies, as two that do not.

    Attributes:
        spoken_of: What it speaks of: "the people".
        left_out: What it leaves out of that: "the people in red".
    """

    spoken_of: str
    left_out: str

    def of_all(self) -> 'Denial':
        """Return the same of all objects, see ``english.of_all``."""
        return Denial(of_all(self.spoken_of), of_all(self.left_out))


@lru_cache(maxsize=1024)
def denial_in(sentence: str) -> Denial | None:
    """Return what a sentence denies, None where it denies nothing or is too involved."""
    text = _CONTRACTED.sub(r'\1 not', plain(sentence))
    negations = list(NEGATION.finditer(text))
    if len(negations) != 1:
        return None
    found = negations[0]
    before, word = text[:found.start()].rstrip(), found[0].lower()
    said = text[found.end():].strip()
    if not said or _OTHERWISE.match(said) or JOINED.search(said):
        return None
    denial = _READ.get(word, _nothing)(before, said)
    return denial if denial is not None and is_kind(denial.spoken_of) else None


def _not(before: str, said: str) -> Denial | None:
    joined = re.fullmatch(r'(?P<kind>.+?),? but', before, re.IGNORECASE)
    if joined:
        return _left_out(joined['kind'], said)
    clause = _CLAUSE.search(before)
    if clause is None:
        return _left_out(before.rstrip(','), said)
    kind = before[:clause.start()]
    if clause['who'].lower() != 'whose' and _COPULA.fullmatch(clause['said']):
        return _left_out(kind, said, f'{clause["who"]}{clause["said"]} ')
    return Denial(kind, f'{kind} {clause["who"]}{clause["said"]} {said}')


def _left_out(kind: str, said: str, clause: str = '') -> Denial:
    """Return a kind without those of whom something is said.

    Args:
        kind: "the people", "the cars".
        said: "in red", "walking", "red", "the man in red".
        clause: What stood between them without its "not": "that are ".
    """
    if _OWN.match(said):
        return Denial(kind, said)
    if ' ' not in said and not said.endswith('ing'):
        described = _described(kind, said)
        return Denial(kind, described or f'{kind} {clause or "that are "}{said}')
    return Denial(kind, f'{kind} {said}')


def _described(kind: str, word: str) -> str | None:
    """Return a kind of one or two words with another word before its noun: "the red car"."""
    lead = LEAD.match(kind)
    noun = kind[lead.end():].strip() if lead else kind
    if _PREPOSITION.search(noun) or len(noun.split()) > 2:
        return None
    return ' '.join(part for part in (kind[:lead.end()] if lead else '', word, noun) if part)


def _without(before: str, said: str) -> Denial:
    return Denial(before, f'{before} with {said}')


def _no(before: str, said: str) -> Denial | None:
    carried = _CARRIED.search(before)
    if carried is None:
        return None
    kind = before[:carried.start()]
    return Denial(kind, f'{kind} {carried["how"]} {said}')


def _except(before: str, said: str) -> Denial | None:
    kind, said = before.rstrip(','), re.sub(r'^for ', '', said, flags=re.IGNORECASE)
    those, ones = _THOSE.fullmatch(said), _ONES.fullmatch(said)
    if those:
        return Denial(kind, f'{kind} {those["which"]}')
    if ones:
        described = _described(kind, ones['which'])
        return None if described is None else Denial(kind, described)
    return Denial(kind, f'{kind} {said}' if _PREPOSITION.match(said) else said)


def _nothing(before: str, said: str) -> None:
    """Other negations are not read."""


_READ: Final = {'not': _not, 'without': _without, 'no': _no, 'except': _except,
                'excluding': _except, 'other than': _except, 'apart from': _except}
