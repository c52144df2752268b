"""Questions as token sequences: what the processor, the chat template and the grammar would make.

Prompts are padded on the left: images and answers then start at one position in a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from rtrack_ros.engines.base import Prompt
from rtrack_ros.training.models.nano import IMAGE_SIZE, LABELS
from rtrack_ros.training.models.tokenizer import number_token_ids
from rtrack_ros.training.shards.frames import ObjectRow

CELL = 32
"""Pixels of one visual token."""
COLUMNS, ROWS = IMAGE_SIZE[0] // CELL, IMAGE_SIZE[1] // CELL
CELLS = COLUMNS * ROWS
IGNORE = -100
TOKENS_PER_BOX = 10
DESCRIBED = 'describe'
"""Kind of the questions whose answer is a description of one object."""

IntBox = tuple[int, int, int, int]


@dataclass(frozen=True)
class Asked:
    """One question with its answer.

    Attributes:
        prompt: What is asked.
        answer: Token ids of the answer, the stop token included.
        kind: Kind of the question, for scores.
        condition: Condition of the frame asked about, for scores.
        boxes: Boxes in the answer, 0-1000, in its order.
        referred: Objects the question is about, as the last image pair shows them.
    """

    prompt: Prompt
    answer: tuple[int, ...]
    kind: str
    condition: str
    boxes: tuple[IntBox, ...] = ()
    referred: tuple[ObjectRow, ...] = ()


@dataclass(frozen=True, eq=False)
class Sequences:
    """Padded token sequences of N questions, all about the same number of images.

    Attributes:
        ids: int64 (N, L), left- and right-padded.
        mask: int64 (N, L), 1 on tokens.
        positions: int64 (3, N, L), M-RoPE positions.
        image_starts: Column at which each image's tokens begin.
        answer_start: Column of the first answer token.
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    positions: NDArray[np.int64]
    image_starts: tuple[int, ...]
    answer_start: int


