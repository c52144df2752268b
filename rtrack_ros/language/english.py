"""What sentences about things in view are made of, for the modules that take them apart.

The words are English, as are the sentences that the model was trained on.
"""

import re
from typing import Final

from rtrack_ros.language.class_words import is_singular

LEAD: Final = re.compile(r'(?:all of the|all the|the|all|every|each|any|a|an|some)\b',
                         re.IGNORECASE)
COPULA: Final = re.compile(r',? (?:who|that|which) (?:is|are|was|were)$', re.IGNORECASE)
"""At the end of what is spoken of, before what is said of it."""
NEGATION: Final = re.compile(
    r"\b(not|no|without|except|excluding|other than|apart from|never|neither|nor|nobody|none|"
    r"nothing|cannot|hardly|non)\b|n['\N{RIGHT SINGLE QUOTATION MARK}]t\b", re.IGNORECASE)
JOINED: Final = re.compile(r'\b(and|but|nor|while)\b|[,;]', re.IGNORECASE)
COUNT: Final = 'one|two|three|four|five|six|both|pair|group|crowd|alone|only|other'
ORDER: Final = 'first|second|third|last|most|least|farthest|furthest'
DEGREE: Final = ('(near|clos|bigg|small|tall|short|larg|fast|slow|old|young|warm|hott|cold|bright|'
                 'dark|high|low)(er|est)')
# Who is nearest, or third, or alone is another one among all than among those that are meant.
_AMONG: Final = re.compile(
    rf'\b({COUNT}|another|{ORDER}|leftmost|rightmost|next(?! to)|{DEGREE})\b', re.IGNORECASE)
_ONE: Final = re.compile(r'^(?:the|a|an|any|some)\b', re.IGNORECASE)


def plain(sentence: str) -> str:
    """Return a sentence without spaces and marks that mean nothing."""
    return ' '.join(sentence.split()).rstrip('.!? ')


def is_kind(text: str) -> bool:
    """Whether a text can stand alone: it names something, and nothing among others of it."""
    lead = LEAD.match(text)
    return bool(text[lead.end() if lead else 0:].strip()) and not _AMONG.search(text)


def of_all(text: str) -> str:
    """Return a text about one thing as one about all of its kind: "every person" in red.

    Who is told "the person not in red" sees whom it means; who is asked for "the person" alone may
    name any one.
    """
    return _ONE.sub('every', text, count=1) if is_singular(text) else text
