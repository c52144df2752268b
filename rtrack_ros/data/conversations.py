"""Annotated frames as conversation JSON, the form in which Qwen-VL models are fine-tuned.

One line per sample: ``{"messages": [user, assistant], "images": [rgb, thermal]}``; the user's
text holds ``<image>`` where an image belongs, the assistant's is the answer of the project's
grammar, ``[]`` where nothing matches. Images are written at the size the model sees, both spectra
alike, so that one coordinate frame serves both and no second resizing moves a box.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rtrack_ros.boxes import clip
from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.balance import FrameChoice
from rtrack_ros.data.layouts import layouts_with_sentences
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.language.coordinates import check_protocol, coordinate_units, model_from_pixels
from rtrack_ros.language.grammar import render_answer, whole_box, writable_label
from rtrack_ros.language.prompts import ground_prompt

SAMPLES = 'conversations.jsonl'


@dataclass(frozen=True)
class ConversationStyle:
    """How a model is asked and answers.

    Attributes:
        protocol: Coordinates of the answer: 'rel1000' (Qwen3-VL) or 'abs_resized' (Qwen2.5-VL).
        size: (width, height) in pixels of the written images. For 'abs_resized' both must be
            multiples of 28, or the processor resizes once more and the answers are off.
        prompt: Style of the prompt, see ``language.prompts``.
    """

    protocol: str = 'rel1000'
    size: tuple[int, int] = (640, 480)
    prompt: str = 'full'

    def __post_init__(self) -> None:
        check_protocol(self.protocol)
        if self.protocol == 'abs_resized' and any(side % 28 for side in self.size):
            raise DataError(f'{self.size[0]}x{self.size[1]} would be resized once more by the '
                            'processor of Qwen2.5-VL; choose multiples of 28, e.g. 644x476')


def write_conversations(folder: Path | str, sequences: Sequence[AnnotatedSequence],
                        choices: Iterable[FrameChoice], style: ConversationStyle) -> int:
    """Write chosen frames as ``conversations.jsonl`` with ``images/``; return their number.

    Args:
        folder: To be created.
        sequences: With a sentence each.
        choices: Frames of them, e.g. of :func:`balanced_frames`.
        style: How the model is asked.

    Raises:
        DataError: the folder holds conversations already, or a sequence has no sentence.
    """
    target = Path(folder)
    if (target / SAMPLES).exists():
        raise DataError(f'{target / SAMPLES} exists; remove it or choose another folder')
    (target / 'images').mkdir(parents=True, exist_ok=True)
    count = 0
    with (target / SAMPLES).open('w', encoding='utf-8') as stream:
        for count, choice in enumerate(choices, start=1):
            sample = _sample(target, count, sequences[choice.sequence], choice.frame, style)
            stream.write(json.dumps(sample, ensure_ascii=False) + '\n')
    return count


def _sample(target: Path, number: int, sequence: AnnotatedSequence, index: int,
            style: ConversationStyle) -> dict[str, Any]:
    if not sequence.sentences:
        raise DataError(f'{sequence.dataset} {sequence.name} has no sentence to ask; layouts with '
                        f'sentences are {", ".join(layouts_with_sentences())}')
    pair = sequence.pair(index)
    names = []
    for spectrum, image in zip(('rgb', 'thermal'), pair.images(), strict=True):
        names.append(f'images/{number:06d}_{spectrum}.jpg')
        _write_image(target / names[-1], resize_image(image, style.size))
    frame = sequence.frames[index]
    boxes = {name: frame.objects[name] for name in frame.meant}
    parts = ground_prompt(sequence.sentences[0], style.prompt).parts
    question = ''.join('<image>' if part is None else part.replace('<image>', '< image>')
                       for part in parts)
    answer = _answer(sequence, boxes, (pair.width, pair.height), style)
    return {'messages': [{'role': 'user', 'content': question},
                         {'role': 'assistant', 'content': answer}], 'images': names}


def _answer(sequence: AnnotatedSequence, boxes: dict[int, Box], image_size: tuple[int, int],
            style: ConversationStyle) -> str:
    """Return the boxes from left to right, whole numbers, cut to the image."""
    items = []
    for name, box in boxes.items():
        x1, y1, x2, y2 = (float(value) for value in clip([box], *image_size)[0])
        if x2 - x1 < 1 or y2 - y1 < 1:
            continue  # nothing of it is in the picture
        written = model_from_pixels((x1, y1, x2, y2), style.protocol, image_size, style.size)
        items.append((whole_box(written, coordinate_units(style.protocol, style.size)),
                      writable_label(sequence.label(name))))
    return render_answer(sorted(items))


def _write_image(path: Path, image: Image8) -> None:
    written, encoded = cv2.imencode(path.suffix, np.ascontiguousarray(image[..., ::-1]),
                                    [cv2.IMWRITE_JPEG_QUALITY, 95])
    if not written:
        raise DataError(f'{path} could not be encoded')
    encoded.tofile(path)
