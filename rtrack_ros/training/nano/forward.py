"""rtrack-nano's forward pass for training: batched, with the dense heads beside it.

It runs the model's own modules, with one attention call for all images of a batch where the
library loops over them, and hands the visual tokens of one image to all its sentences. That it
equals the library's forward is tested.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen3VLForConditionalGeneration

from rtrack_ros.training.models.nano import IMAGE_SIZE
from rtrack_ros.training.nano.batches import Batch, DenseTarget
from rtrack_ros.training.nano.sequences import CELLS, IGNORE
from rtrack_ros.training.shards.frames import CATEGORIES, COLOURS, FACINGS

PATCH, MERGE = 16, 2
AUXILIARY_LAYER = 2
"""Text layer after which the dense head asks each thermal token: are you meant, and where?"""
LOOKING_LAYER, LOOKING_HEADS = 3, (0, 3)
"""Text layer and heads, one of each key-value group, taught to look at the box being written."""


class DenseHead(nn.Module):
    """Per visual token: an object here? which class, colours, heading; which box?

    The box is read out as four vectors compared with the language model's own number embeddings,
    so that the language model finds coordinates written in its own words and can copy them.

    Args:
        width: Features per token.
        hidden: Size of the number embeddings.
        attributes: Whether class, colours and heading are asked too, through a hidden layer. A
            head without them is linear: what it reads, attention can copy.
    """

    def __init__(self, width: int, hidden: int, attributes: bool) -> None:
        super().__init__()
        read = 256 if attributes else width
        self.trunk = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, read), nn.GELU()
                                   ) if attributes else nn.LayerNorm(width)
        self.present = nn.Linear(read, 1)
        self.box = nn.Linear(read, 4 * hidden)
        sizes = {'category': len(CATEGORIES), 'upper': len(COLOURS), 'lower': len(COLOURS),
                 'facing': len(FACINGS), 'moving': 2}
        # Attributes have a trunk of their own: the loud gradient of boxes would drown theirs.
        self.look = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 256), nn.GELU()
                                  ) if attributes else nn.Identity()
        self.attributes = nn.ModuleDict(
            {name: nn.Linear(256, size) for name, size in sizes.items()} if attributes else {})
        self.temperature = nn.Parameter(torch.tensor(3.0))

    def loss(self, tokens: Tensor, target: DenseTarget, numbers: Tensor, sigma: float
             ) -> dict[str, Tensor]:
        """Return the losses by name for tokens (N, CELLS, width)."""
        features = self.trunk(tokens)
        logits = self.present(features)[..., 0].float()
        losses = {'present': _focal(logits, target.present, target.weight)}
        chosen = target.present > 0
        picked = features[chosen]
        if picked.shape[0] == 0:
            return losses
        code = self.box(picked).view(picked.shape[0] * 4, -1)
        logits = in_float32(functional.linear, code, numbers) * self.temperature.exp()
        truth = target.box[chosen]
        losses['box'] = soft_number_loss(logits, truth.reshape(-1), sigma).mean()
        losses['overlap'] = expected_box_loss(logits, truth.float())
        look = self.look(tokens[chosen])
        for name, layer in self.attributes.items():
            known = getattr(target, name)[chosen]
            if bool((known != IGNORE).any()):  # the mean of none is no number
                losses[name] = functional.cross_entropy(layer(look).float(), known,
                                                        ignore_index=IGNORE)
        return losses


def _focal(logits: Tensor, present: Tensor, weight: Tensor) -> Tensor:
    plain = functional.binary_cross_entropy_with_logits(logits, present, reduction='none')
    sure = torch.exp(-plain)
    scaled = (1 - sure) ** 1.5 * plain * weight * torch.where(present > 0, 3.0, 1.0)
    return scaled.sum() / present.sum().clamp(min=1.0)


def in_float32(layer: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Return ``layer(*inputs)`` in float32, whatever the training's arithmetic.

    Coordinates a thousandth of the image apart have logits that bfloat16 cannot tell apart.
    """
    with torch.autocast(inputs[0].device.type, enabled=False):
        return layer(*(item.float() for item in inputs))


def soft_number_loss(logits: Tensor, values: Tensor, sigma: float) -> Tensor:
    """Return cross-entropy (n,) of number logits (n, 1001) to a Gaussian around the truth."""
    ladder = torch.arange(logits.shape[1], device=logits.device)
    distance = (ladder[None, :] - values[:, None]).float()
    share = torch.softmax(-0.5 * (distance / sigma) ** 2, dim=1)
    return -(share * functional.log_softmax(logits, dim=1)).sum(1)


