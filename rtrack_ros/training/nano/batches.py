"""Batches for rtrack-nano: images, token sequences and the dense targets that teach the tower.

Every image pair carries several questions, so that the vision tower, the dearer half, runs once
for all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rtrack_ros.training.nano.sequences import (
    CELLS,
    IGNORE,
    Asked,
    SequenceBuilder,
    cell_of,
    looks,
    pad,
)
from rtrack_ros.training.shards.frames import FrameRow, ObjectRow


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
    """One training step: B items, each with P image pairs and K questions about them.

    Attributes:
        images: uint8 (B, 2 P, H, W, 3), RGB and thermal in turn.
        dense: Targets over all objects, N = B * P.
        referred: Targets over the objects each question is about, in the last pair, N = B * K.
        ids: int64 (B * K, L), left- and right-padded.
        mask: int64 (B * K, L), 1 on tokens.
        positions: int64 (3, B * K, L), M-RoPE positions.
        image_starts: Columns at which the tokens of each image begin, 2 P of them.
        answer_start: Column of the first answer token.
        targets: int64 (B * K, L - answer_start), ``IGNORE`` beyond the answer.
        questions: What is asked, B * K.
        looks: int64 (M, 3): sequence, column that is about to say a coordinate or a word about an
            object, and the visual token in which the centre of its box lies.
    """

    images: torch.Tensor
    dense: DenseTarget
    referred: DenseTarget
    ids: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor
    image_starts: tuple[int, ...]
    answer_start: int
    targets: torch.Tensor
    questions: list[Asked]
    looks: torch.Tensor

    def to(self, device: torch.device) -> 'Batch':
        """Return the batch with its tensors on a device; copies from pinned memory overlap."""
        return _map_tensors(self, lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> 'Batch':
        """Return the batch in memory from which a GPU copies fast; called by the data loader."""
        return _map_tensors(self, torch.Tensor.pin_memory)


def _map_tensors(item: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return a dataclass with every tensor in it, or in dataclasses in it, changed."""
    changed: dict[str, Any] = {}
    for entry in fields(item):
        value = getattr(item, entry.name)
        if isinstance(value, torch.Tensor):
            changed[entry.name] = change(value)
        elif is_dataclass(value):
            changed[entry.name] = _map_tensors(value, change)
    return replace(item, **changed)


def collate(builder: SequenceBuilder, views: Sequence[FrameRow], images: NDArray[np.uint8],
            asked: Sequence[Sequence[Asked]]) -> Batch:
    """Return a batch of image pairs with the questions about each.

    Args:
        builder: Makes token ids.
        views: What each image pair shows, B * P.
        images: uint8 (B, 2 P, H, W, 3).
        asked: K questions for each of the B items.
    """
    flat = [question for group in asked for question in group]
    text = pad(builder, flat)
    start = text.answer_start
    return Batch(
        images=torch.from_numpy(images),
        dense=dense_target([(_visible_looks(view), view.hidden) for view in views]),
        referred=dense_target([(question.referred, ()) for question in flat]),
        ids=torch.from_numpy(text.ids), mask=torch.from_numpy(text.mask),
        positions=torch.from_numpy(text.positions), image_starts=text.image_starts,
        answer_start=start,
        targets=torch.from_numpy(np.where(text.mask == 1, text.ids, IGNORE)[:, start:]),
        questions=flat, looks=torch.from_numpy(looks(flat, start)))


def _visible_looks(frame: FrameRow) -> tuple[ObjectRow, ...]:
    """Return the objects without the colours that darkness hides."""
    if frame.condition != 'night':
        return frame.objects
    return tuple(replace(item, upper=IGNORE, lower=IGNORE) for item in frame.objects)


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
            weight[row, cell_of(box)] = 0
        for item in sorted(objects, key=lambda entry: entry.box[3]):
            cell = cell_of(item.box)
            present[row, cell] = weight[row, cell] = 1
            boxes[row, cell] = np.clip(np.round(item.box), 0, 1000)
            for name, values in classes.items():
                value = int(getattr(item, name))
                values[row, cell] = value if value >= 0 else IGNORE
    return DenseTarget(torch.from_numpy(present), torch.from_numpy(weight),
                       box=torch.from_numpy(boxes),
                       **{name: torch.from_numpy(values) for name, values in classes.items()})
