"""Batches for rtrack-nano: images, token sequences and the dense targets that teach the tower.

Every image pair carries several sentences, so that the vision tower, the dearer half, runs once
for all of them. Prompts are padded on the left: images and answers then start at one position.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from rtrack_ros.language.prompts import ground_prompt
from rtrack_ros.training.nano import IMAGE_SIZE, LABELS
from rtrack_ros.training.samples import FrameRow, ObjectRow, SentenceRow, Shard
from rtrack_ros.training.tokenizer import number_token_ids

CELL = 32
"""Pixels of one visual token."""
COLUMNS, ROWS = IMAGE_SIZE[0] // CELL, IMAGE_SIZE[1] // CELL
CELLS = COLUMNS * ROWS
IGNORE = -100
TOKENS_PER_BOX = 10

_SENSOR_LOSS = {'thermal': 0.15, 'rgb': 0.05}
_NEEDS_COLOUR = ('colour', 'plural', 'nobody')
_NEEDS_THERMAL = ('night', 'smoke')


@dataclass(eq=False)
class DenseTarget:
    """What each visual token should know, all of shape (N, CELLS) but the last.

    ``present`` is float 0/1; ``weight`` is 0 where an object is too hidden to count; the class
    indices are ``IGNORE`` where there is no object; ``box`` is (N, CELLS, 4) integers 0-1000.
    """

    present: torch.Tensor
    weight: torch.Tensor
    category: torch.Tensor
    upper: torch.Tensor
    lower: torch.Tensor
    facing: torch.Tensor
    moving: torch.Tensor
    box: torch.Tensor


@dataclass(eq=False)
class Batch:
    """One training step.

    Attributes:
        images: uint8 (B, 2, H, W, 3), RGB and thermal.
        dense: Targets over all objects, N = B.
        referred: Targets over the objects each sentence means, N = B * K.
        ids: int64 (B * K, L), left- and right-padded.
        mask: int64 (B * K, L), 1 on tokens.
        positions: int64 (3, B * K, L), M-RoPE positions.
        image_start: Columns at which the RGB and the thermal tokens begin.
        answer_start: Column of the first answer token.
        targets: int64 (B * K, L - answer_start), ``IGNORE`` beyond the answer.
        sentences: The sentences, B * K.
        answers: Boxes 0-1000 each sentence means, in answer order.
        conditions: Condition of each sequence.
        looks: int64 (M, 3): sequence, column that is about to say a coordinate, and the visual
            token in which the centre of that box lies.
    """

    images: torch.Tensor
    dense: DenseTarget
    referred: DenseTarget
    ids: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor
    image_start: tuple[int, int]
    answer_start: int
    targets: torch.Tensor
    sentences: list[SentenceRow]
    answers: list[list[tuple[int, int, int, int]]]
    conditions: list[str]
    looks: torch.Tensor


class SequenceBuilder:
    """Turns sentences and boxes into the token ids the processor and the grammar would make."""

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
        self.decisions = (self._open, self._next, self._close, self.nothing)

    def _piece(self, text: str) -> int:
        ids = self._tokenizer.encode(text)
        if len(ids) != 1:
            raise ValueError(f"{text!r} is {len(ids)} tokens; the tokenizer is not rtrack-nano's")
        return int(ids[0])

    def prompt(self, text: str) -> tuple[list[int], list[int], list[int]]:
        """Return the ids before the RGB image, between the images, and after the thermal one."""
        prompt = ground_prompt(text, 'brief')
        encode = self._tokenizer.encode
        return (encode(f'<|im_start|>user\n{prompt.parts[0]}<|vision_start|>'),
                encode(f'<|vision_end|>{prompt.parts[2]}<|vision_start|>'),
                encode('<|vision_end|><|im_end|>\n<|im_start|>assistant\n'))

    def answer(self, boxes: Sequence[tuple[int, int, int, int]], labels: Sequence[int]
               ) -> list[int]:
        """Return the ids of an answer, the stop token included."""
        if not boxes:
            return [self.nothing, self.stop]
        ids: list[int] = []
        for number, (box, label) in enumerate(zip(boxes, labels, strict=True)):
            ids.append(self._next if number else self._open)
            for place, value in enumerate(box):
                ids += [self._comma] * (place > 0) + [self.numbers[value]]
            ids += [self._label, self.labels[label]]
        return [*ids, self._close, self.stop]


def collate(builder: SequenceBuilder, frames: Sequence[FrameRow], images: NDArray[np.uint8],
            chosen: Sequence[Sequence[SentenceRow]]) -> Batch:
    """Return a batch of image pairs with the chosen sentences of each.

    Args:
        builder: Makes token ids.
        frames: B rows.
        images: uint8 (B, 2, H, W, 3).
        chosen: K sentences for each frame.
    """
    flat = [(frame, sentence) for frame, group in zip(frames, chosen, strict=True)
            for sentence in group]
    prompts = [builder.prompt(sentence.text) for _, sentence in flat]
    answers, labels = zip(*(_answer(frame, sentence) for frame, sentence in flat), strict=True)
    tails = [builder.answer(boxes, names) for boxes, names in zip(answers, labels, strict=True)]
    lead, tail = max(len(head) for head, _, _ in prompts), max(map(len, tails))
    middle, after = prompts[0][1], prompts[0][2]
    first, second = lead, lead + CELLS + len(middle)
    start = second + CELLS + len(after)
    ids = np.full((len(flat), start + tail), builder.pad, np.int64)
    mask, positions = np.zeros_like(ids), np.zeros((3, *ids.shape), np.int64)
    for row, ((head, _, _), answer) in enumerate(zip(prompts, tails, strict=True)):
        begin, end = lead - len(head), start + len(answer)
        ids[row, begin:end] = [*head, *[builder.image] * CELLS, *middle,
                               *[builder.image] * CELLS, *after, *answer]
        mask[row, begin:end] = 1
        positions[:, row, begin:] = _rope_positions(len(head), len(middle), start + tail - second
                                                    - CELLS)
    targets = np.where(mask == 1, ids, IGNORE)[:, start:]
    return Batch(
        images=torch.from_numpy(images),
        dense=dense_target([(_visible_looks(frame), frame.hidden) for frame in frames]),
        referred=dense_target([(tuple(frame.objects[i] for i in sentence.objects), ())
                               for frame, sentence in flat]),
        ids=torch.from_numpy(ids), mask=torch.from_numpy(mask),
        positions=torch.from_numpy(positions), image_start=(first, second), answer_start=start,
        targets=torch.from_numpy(targets), sentences=[sentence for _, sentence in flat],
        answers=list(answers), conditions=[frame.condition for frame, _ in flat],
        looks=_looks(list(answers), start))


def _visible_looks(frame: FrameRow) -> tuple[ObjectRow, ...]:
    """Return the objects without the colours that darkness hides."""
    if frame.condition != 'night':
        return frame.objects
    return tuple(replace(item, upper=IGNORE, lower=IGNORE) for item in frame.objects)


def _answer(frame: FrameRow, sentence: SentenceRow
            ) -> tuple[list[tuple[int, int, int, int]], list[int]]:
    """Return boxes and labels from left to right, the order the answer lists them in."""
    objects = sorted((frame.objects[i] for i in sentence.objects), key=lambda item: item.box)
    boxes = [tuple(int(round(min(max(value, 0), 1000))) for value in item.box) for item in objects]
    return [(b[0], b[1], b[2], b[3]) for b in boxes], [item.category for item in objects]


def _looks(answers: Sequence[Sequence[tuple[int, int, int, int]]], start: int) -> torch.Tensor:
    """Return where each coordinate is predicted from, and the token it should look at."""
    found = [(row, start + TOKENS_PER_BOX * number + 2 * place, _cell(box))
             for row, boxes in enumerate(answers) for number, box in enumerate(boxes)
             for place in range(4)]
    return torch.tensor(found, dtype=torch.int64).view(-1, 3)


def _rope_positions(head: int, middle: int, rest: int) -> NDArray[np.int64]:
    """Return M-RoPE positions (3, L): text counts up, an image spans its rows and columns.

    An image advances the count by the longer of its sides (Qwen2-VL, section 2.1).
    """
    grid = np.stack([np.zeros(CELLS), np.repeat(np.arange(ROWS), COLUMNS),
                     np.tile(np.arange(COLUMNS), ROWS)]).astype(np.int64)
    step, text = max(ROWS, COLUMNS), np.arange
    parts = [np.tile(text(head), (3, 1)), grid + head,
             np.tile(text(middle), (3, 1)) + head + step, grid + head + step + middle,
             np.tile(text(rest), (3, 1)) + head + 2 * step + middle]
    return np.concatenate(parts, axis=1)


def dense_target(groups: Sequence[tuple[Sequence[ObjectRow],
                                        Sequence[tuple[float, float, float, float]]]]
                 ) -> DenseTarget:
    """Return what each visual token should know, from (objects, hidden boxes) of N images.

    An object belongs to the token that holds its centre; where two share one, the nearer wins.
    """
    shape = (len(groups), CELLS)
    present, weight = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    classes = {name: np.full(shape, IGNORE, np.int64)
               for name in ('category', 'upper', 'lower', 'facing', 'moving')}
    boxes = np.zeros((*shape, 4), np.int64)
    for row, (objects, hidden) in enumerate(groups):
        for box in hidden:
            weight[row, _cell(box)] = 0
        for item in sorted(objects, key=lambda entry: entry.box[3]):
            cell = _cell(item.box)
            present[row, cell] = weight[row, cell] = 1
            boxes[row, cell] = np.clip(np.round(item.box), 0, 1000)
            for name, values in classes.items():
                value = int(getattr(item, name))
                values[row, cell] = value if value >= 0 else IGNORE
    return DenseTarget(torch.from_numpy(present), torch.from_numpy(weight),
                       box=torch.from_numpy(boxes),
                       **{name: torch.from_numpy(values) for name, values in classes.items()})


def _cell(box: Sequence[float]) -> int:
    column = min(int((box[0] + box[2]) / 2000 * COLUMNS), COLUMNS - 1)
    return min(int((box[1] + box[3]) / 2000 * ROWS), ROWS - 1) * COLUMNS + column


def draw_batch(builder: SequenceBuilder, shards: Sequence[Shard], rng: np.random.Generator,
               images: int, sentences: int, composed: Sequence[Shard] = (),
               composed_share: float = 0.0) -> Batch:
    """Draw a random augmented training batch.

    Args:
        builder: Makes token ids.
        shards: Frames of the simulated world.
        rng: Draws frames, sentences and augmentation.
        images: Image pairs in the batch.
        sentences: Sentences for each pair.
        composed: Frames composed of real clips (``training.real``); may be none.
        composed_share: Share of pairs drawn from ``composed``, in [0, 1].
    """
    frames, pixels, chosen = [], [], []
    for _ in range(images):
        real = len(composed) > 0 and rng.random() < composed_share
        pool = composed if real else shards
        shard = pool[int(rng.integers(len(pool)))]
        index = int(rng.integers(len(shard.rows)))
        frame, rgb, thermal = shard.rows[index], shard.rgb[index], shard.thermal[index]
        if rng.random() < 0.5:
            frame, rgb, thermal = mirror(frame), rgb[:, ::-1], thermal[:, ::-1]
        lost = _lose_sensor(rng, frame)
        frames.append(frame)
        pixels.append(augment(rng, rgb, thermal, lost))
        chosen.append(_choose(rng, frame, sentences, lost))
    return collate(builder, frames, np.stack(pixels), chosen)


def _lose_sensor(rng: np.random.Generator, frame: FrameRow) -> str | None:
    draw = rng.random()
    if draw < _SENSOR_LOSS['rgb']:
        return 'rgb'
    if draw < sum(_SENSOR_LOSS.values()) and frame.condition not in _NEEDS_THERMAL:
        return 'thermal'
    return None


def _choose(rng: np.random.Generator, frame: FrameRow, count: int, lost: str | None
            ) -> list[SentenceRow]:
    pool = [item for item in frame.sentences
            if lost != 'rgb' or item.kind not in _NEEDS_COLOUR]
    weights = np.array([1.0 if item.objects else 0.55 for item in pool])
    picks = rng.choice(len(pool), count, replace=len(pool) < count, p=weights / weights.sum())
    return [pool[int(pick)] for pick in picks]


def augment(rng: np.random.Generator, rgb: NDArray[np.uint8], thermal: NDArray[np.uint8],
            lost: str | None) -> NDArray[np.uint8]:
    """Return the pair as uint8 (2, H, W, 3) with jittered gain, a lost sensor black."""
    bright, gain, offset = rng.uniform(0.88, 1.12), rng.uniform(0.8, 1.15), rng.uniform(-18, 18)
    heat = np.clip(thermal * np.float32(gain) + np.float32(offset), 0, 255).astype(np.uint8)
    colour = np.clip(rgb * np.float32(bright), 0, 255).astype(np.uint8)
    pair = np.stack([colour, np.repeat(heat[:, :, None], 3, axis=2)])
    if lost is not None:
        pair[0 if lost == 'rgb' else 1] = 0
    return pair


def mirror(frame: FrameRow) -> FrameRow:
    """Return the row of the mirrored picture; left and right change places in the sentences."""
    swap = {0: 1, 1: 0}
    objects = tuple(ObjectRow(o.category, o.upper, o.lower, swap.get(o.facing, o.facing), o.moving,
                              (1000 - o.box[2], o.box[1], 1000 - o.box[0], o.box[3]))
                    for o in frame.objects)
    hidden = tuple((1000 - b[2], b[1], 1000 - b[0], b[3]) for b in frame.hidden)
    sentences = tuple(SentenceRow(_swap_sides(s.text), s.kind, s.objects)
                      for s in frame.sentences)
    return FrameRow(frame.condition, objects, hidden, sentences)


def _swap_sides(text: str) -> str:
    return text.replace('left', '\0').replace('right', 'left').replace('\0', 'right')
