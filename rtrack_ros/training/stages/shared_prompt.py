"""Sampling answers and their likelihood, each prompt read once for all its answers.

The answers of a group continue one prompt. For rtrack-nano a prompt is some 130 tokens and an
answer some 15: read once, with its keys and values handed to every answer, sampling costs a third
and the gradient a fifth. Keys, values and the last hidden state of a prompt keep their graph, so
that likelihoods and gradients are those of reading every row whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, GenerationConfig, PreTrainedModel

from rtrack_ros.training.stages.shared_vision import image_key


@dataclass(frozen=True, eq=False)
class Prompts:
    """Prompts as TRL's trainer holds them, one for each answer.

    Attributes:
        ids: int64 (B, P), padded on the left.
        mask: int64 (B, P), 1 on tokens.
        kinds: int64 (B, P), 1 on image tokens (``mm_token_type_ids``).
        pixels: Patches of all images, (sum of all grids, width).
        grids: int64 (images, 3), patches along (time, height, width).
        images: Images of each prompt.
    """

    ids: Tensor
    mask: Tensor
    kinds: Tensor
    pixels: Tensor
    grids: Tensor
    images: Sequence[int]


@dataclass(frozen=True, eq=False)
class Read:
    """Prompts that were read.

    Attributes:
        hidden: Hidden state of the last token, (B, 1, H).
        cache: Keys and values of every prompt.
        place: int64 (B,), M-RoPE position of the first token of the answer.
    """

    hidden: Tensor
    cache: DynamicCache
    place: Tensor


def can_share(model: nn.Module) -> bool:
    """Return whether the model can be read in two parts: unwrapped, activations kept.

    Layers of linear attention, which Qwen3.5 has, keep a state that cannot be handed to several
    answers.
    """
    if not isinstance(model, PreTrainedModel) or model.is_activation_checkpointing:
        return False
    layers = getattr(model.config.get_text_config(), 'layer_types', None) or ()
    return 'linear_attention' not in layers


def can_sample(config: GenerationConfig) -> bool:
    """Return whether answers are drawn from the plain distribution, at any temperature."""
    return (bool(config.do_sample) and config.top_p in (None, 1.0) and not config.top_k
            and not config.min_p and config.repetition_penalty in (None, 1.0))


def read_prompts(model: PreTrainedModel, prompts: Prompts) -> Read:
    """Read every distinct prompt once: equal text about equal images."""
    patches = prompts.pixels.split(prompts.grids.prod(-1).tolist())
    ends = torch.tensor([0, *prompts.images]).cumsum(0).tolist()
    spans = [range(begin, end) for begin, end in zip(ends, ends[1:], strict=False)]
    first, group = _groups(prompts, patches, spans)
    chosen = [image for row in first for image in spans[row]]
    cache = DynamicCache(config=model.config.get_text_config())
    output = model.model(
        input_ids=prompts.ids[first], attention_mask=prompts.mask[first],
        mm_token_type_ids=prompts.kinds[first],
        pixel_values=torch.cat([patches[image] for image in chosen]),
        image_grid_thw=prompts.grids[chosen], past_key_values=cache, use_cache=True)
    cache.batch_select_indices(group)
    place = prompts.mask.sum(1) + model.model.rope_deltas[group, 0]
    return Read(output.last_hidden_state[:, -1:][group], cache, place)


def _groups(prompts: Prompts, patches: Sequence[Tensor], spans: Sequence[range]
            ) -> tuple[list[int], Tensor]:
    """Return a row of each distinct prompt, and the number of its prompt for every row."""
    pictures = [image_key(image, grid) for image, grid in zip(patches, prompts.grids.tolist(),
                                                              strict=True)]
    found: dict[tuple[Any, ...], int] = {}
    first, group = [], []
    for row, (ids, span) in enumerate(zip(prompts.ids.tolist(), spans, strict=True)):
        key = (*ids, *(pictures[image] for image in span))
        if key not in found:
            found[key] = len(found)
            first.append(row)
        group.append(found[key])
    return first, torch.tensor(group, device=prompts.ids.device)


def answer_likelihoods(model: PreTrainedModel, prompts: Prompts, answers: Tensor, mask: Tensor,
                       temperature: float) -> tuple[Tensor, Tensor]:
    """Return log-likelihood and entropy of every answer token, (B, T) each, 0 beyond the answer.

    Args:
        model: A Qwen-VL model.
        prompts: One for each answer.
        answers: int64 (B, T), padded on the right.
        mask: int64 (B, T), 1 on tokens.
        temperature: Divides the logits, as it does where answers are sampled.
    """
    read = read_prompts(model, prompts)
    hidden = read.hidden
    if answers.shape[1] > 1:
        steps = torch.arange(answers.shape[1] - 1, device=answers.device)
        output = model.model(
            input_ids=answers[:, :-1], past_key_values=read.cache, use_cache=True,
            attention_mask=torch.cat([prompts.mask, mask[:, :-1]], dim=1),
            position_ids=(read.place[:, None] + steps).expand(3, -1, -1))
        hidden = torch.cat([hidden, output.last_hidden_state], dim=1)
    logits = model.get_output_embeddings()(hidden).float() / temperature
    spread = torch.log_softmax(logits, dim=-1)
    chosen = spread.gather(-1, answers[..., None])[..., 0]
    entropy = -(spread.detach().exp() * spread.detach()).sum(-1)
    return chosen * mask, entropy * mask


@torch.no_grad()
def sample_answers(model: PreTrainedModel, prompts: Prompts, config: GenerationConfig
                   ) -> list[list[int]]:
    """Return the token ids of an answer to each prompt, the stop token included if it came.

    Args:
        model: A Qwen-VL model.
        prompts: One for each answer.
        config: Temperature, longest answer, stop tokens, and tokens never said.
    """
    read = read_prompts(model, prompts)
    hidden, place, mask = read.hidden, read.place, prompts.mask
    stops = torch.tensor(config.eos_token_id, device=mask.device).reshape(-1)
    answers: list[list[int]] = [[] for _ in prompts.ids]
    asked = torch.arange(len(answers), device=mask.device)
    for step in range(config.max_new_tokens):
        token = _draw(model.get_output_embeddings()(hidden[:, -1]), config)
        for row, said in zip(asked.tolist(), token.tolist(), strict=True):
            answers[row].append(said)
        going = (~torch.isin(token, stops)).nonzero()[:, 0]
        if not len(going) or step + 1 == config.max_new_tokens:
            break
        if len(going) < len(asked):  # answers that ended are let go of
            read.cache.batch_select_indices(going)
            asked, token, place, mask = (part[going] for part in (asked, token, place, mask))
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        hidden = model.model(input_ids=token[:, None], attention_mask=mask, use_cache=True,
                             position_ids=(place + step).expand(3, -1)[..., None],
                             past_key_values=read.cache).last_hidden_state
    return answers


def _draw(logits: Tensor, config: GenerationConfig) -> Tensor:
    """Return a token drawn for each row of logits (n, vocabulary)."""
    logits = logits.float() / (config.temperature or 1.0)
    if config.suppress_tokens:
        logits[:, config.suppress_tokens] = float('-inf')
    return torch.multinomial(torch.softmax(logits, dim=-1), 1)[:, 0]
