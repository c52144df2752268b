"""The strict parser of answers. One parser serves every engine, constrained or not."""

import json
import math
import re
from typing import Any, NoReturn

from rtrack_ros.engines.base import Grammar
from rtrack_ros.language.answers import Box, Grounding
from rtrack_ros.language.coordinates import Size, check_protocol, pixels_from_model

_KEYS = {'bbox_2d', 'label'}
_SHOWN_CHARACTERS = 80


class AnswerError(ValueError):
    """A model's text is not an answer; the message says what was wrong with it."""


def parse_answer(text: str, protocol: str, image_size: Size,
                 model_size: Size) -> tuple[Grounding, ...]:
    """Return the groundings of an answer text, boxes in pixels of the original image.

    The text must be a JSON list of objects with exactly the keys ``bbox_2d`` (four finite numbers,
    x1 < x2 and y1 < y2) and ``label`` (a string that is not blank). Boxes are clipped to the
    image. Nothing is repaired: an answer with one bad item is refused whole, because a model that
    writes nonsense in one place cannot be trusted in the next.

    Args:
        text: What the model wrote.
        protocol: Coordinate protocol of the model, 'rel1000' or 'abs_resized'.
        image_size: (width, height) of the original image in pixels.
        model_size: (width, height) of the image the model saw, in pixels.

    Raises:
        AnswerError: the text is not such a list, or a box lies outside the image.
        ProtocolError: the protocol is unknown.
    """
    check_protocol(protocol)
    items = _load(text)
    if not isinstance(items, list):
        raise AnswerError(f'the answer is not a JSON list: {_shown(text)}')
    return tuple(_grounding(item, index, protocol, image_size, model_size)
                 for index, item in enumerate(items))


def written_items(text: str) -> str:
    """Return the complete items of a list that is still being written, as the text of a list.

    Incomplete items are left out. Nothing is checked but where each item ends.
    """
    reader, end = json.JSONDecoder(), 0
    if not text.startswith('['):
        return '[]'
    start = 1
    try:
        while True:
            while text[start:start + 1] in (' ', ',', '\n'):
                start += 1
            _, end = reader.raw_decode(text, start)
            start = end
    except ValueError:
        return text[:end] + ']' if end else '[]'


def parse_words(text: str, grammar: Grammar) -> str:
    """Return an answer in words after checking it against a grammar.

    Args:
        text: What the model wrote, in quotes where it wrote JSON.
        grammar: ``verdict_grammar()`` or ``description_grammar()``.

    Raises:
        AnswerError: the text does not fit the grammar.
    """
    words = _load(text) if text.startswith('"') else text
    if not isinstance(words, str) or not re.fullmatch(grammar.regex, words):
        raise AnswerError(f'the answer is none of {grammar.regex}: {_shown(text)}')
    return words


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant,
                          object_pairs_hook=_object_without_repeats)
    except AnswerError:
        raise
    except (ValueError, RecursionError) as error:
        raise AnswerError(f'the answer is not JSON ({error}): {_shown(text)}') from error


def _refuse_constant(name: str) -> NoReturn:
    raise AnswerError(f'the answer contains {name}, which is no coordinate')


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise AnswerError('the answer gives one key of an object twice')
    return dict(pairs)


def _grounding(item: Any, index: int, protocol: str, image_size: Size,
               model_size: Size) -> Grounding:
    if not isinstance(item, dict) or set(item) != _KEYS:
        raise AnswerError(f'item {index} must be an object with the keys bbox_2d and label: '
                          f'{_shown(item)}')
    label = item['label']
    if not isinstance(label, str) or not label.strip():
        raise AnswerError(f'item {index} has no usable label: {_shown(label)}')
    box = _ordered_box(item['bbox_2d'], index)
    pixels = pixels_from_model(box, protocol, image_size, model_size)
    return Grounding(_clipped(pixels, image_size, index), label.strip())


def _ordered_box(value: Any, index: int) -> Box:
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_finite, value)):
        raise AnswerError(f'item {index}: bbox_2d must be four finite numbers: {_shown(value)}')
    x1, y1, x2, y2 = (float(number) for number in value)
    if x1 >= x2 or y1 >= y2:
        raise AnswerError(f'item {index}: bbox_2d must have x1 < x2 and y1 < y2: {_shown(value)}')
    return x1, y1, x2, y2


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _clipped(box: Box, image_size: Size, index: int) -> Box:
    width, height = image_size
    x1, x2 = (min(max(x, 0.0), float(width)) for x in (box[0], box[2]))
    y1, y2 = (min(max(y, 0.0), float(height)) for y in (box[1], box[3]))
    if x1 >= x2 or y1 >= y2:
        raise AnswerError(f'item {index}: the box lies outside the image')
    return x1, y1, x2, y2


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f'{text[:_SHOWN_CHARACTERS]}...'
