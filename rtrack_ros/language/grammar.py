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
_NUMBER_REGEX = '(0|[1-9][0-9]{0,2}|1000)'
_NUMBER_EBNF = '"0" | [1-9] [0-9]{0,2} | "1000"'


def answer_grammar(max_boxes: int, labels: Sequence[str] | None = None) -> Grammar:
    """Return the grammar of answers with at most ``max_boxes`` boxes.

    All three notations accept the same texts; the JSON schema does so under an engine that
    writes ``', '`` between items, ``': '`` after keys, and no other whitespace.

    Args:
        max_boxes: Largest number of boxes, at least 1.
        labels: Words the model may use; None allows any of ``[a-z][a-z ]{0,31}``.

    Raises:
        ValueError: ``max_boxes`` is below 1, or a label could not be written in the grammar.
    """
    if max_boxes < 1:
        raise ValueError(f'max_boxes is {max_boxes}; an answer needs room for at least 1 box')
    if labels is not None:
        _check_labels(labels)
    return Grammar(_regex(max_boxes, labels), _ebnf(max_boxes, labels),
                   _json_schema(max_boxes, labels))


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


def _check_labels(labels: Sequence[str]) -> None:
    if not labels:
        raise ValueError('labels is empty; pass None to allow any label')
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise ValueError(f'label {label!r} does not fit the grammar; use at most '
                             f'{MAX_LABEL_CHARACTERS} lower-case letters and spaces')


def _regex(max_boxes: int, labels: Sequence[str] | None) -> str:
    label = _ANY_LABEL if labels is None else f'({"|".join(labels)})'
    numbers = f'{_NUMBER_REGEX}(, {_NUMBER_REGEX}){{3}}'
    item = rf'\{{"bbox_2d": \[{numbers}\], "label": "{label}"\}}'
    return rf'(\[\]|\[{item}(, {item}){{0,{max_boxes - 1}}}\])'


def _ebnf(max_boxes: int, labels: Sequence[str] | None) -> str:
    label = _ANY_LABEL if labels is None else ' | '.join(f'"{name}"' for name in labels)
    return '\n'.join([
        f'root ::= "[]" | "[" item (", " item){{0,{max_boxes - 1}}} "]"',
        r'item ::= "{\"bbox_2d\": [" number (", " number){3} "], \"label\": \"" label "\"}"',
        f'number ::= {_NUMBER_EBNF}',
        f'label ::= {label}',
    ])


def _json_schema(max_boxes: int, labels: Sequence[str] | None) -> str:
    number = {'type': 'integer', 'minimum': 0, 'maximum': MAX_COORDINATE}
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
