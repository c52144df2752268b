"""Sentences about a real or composed frame, in the words of the simulated world.

Only what the labels are sure of is said: class, place, and colour where that of every person is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rtrack_ros.simulation.expressions import ABSENT_NOUNS, NOUNS
from rtrack_ros.simulation.palette import ABSENT_COLOURS
from rtrack_ros.training.shards.frames import CATEGORIES, COLOURS, ObjectRow, SentenceRow

_COLOUR_CONDITIONS = ('day', 'glare')
_CLEAR_LEAD = 60.0
"""Thousandths of the picture by which the nearest feet must be ahead of the next."""
PERSON = CATEGORIES.index('person')
_PEOPLE = frozenset(('everyone', 'anybody', *(form for forms in NOUNS['person']
                                              for form in forms)))


@dataclass(frozen=True)
class _Known:
    """The rows of a frame with their numbers."""

    rows: tuple[tuple[int, ObjectRow], ...]

    def of(self, category: int) -> list[tuple[int, ObjectRow]]:
        return [(number, row) for number, row in self.rows if row.category == category]


def draw_real_sentences(rng: np.random.Generator, objects: Sequence[ObjectRow], condition: str
                        ) -> tuple[SentenceRow, ...]:
    """Return about fifteen distinct sentences about a frame, a third of them mean nothing in it.

    Args:
        rng: Chooses wording.
        objects: What is in view.
        condition: Name of the weather; colours are not asked for where they cannot be seen.
    """
    known = _Known(tuple(enumerate(objects)))
    made = [*_classes(rng, known), *_count(known), *_places(rng, known), *_extremes(known),
            _animal(rng), _animal(rng)]
    if condition in _COLOUR_CONDITIONS:
        made += _colours(rng, known)
    unique = {sentence.text: sentence for sentence in made}
    return tuple(unique.values())


def is_about_people(text: str) -> bool:
    """Return whether a sentence in these words names people."""
    return not _PEOPLE.isdisjoint(text.split())


def _sentence(text: str, kind: str, rows: Sequence[tuple[int, ObjectRow]]) -> SentenceRow:
    return SentenceRow(text, kind, tuple(sorted(number for number, _ in rows)))


def _classes(rng: np.random.Generator, known: _Known) -> list[SentenceRow]:
    made = [_sentence('the people', 'class', known.of(PERSON)),
            _sentence(str(rng.choice(['everyone', 'anybody'])), 'class', known.of(PERSON))]
    for category, name in enumerate(CATEGORIES):
        for _ in range(2):
            singular, plural = NOUNS[name][int(rng.integers(len(NOUNS[name])))]
            lead = str(rng.choice(['the', 'all', 'all the', 'every']))
            noun = singular if lead == 'every' else plural
            made.append(_sentence(f'{lead} {noun}', 'class', known.of(category)))
    return made


def _count(known: _Known) -> list[SentenceRow]:
    """Return a sentence with the right number of people; no other has a clear meaning."""
    people = known.of(PERSON)
    word = {2: 'two', 3: 'three', 4: 'four'}.get(len(people))
    return [_sentence(f'the {word} people', 'class', people)] if word else []


def _places(rng: np.random.Generator, known: _Known) -> list[SentenceRow]:
    made: list[SentenceRow] = []
    for side in ('left', 'right'):
        there = [item for item in known.of(PERSON)
                 if (item[1].box[0] + item[1].box[2] < 1000) == (side == 'left')]
        form = str(rng.choice([f'on the {side}', f'on the {side} side', f'in the {side} half']))
        made.append(_sentence(f'the people {form}', 'place', there))
        if len(there) < 2:  # with several, one of them would have to be guessed
            made.append(_sentence(f'the person {form}', 'place', there))
    return made


def _extremes(known: _Known) -> list[SentenceRow]:
    people = known.of(PERSON)
    keys: dict[str, Callable[[tuple[int, ObjectRow]], float]] = {
        'leftmost': lambda item: item[1].box[0] + item[1].box[2],
        'rightmost': lambda item: -item[1].box[0] - item[1].box[2],
        'nearest': lambda item: -item[1].box[3]}
    made: list[SentenceRow] = []
    for word, key in keys.items():
        order = sorted(people, key=key)
        if len(order) < 2 or key(order[1]) - key(order[0]) >= _CLEAR_LEAD:
            made.append(_sentence(f'the {word} person', 'place', order[:1]))
    return made


def _colours(rng: np.random.Generator, known: _Known) -> list[SentenceRow]:
    people = known.of(PERSON)
    if any(row.upper < 0 for _, row in people):
        return []
    worn = sorted({row.upper for _, row in people})
    absent = [*ABSENT_COLOURS, *(name for number, name in enumerate(COLOURS)
                                 if number not in worn)]
    made = [_sentence(f'the person in {COLOURS[colour]}', 'colour',
                      [item for item in people if item[1].upper == colour]) for colour in worn]
    return [*made, SentenceRow(f'the person in {rng.choice(absent)}', 'nobody', ())]


def _animal(rng: np.random.Generator) -> SentenceRow:
    return SentenceRow(f'{rng.choice(["the", "a", "any"])} {rng.choice(ABSENT_NOUNS)}', 'nobody',
                       ())