class SequenceBuilder:
    """Turns questions and answers into the token ids the processor and the grammar would make."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        one = tokenizer.convert_tokens_to_ids
        self.numbers = number_token_ids(tokenizer)
        self.image, self.stop = int(one('<|image_pad|>')), int(one('<|im_end|>'))
        self.pad = int(one('<|endoftext|>'))
        self._open, self._next, self._close = (self._piece(text) for text in (
            '[{"bbox_2d": [', '"}, {"bbox_2d": [', '"}]'))
        self._comma, self._label, self.nothing = (self._piece(text) for text in (
            ', ', '], "label": "', '[]'))
        self.labels = [self._piece(label) for label in LABELS]
        self.verdicts = {True: self._piece('Yes'), False: self._piece('No')}
        self.decisions = (self._open, self._next, self._close, self.nothing,
                          *self.verdicts.values())
        self.forced = (self._comma, self._label, self.stop)

    def _piece(self, text: str) -> int:
        ids = self._tokenizer.encode(text)
        if len(ids) != 1:
            raise ValueError(f"{text!r} is {len(ids)} tokens; the tokenizer is not rtrack-nano's")
        return int(ids[0])

    def pieces(self, prompt: Prompt) -> list[list[int]]:
        """Return the ids before the first image, between images, and after the last one."""
        texts = [part for part in (*prompt.parts, '') if part is not None]
        joined = ['<|im_start|>user\n' + texts[0], *texts[1:]]
        joined[-1] += '<|im_end|>\n<|im_start|>assistant\n'
        last = len(joined) - 1
        return [self._tokenizer.encode('<|vision_end|>' * (place > 0) + text
                                       + '<|vision_start|>' * (place < last))
                for place, text in enumerate(joined)]

    def boxes(self, boxes: Sequence[IntBox], labels: Sequence[int]) -> tuple[int, ...]:
        """Return the ids of an answer of boxes, the stop token included."""
        if not boxes:
            return self.nothing, self.stop
        ids: list[int] = []
        for number, (box, label) in enumerate(zip(boxes, labels, strict=True)):
            ids.append(self._next if number else self._open)
            for place, value in enumerate(box):
                ids += [self._comma] * (place > 0) + [self.numbers[value]]
            ids += [self._label, self.labels[label]]
        return *ids, self._close, self.stop

    def verdict(self, true: bool) -> tuple[int, ...]:
        """Return the ids of Yes or No, the stop token included."""
        return self.verdicts[true], self.stop

    def words(self, text: str) -> tuple[int, ...]:
        """Return the ids of a sentence, the stop token included."""
        return *self._tokenizer.encode(text), self.stop


def pad(builder: SequenceBuilder, questions: Sequence[Asked]) -> Sequences:
    """Return the padded sequences of questions with equally many images and equal texts between.

    Args:
        builder: Makes token ids.
        questions: What is asked; only the texts before the first image differ in length.
    """
    pieces = [builder.pieces(question.prompt) for question in questions]
    rest = pieces[0][1:]
    lead = max(len(heads[0]) for heads in pieces)
    starts = [lead]
    for between in rest[:-1]:
        starts.append(starts[-1] + CELLS + len(between))
    answer_start = starts[-1] + CELLS + len(rest[-1])
    shape = (len(questions), answer_start + max(len(item.answer) for item in questions))
    ids = np.full(shape, builder.pad, np.int64)
    mask, positions = np.zeros(shape, np.int64), np.zeros((3, *shape), np.int64)
    for row, (question, (head, *_)) in enumerate(zip(questions, pieces, strict=True)):
        begin, tokens = lead - len(head), list(head)
        for after in rest:
            tokens += [builder.image] * CELLS + after
        tokens += question.answer
        ids[row, begin:begin + len(tokens)] = tokens
        mask[row, begin:begin + len(tokens)] = 1
        positions[:, row, begin:] = _rope_positions(
            [len(head), *map(len, rest[:-1]), shape[1] - starts[-1] - CELLS])
    return Sequences(ids, mask, positions, tuple(starts), answer_start)


def _rope_positions(texts: Sequence[int]) -> NDArray[np.int64]:
    """Return M-RoPE positions (3, L) of texts of these lengths with an image between each two.

    Text counts up, an image spans its rows and columns and advances the count by the longer of its
    sides (Qwen2-VL, section 2.1).
    """
    grid = np.stack([np.zeros(CELLS), np.repeat(np.arange(ROWS), COLUMNS),
                     np.tile(np.arange(COLUMNS), ROWS)]).astype(np.int64)
    parts: list[NDArray[np.int64]] = []
    count = 0
    for length in texts:
        if parts:
            parts.append(grid + count)
            count += max(ROWS, COLUMNS)
        parts.append(np.tile(np.arange(length), (3, 1)) + count)
        count += length
    return np.concatenate(parts, axis=1)


def looks(questions: Sequence[Asked], start: int) -> NDArray[np.int64]:
    """Return where an answer points from, and the visual token it should look at there.

    A coordinate looks at the centre of its box, a word of a description at the object.

    Args:
        questions: With their boxes.
        start: Column of the first answer token.

    Returns:
        int64 (M, 3): sequence, column that is about to say a coordinate or a word, and the visual
        token in which the centre of the box lies.
    """
    found = [(row, start + TOKENS_PER_BOX * number + 2 * place, cell_of(box))
             for row, question in enumerate(questions)
             for number, box in enumerate(question.boxes) for place in range(4)]
    found += [(row, start - 1 + word, cell_of(question.referred[0].box))
              for row, question in enumerate(questions)
              if question.kind == DESCRIBED and question.referred
              for word in range(len(question.answer) - 1)]
    return np.array(found, np.int64).reshape(-1, 3)


def cell_of(box: Sequence[float]) -> int:
    """Return the visual token, row by row, that holds the centre of a box in 0-1000."""
    column = min(int((box[0] + box[2]) / 2000 * COLUMNS), COLUMNS - 1)
    return min(int((box[1] + box[3]) / 2000 * ROWS), ROWS - 1) * COLUMNS + column
