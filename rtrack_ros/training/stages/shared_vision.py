"""The vision tower runs once for each distinct image, however often it stands in a batch.

In a group of G answers all rows show the same images, and TRL's trainers encode every row, when
answers are sampled and again whenever their likelihood is computed. Equal images have equal
features, so that encoding one and handing it to all changes neither outputs nor gradients; what a
frozen tower said is even kept from one call to the next.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

KEPT_IMAGES: Final = 256
"""Images whose features are kept while the tower is frozen; 0.1 MB each for rtrack-nano."""

Features = tuple[Tensor, ...]
"""Of one image: merged tokens (n, hidden), then those of every deep-stack layer."""


class SharedVision:
    """Stands in for ``get_image_features`` of a Qwen-VL model.

    Args:
        encode: The method it stands in for: patches (sum of all grids, width) and grids
            (images, 3) in, features split by image out.
        tower: The vision tower. Features are kept between calls where none of it learns; its
            weights must not be replaced after the first call then.
        kept: Number of images to keep.
    """

    def __init__(self, encode: Callable[..., Any], tower: nn.Module, kept: int = KEPT_IMAGES
                 ) -> None:
        self._encode, self._tower, self._kept = encode, tower, kept
        self._memory: OrderedDict[bytes, Features] = OrderedDict()
        self._kind: type[Any] = object

    def __call__(self, pixel_values: Tensor, image_grid_thw: Tensor, **options: Any) -> Any:
        """Return what the method returns; equal images share their features."""
        images = pixel_values.split(image_grid_thw.prod(-1).tolist())
        keys = [image_key(image, grid) for image, grid in zip(images, image_grid_thw.tolist(),
                                                         strict=True)]
        known = dict(self._memory)
        # Of equal images the last one is encoded, which is as good as the first.
        missing = {key: number for number, key in enumerate(keys) if key not in known}
        if missing:
            chosen = list(missing.values())
            output = self._encode(torch.cat([images[number] for number in chosen]),
                                  image_grid_thw[chosen], **options)
            known |= dict(zip(missing, _by_image(output), strict=True))
            self._kind = type(output)
        if not any(value.requires_grad for value in self._tower.parameters()):
            self._remember({key: known[key] for key in keys})
        return _output(self._kind, [known[key] for key in keys])

    def _remember(self, used: dict[bytes, Features]) -> None:
        """Keep what was used last."""
        for key, features in used.items():
            self._memory[key] = features
            self._memory.move_to_end(key)
        while len(self._memory) > self._kept:
            self._memory.popitem(last=False)


def share_vision(model: PreTrainedModel) -> None:
    """Let a Qwen-VL model encode each distinct image of a call once, in place."""
    inner = model.model
    inner.get_image_features = SharedVision(inner.get_image_features, inner.visual)


def image_key(image: Tensor, grid: Sequence[int]) -> bytes:
    """Return a digest of the pixels and the shape of an image."""
    pixels = image.detach().cpu().contiguous().view(torch.uint8).numpy()
    return hashlib.sha256(pixels).digest() + repr(grid).encode()


def _by_image(output: Any) -> list[Features]:
    deep = getattr(output, 'deepstack_features', None) or []
    return list(zip(output.pooler_output, *deep, strict=True))


def _output(kind: type[Any], rows: Sequence[Features]) -> Any:
    merged, *deep = zip(*rows, strict=True)
    fields = {'deepstack_features': deep} if deep else {}
    return kind(pooler_output=merged, **fields)