def expected_box_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return 1 - GIoU plus the relative edge error of the boxes the logits expect.

    Args:
        logits: (4 n, 1001) number logits, x1, y1, x2, y2 of each box in turn.
        truth: (n, 4) boxes 0-1000.
    """
    ladder = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype)
    said = (torch.softmax(logits, dim=1) * ladder).sum(1).view(-1, 4)
    low, high = torch.maximum(said[:, :2], truth[:, :2]), torch.minimum(said[:, 2:], truth[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    sizes = [(box[:, 2:] - box[:, :2]).clamp(min=1) for box in (said, truth)]
    union = sizes[0].prod(1) + sizes[1].prod(1) - shared
    hull = (torch.maximum(said[:, 2:], truth[:, 2:])
            - torch.minimum(said[:, :2], truth[:, :2])).clamp(min=1).prod(1)
    giou = shared / union - (hull - union) / hull
    edges = (said - truth).abs() / sizes[1].repeat(1, 2)
    return (1 - giou).mean() + edges.clamp(max=3).mean()


@dataclass(eq=False)
class Seen:
    """Visual tokens of a batch: merged (B, I, CELLS, hidden) and one deep-stack layer likewise."""

    merged: Tensor
    deep: Tensor


class NanoForward(nn.Module):
    """The model with its training-only heads.

    Args:
        model: rtrack-nano.
        numbers: Token ids of the coordinates 0 to 1000.
    """

    def __init__(self, model: Qwen3VLForConditionalGeneration, numbers: list[int]) -> None:
        super().__init__()
        self.model = model
        hidden = model.config.text_config.hidden_size
        self.vision_head = DenseHead(2 * hidden, hidden, attributes=True)
        self.language_head = DenseHead(hidden, hidden, attributes=False)
        self.register_buffer('number_ids', torch.tensor(numbers))
        self._visual = model.model.visual
        self._caught: list[Tensor] = []
        model.model.language_model.layers[AUXILIARY_LAYER].register_forward_hook(
            lambda module, inputs, output: self._caught.append(output))
        self._attention: list[Tensor] = []
        model.model.language_model.layers[LOOKING_LAYER].self_attn.register_forward_hook(
            lambda module, inputs, output: self._attention.append(output[1]))
        self._prepare_grid()
        self.see_training: Callable[[Tensor], Seen] = self.see

    def _prepare_grid(self) -> None:
        from transformers.models.qwen3_vl import modeling_qwen3_vl as library
        grid = torch.tensor([[1, IMAGE_SIZE[1] // PATCH, IMAGE_SIZE[0] // PATCH]])
        visual = self._visual
        indices, weights = library.get_vision_interpolation_indices_and_weights(
            grid, num_grid_per_side=visual.num_grid_per_side, mode=visual.interpolation_mode,
            align_corners=visual.interpolation_align_corners,
            spatial_merge_size=visual.config.spatial_merge_size, kwargs={})
        places = library.get_vision_position_ids(grid, visual.spatial_merge_size, kwargs={})
        cos, sin = visual.rotary_pos_emb(torch.zeros(1), places)
        for name, value in (('_indices', indices), ('_weights', weights), ('_cos', cos),
                            ('_sin', sin)):
            self.register_buffer(name, value, persistent=False)

    def compile(self) -> None:
        """Let torch fuse the tower's element-wise steps; twice as fast once it has compiled."""
        self.see_training = torch.compile(self.see)

    def numbers(self) -> Tensor:
        """Return the embeddings of the coordinates, (1001, hidden)."""
        return self.model.get_input_embeddings().weight[self.number_ids]

    def see(self, images: Tensor) -> Seen:
        """Return the visual tokens of uint8 images (B, I, H, W, 3)."""
        count = images.shape[:2]
        hidden = self._embed(images.flatten(0, 1))
        place = (self._visual.pos_embed(self._indices) * self._weights[:, :, None]).sum(1)
        hidden = hidden.view(count[0] * count[1], -1, hidden.shape[-1]) + place.to(hidden.dtype)
        deep = None
        for number, block in enumerate(self._visual.blocks):
            hidden = hidden + self._attend(block.attn, block.norm1(hidden))
            hidden = hidden + block.mlp(block.norm2(hidden))
            if number in self._visual.deepstack_visual_indexes:
                deep = self._visual.deepstack_merger_list[0](hidden.flatten(0, 1))
        merged = self._visual.merger(hidden.flatten(0, 1))
        assert deep is not None
        return Seen(merged.view(*count, CELLS, -1), deep.view(*count, CELLS, -1))

    def _embed(self, images: Tensor) -> Tensor:
        """Return patch embeddings; both frames of a temporal patch are the same still image."""
        layer = self._visual.patch_embed.proj
        kernel = layer.weight.sum(2).flatten(1)
        return functional.linear(patches(images), kernel, layer.bias)

    def _attend(self, layer: nn.Module, hidden: Tensor) -> Tensor:
        count, length, width = hidden.shape
        qkv = layer.qkv(hidden).view(count * length, 3, layer.num_heads, -1)
        query, key, value = (item.view(count, length, layer.num_heads, -1).transpose(1, 2)
                             for item in qkv.unbind(1))
        query, key = self._turn(query), self._turn(key)
        attended = functional.scaled_dot_product_attention(query, key, value,
                                                           scale=layer.scaling)
        return layer.proj(attended.transpose(1, 2).reshape(count, length, width))

    def _turn(self, item: Tensor) -> Tensor:
        """Rotate queries or keys by their place in the image (N, heads, L, d)."""
        half = item.shape[-1] // 2
        turned = torch.cat([-item[..., half:], item[..., :half]], dim=-1)
        return item * self._cos.to(item.dtype) + turned * self._sin.to(item.dtype)

    def forget(self) -> None:
        """Drop what the hooks caught."""
        self._caught.clear()
        self._attention.clear()

    def looking_loss(self, batch: Batch) -> Tensor:
        """Return how little the looking heads of the last ``read`` attend to the box at hand.

        The mean negative logarithm of the attention on the two visual tokens, RGB and thermal of
        the last pair, in which the box at hand or the described object has its centre. It teaches
        copying early; the answer loss decides the rest.
        """
        weights = self._attention.pop()
        rows, columns, cells = batch.looks.unbind(1)
        if rows.numel() == 0:
            return weights.sum() * 0.0
        heads = torch.tensor(LOOKING_HEADS, device=rows.device)
        there = [weights[rows[:, None], heads[None, :], columns[:, None],
                         cells[:, None] + begin] for begin in batch.image_starts[-2:]]
        return -(there[0] + there[1]).float().clamp(min=1e-5).log().mean()

    def read(self, seen: Seen, batch: Batch, length: int | None = None, cache: object = None
             ) -> tuple[Tensor, Tensor]:
        """Return last hidden states (N, L, hidden) and the auxiliary layer's, for all sentences.

        Args:
            seen: Visual tokens of the batch.
            batch: Sequences.
            length: Columns to read; None for all.
            cache: Key-value cache to fill, for decoding.
        """
        repeat = batch.ids.shape[0] // seen.merged.shape[0]
        ids = batch.ids[:, :length]
        embedded = self.model.get_input_embeddings()(ids)
        merged = seen.merged.repeat_interleave(repeat, 0).to(embedded.dtype)
        visual = torch.zeros(ids.shape, dtype=torch.bool, device=ids.device)
        parts, end = [], 0
        for image, start in enumerate(batch.image_starts):
            parts += [embedded[:, end:start], merged[:, image]]
            end = start + CELLS
            visual[:, start:end] = True
        embedded = torch.cat([*parts, embedded[:, end:]], dim=1)
        deep = seen.deep.repeat_interleave(repeat, 0).flatten(0, 2)
        self.forget()
        output = self.model.model.language_model(
            inputs_embeds=embedded, attention_mask=batch.mask[:, :length],
            position_ids=batch.positions[:, :, :length], visual_pos_masks=visual,
            deepstack_visual_embeds=[deep], past_key_values=cache, use_cache=cache is not None)
        return output.last_hidden_state, self._caught.pop()


def patches(images: Tensor) -> Tensor:
    """Return flattened patches of uint8 images (N, H, W, 3), in the processor's merged order."""
    count, height, width, _ = images.shape
    scaled = images.permute(0, 3, 1, 2).float() / 127.5 - 1.0
    side = PATCH * MERGE
    grid = scaled.view(count, 3, height // side, MERGE, PATCH, width // side, MERGE, PATCH)
    order = grid.permute(0, 2, 5, 3, 6, 1, 4, 7)
    return order.reshape(-1, 3 * PATCH * PATCH)
