"""Questions as the rows that TRL's trainers read, images decoded only when a row is needed."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from datasets import Dataset
from PIL import Image

from rtrack_ros.boxes import clip
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.base import Grammar, Prompt
from rtrack_ros.engines.chat import plain_text
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.language.answers import Box
from rtrack_ros.language.coordinates import (
    coordinate_units,
    largest_coordinate,
    model_from_pixels,
)
from rtrack_ros.language.grammar import (
    answer_grammar,
    description_grammar,
    render_answer,
    verdict_grammar,
    whole_box,
    writable_label,
)
from rtrack_ros.training.tasks.ground import Example, Task

Row = dict[str, Any]
KEPT_ROWS = 64


def message_of(prompt: Prompt) -> list[dict[str, Any]]:
    """Return the prompt as one user message of text and image parts."""
    content = [{'type': 'image'} if part is None else {'type': 'text', 'text': plain_text(part)}
               for part in prompt.parts]
    return [{'role': 'user', 'content': content}]


def row_of(question: Example, manifest: ModelManifest, answered: bool) -> Row:
    """Return one row.

    Args:
        question: What is asked.
        manifest: Image size and coordinates of the model.
        answered: Whether the right answer is part of the row, for supervised training; otherwise
            the columns ``boxes``, ``frame`` and ``words`` reach the rewards.

    Raises:
        DataError: the engines would never let the model write the right answer.
    """
    height, width = question.images[0].shape[:2]
    size = units(manifest)
    images = [Image.fromarray(resize_image(image, manifest.image_size))
              for image in question.images]
    found = [(model_from_pixels(box, manifest.bbox_protocol, (width, height),
                                manifest.image_size), label)
             for box, label in _inside(question, width, height)]
    row: Row = {'prompt': message_of(question.prompt), 'images': images}
    if answered:
        text = question.words or render_answer([
            (whole_box(box, size), writable_label(label, manifest.labels))
            for box, label in found])
        _require_writable(text, manifest, bool(question.words))
        row['completion'] = [{'role': 'assistant', 'content': [{'type': 'text', 'text': text}]}]
        return row
    return row | {'boxes': [list(box) for box, _ in found], 'frame': list(size),
                  'words': question.words}


def _inside(question: Example, width: int, height: int) -> list[tuple[Box, str]]:
    """Return boxes cut to the image with their labels; annotations reach beyond it at times."""
    kept = []
    for box, label in zip(question.boxes, question.labels, strict=True):
        x1, y1, x2, y2 = clip(box, width, height)[0].tolist()
        if x1 < x2 and y1 < y2:
            kept.append(((x1, y1, x2, y2), label))
    return kept


def units(manifest: ModelManifest) -> tuple[int, int]:
    """Return the (width, height) of an image in the model's coordinates."""
    return coordinate_units(manifest.bbox_protocol, manifest.image_size)


def _require_writable(text: str, manifest: ModelManifest, words: bool) -> None:
    if not any(re.fullmatch(grammar.regex, text) for grammar in _grammars(manifest, words)):
        raise DataError(f'the answer {text!r} is taught, and the grammar of the engines does not '
                        'let a model write it; look at labels, boxes and sentences of the data')


@lru_cache
def _grammars(manifest: ModelManifest, words: bool) -> tuple[Grammar, ...]:
    """Return the grammars of the answers that a model is asked for."""
    if words:
        return verdict_grammar(), description_grammar()
    return (answer_grammar(manifest.max_boxes, manifest.labels or None,
                           largest_coordinate(manifest.bbox_protocol, manifest.image_size)),)


def as_dataset(tasks: Sequence[Task], manifest: ModelManifest, answered: bool) -> Dataset:
    """Return a dataset that takes its rows from the tasks in turn when they are read.

    A row is kept for a while: a group asks for the same one again and again.
    """
    total = sum(map(len, tasks))

    @lru_cache(KEPT_ROWS)
    def row(number: int) -> Row:
        return row_of(tasks[number % len(tasks)][number // len(tasks)], manifest, answered)

    def fetch(batch: Mapping[str, Sequence[int]]) -> dict[str, list[Any]]:
        rows = [row(number) for number in batch['number']]
        return {name: [row[name] for row in rows] for name in rows[0]}

    return Dataset.from_dict({'number': list(range(total))}).with_transform(fetch)
