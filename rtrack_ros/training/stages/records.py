"""Questions as the rows that TRL's trainers read, images decoded only when a row is needed."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from datasets import Dataset
from PIL import Image

from rtrack_ros.boxes import clip
from rtrack_ros.engines.base import Prompt
from rtrack_ros.engines.chat import plain_text
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.language.answers import Box
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.grammar import render_answer
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
    """
    height, width = question.images[0].shape[:2]
    images = [Image.fromarray(resize_image(image, manifest.image_size))
              for image in question.images]
    found = [(model_from_pixels(box, manifest.bbox_protocol, (width, height),
                                manifest.image_size), label)
             for box, label in _inside(question, width, height)]
    row: Row = {'prompt': message_of(question.prompt), 'images': images}
    if answered:
        text = question.words or render_answer([(_whole(box), label) for box, label in found])
        row['completion'] = [{'role': 'assistant', 'content': [{'type': 'text', 'text': text}]}]
        return row
    return row | {'boxes': [list(box) for box, _ in found], 'frame': list(units(manifest)),
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
    x, y = model_from_pixels((0, 0, 1, 1), manifest.bbox_protocol, (1, 1),
                             manifest.image_size)[2:]
    return round(x), round(y)


def _whole(box: Box) -> Box:
    """Return the box in whole numbers, at least one apart: an answer must not be inverted."""
    x1, y1, x2, y2 = (max(round(value), 0) for value in box)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


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
