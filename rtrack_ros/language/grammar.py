"""The answer grammars: the only texts a model may write, and the writer of such texts.

In an answer with boxes one item is ``{"bbox_2d": [312, 148, 467, 633], "label": "person"}``, the
form in which the Qwen-VL family grounds. An answer without boxes is ``[]``. No whitespace is
optional: a weak model would spend its tokens on it. A verdict is ``Yes`` or ``No``, a description
a few words.
"""

import json
import re
from collections.abc import Sequence

from rtrack_ros.engines.base import Grammar
from rtrack_ros.language.answers import Box

MAX_COORDINATE = 1000
MAX_LABEL_CHARACTERS = 32
MAX_DESCRIPTION_CHARACTERS = 96
YES, NO = 'Yes', 'No'

_ANY_LABEL = f'[a-z][a-z ]{{0,{MAX_LABEL_CHARACTERS - 1}}}'
_LABEL = re.compile(_ANY_LABEL)
_NOT_A_LETTER = re.compile('[^a-z]+')
_SOMETHING = 'object'
"""Label of what has no word in plain letters."""


def answer_grammar(max_boxes: int, labels: Sequence[str] | None = None,
                   largest: int = MAX_COORDINATE) -> Grammar:
    """Return the grammar of answers with at most ``max_boxes`` boxes.

    All three notations accept the same texts; the JSON schema does so under an engine that
    writes ``', '`` between items, ``': '`` after keys, and no other whitespace.

    Args:
        max_boxes: Largest number of boxes, at least 1.
        labels: Words the model may use; None allows any of ``[a-z][a-z ]{0,31}``.
        largest: Largest coordinate, see ``coordinates.largest_coordinate``.

    Raises:
        ValueError: ``max_boxes`` is below 1, or a label could not be written in the grammar.
    """
    if max_boxes < 1:
        raise ValueError(f'max_boxes is {max_boxes}; an answer needs room for at least 1 box')
    if labels is not None:
        _check_labels(labels)
    return Grammar(_regex(max_boxes, labels, largest), _ebnf(max_boxes, labels, largest),
                   _json_schema(max_boxes, labels, largest))


def verdict_grammar() -> Grammar:
    """Return the grammar of an answer to a yes-or-no question.

    The notations accept the same words. Under the JSON schema they are in quotes, which
    ``language.parser.parse_words`` removes.
    """
    return Grammar(f'({YES}|{NO})', f'root ::= "{YES}" | "{NO}"', json.dumps({'enum': [YES, NO]}))


def description_grammar() -> Grammar:
    """Return the grammar of a description: lower-case words with spaces and commas.

    For the JSON schema see ``verdict_grammar``.
    """
    words = f'[a-z][a-z ,]{{0,{MAX_DESCRIPTION_CHARACTERS - 1}}}'
    return Grammar(words, f'root ::= {words}',
                   json.dumps({'type': 'string', 'pattern': f'^{words}$'}))


def render_answer(items: Sequence[tuple[Box, str]]) -> str:
    """Return the answer text for boxes already in the model's coordinates.

    Args:
        items: ``((x1, y1, x2, y2), label)``; coordinates are rounded to whole numbers.
    """
    rows = [{'bbox_2d': [round(value) for value in box], 'label': label} for box, label in items]
    return json.dumps(rows, separators=(', ', ': '))


def whole_box(box: Box, units: tuple[int, int]) -> Box:
    """Return a box as a model can write it: whole numbers in the image, corners apart.

    Args:
        box: x1, y1, x2, y2 in the model's coordinates.
        units: (width, height) of the image in them, see ``coordinates.coordinate_units``.
    """
    left, right = _apart(box[0], box[2], units[0])
    top, bottom = _apart(box[1], box[3], units[1])
    return left, top, right, bottom


def _apart(low: float, high: float, most: int) -> tuple[int, int]:
    first = min(max(round(low), 0), most - 1)
    return first, min(max(round(high), first + 1), most)


def writable_label(text: str, labels: Sequence[str] = ()) -> str:
    """Return a label as the grammar allows it: lower-case letters and spaces, 32 at most.

    Args:
        text: As a data set has it, for example 'JetLev-Flyer'.
        labels: Words the model may use; the text itself is taken where it is among them.
    """
    if text in labels:
        return text
    plain = _NOT_A_LETTER.sub(' ', text.lower()).strip()
    return plain[:MAX_LABEL_CHARACTERS].strip() or _SOMETHING


def _check_labels(labels: Sequence[str]) -> None:
    if not labels:
        raise ValueError('labels is empty; pass None to allow any label')
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise ValueError(f'label {label!r} does not fit the grammar; use at most '
                             f'{MAX_LABEL_CHARACTERS} lower-case letters and spaces')


def _number_pieces(largest: int) -> list[tuple[str, ...]]:
    """Return alternatives that together are the numbers 0 to ``largest`` without leading zeros.

    Each is a sequence of digits, classes of digits, and classes with a count.
    """
    text = str(largest)
    pieces: list[tuple[str, ...]] = [('0',)]
    if len(text) > 1:
        pieces.append(('[1-9]', _digits(0, len(text) - 2)))
    for place, digit in enumerate(text):
        low = 1 if place == 0 else 0
        if int(digit) > low:
            pieces.append((text[:place], f'[{low}-{int(digit) - 1}]',
                           _digits(len(text) - place - 1, len(text) - place - 1)))
    return [*pieces, (text,)] if largest else pieces


def _digits(least: int, most: int) -> str:
    return '' if most == 0 else f'[0-9]{{{least},{most}}}' if least < most else f'[0-9]{{{most}}}'


def _number_regex(largest: int) -> str:
    return f'({"|".join("".join(piece) for piece in _number_pieces(largest))})'


def _number_ebnf(largest: int) -> str:
    return ' | '.join(' '.join(part if part.startswith('[') else f'"{part}"'
                               for part in piece if part) for piece in _number_pieces(largest))


def _regex(max_boxes: int, labels: Sequence[str] | None, largest: int) -> str:
    label = _ANY_LABEL if labels is None else f'({"|".join(labels)})'
    number = _number_regex(largest)
    numbers = f'{number}(, {number}){{3}}'
    item = rf'\{{"bbox_2d": \[{numbers}\], "label": "{label}"\}}'
    return rf'(\[\]|\[{item}(, {item}){{0,{max_boxes - 1}}}\])'


def _ebnf(max_boxes: int, labels: Sequence[str] | None, largest: int) -> str:
    label = _ANY_LABEL if labels is None else ' | '.join(f'"{name}"' for name in labels)
    return '\n'.join([
        f'root ::= "[]" | "[" item (", " item){{0,{max_boxes - 1}}} "]"',
        r'item ::= "{\"bbox_2d\": [" number (", " number){3} "], \"label\": \"" label "\"}"',
        f'number ::= {_number_ebnf(largest)}',
        f'label ::= {label}',
    ])


def _json_schema(max_boxes: int, labels: Sequence[str] | None, largest: int) -> str:
    number = {'type': 'integer', 'minimum': 0, 'maximum': largest}
    label: dict[str, object] = (
        {'type': 'string', 'pattern': f'^{_ANY_LABEL}$'}
        if labels is None else {'enum': list(labels)})
    item = {
        'type': 'object',
        'properties': {
            'bbox_2d': {'type': 'array', 'items': number, 'minItems': 4, 'maxItems': 4},
            'label': label,
        },
        'required': ['bbox_2d', 'label'],
        'additionalProperties': False,
    }
    return json.dumps({'type': 'array', 'items': item, 'minItems': 0, 'maxItems': max_boxes})
