"""rtrack-nano: a Qwen3-VL of about four million parameters, built from scratch and saved to disk.

The folder it writes loads by the ordinary ``AutoModelForImageTextToText`` and processor classes.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration

from rtrack_ros.files import whole_folder
from rtrack_ros.training.models.chat_template import chat_template
from rtrack_ros.training.models.tokenizer import NUMBERS, number_token_ids

IMAGE_SIZE = (256, 192)
"""(width, height) in pixels to which both images are resized; 8 x 6 visual tokens each."""
LABELS = ('person', 'car', 'cyclist')


def build_config(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLConfig:
    """Return the architecture: 5 text layers of 192, 4 vision layers of 144."""
    token = tokenizer.convert_tokens_to_ids
    text = {
        'vocab_size': len(tokenizer), 'hidden_size': 192, 'intermediate_size': 448,
        'num_hidden_layers': 5, 'num_attention_heads': 6, 'num_key_value_heads': 2,
        'head_dim': 32, 'max_position_embeddings': 2048, 'tie_word_embeddings': True,
        'rope_parameters': {'rope_type': 'default', 'mrope_section': [6, 5, 5],
                            'mrope_interleaved': True, 'rope_theta': 10000.0},
        'bos_token_id': None, 'eos_token_id': token('<|im_end|>'),
        'pad_token_id': token('<|endoftext|>')}
    vision = {
        'depth': 4, 'hidden_size': 144, 'intermediate_size': 432, 'num_heads': 4,
        'patch_size': 16, 'spatial_merge_size': 2, 'temporal_patch_size': 2,
        'out_hidden_size': 192, 'num_position_embeddings': 256, 'deepstack_visual_indexes': [1],
        'hidden_act': 'gelu_pytorch_tanh'}
    return Qwen3VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=True,
        image_token_id=token('<|image_pad|>'), video_token_id=token('<|video_pad|>'),
        vision_start_token_id=token('<|vision_start|>'),
        vision_end_token_id=token('<|vision_end|>'),
        eos_token_id=token('<|im_end|>'), pad_token_id=token('<|endoftext|>'))


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen3VLForConditionalGeneration:
    """Return a fresh model whose number embeddings start as smooth functions of the number.

    Neighbouring coordinates share most of a Fourier code, so that a slightly wrong coordinate is
    a slightly wrong logit, and learning to point becomes regression in disguise.
    """
    torch.manual_seed(seed)
    config = build_config(tokenizer)
    config._attn_implementation = 'eager'
    model = Qwen3VLForConditionalGeneration(config)
    _initialise(model, len(model.model.visual.blocks))
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        code = _fourier_code(config.text_config.hidden_size)
        table[number_token_ids(tokenizer)] = 0.08 * code
        visual = model.model.visual
        visual.pos_embed.weight.copy_(
            _grid_code(visual.num_grid_per_side, config.vision_config.hidden_size))
    return model


def _initialise(model: Qwen3VLForConditionalGeneration, depth: int) -> None:
    """Scale every matrix by its inputs; the library's constant 0.02 suits models ten times wider.

    What is added to the residual stream is scaled down by the number of additions.
    """
    for name, layer in model.named_modules():
        if not isinstance(layer, nn.Linear) or name == 'lm_head':
            continue
        last = name.endswith(('attn.proj', 'linear_fc2', 'o_proj', 'down_proj'))
        inside = 'merger' not in name
        gain = (2 * depth) ** -0.5 if last and inside else 1.0
        nn.init.normal_(layer.weight, std=gain * layer.in_features ** -0.5)


def _fourier_code(width: int) -> Tensor:
    """Return sines and cosines of the numbers 0 to 1000, (1001, width), from 0.5 to 40 periods."""
    values = torch.arange(NUMBERS, dtype=torch.float32)[:, None] / 1000.0
    turns = 2 * torch.pi * torch.logspace(-0.3, 1.6, width // 2)[None, :] * values
    return torch.cat([torch.sin(turns), torch.cos(turns)], dim=1)


def _grid_code(side: int, width: int) -> Tensor:
    """Return sines and cosines of row and column, (side * side, width): place from step 0."""
    place = torch.linspace(0, 1, side)[:, None]
    turns = 2 * torch.pi * torch.logspace(-0.6, 0.9, width // 4)[None, :] * place
    axis = torch.cat([torch.sin(turns), torch.cos(turns)], dim=1)
    rows = axis[:, None, :].expand(side, side, -1)
    columns = axis[None, :, :].expand(side, side, -1)
    return 0.5 * torch.cat([rows, columns], dim=2).reshape(side * side, -1)


def save_nano(model: Qwen3VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast,
              folder: Path, tasks: Sequence[str] = ('ground',)) -> None:
    """Write weights (float16), configuration, tokenizer and processor files to ``folder``.

    Matrices are rounded to the grid of 8-bit weights, so that an int8 export is the same model.
    The folder is replaced if it is there; it is whole or not there at all.
    """
    keep = {name: on_int8_grid(value).to(torch.float16)
            for name, value in model.state_dict().items()}
    twin = Qwen3VLForConditionalGeneration(model.config).to(torch.float16)
    twin.load_state_dict(keep)
    twin.generation_config.update(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    with whole_folder(folder) as draft:
        twin.save_pretrained(draft)
        tokenizer.save_pretrained(draft)
        _write_facts(draft, tasks)


def _write_facts(folder: Path, tasks: Sequence[str]) -> None:
    """Write what others must know to use the weights."""
    (folder / 'chat_template.jinja').write_text(chat_template())
    area = IMAGE_SIZE[0] * IMAGE_SIZE[1]
    _write_json(folder / 'preprocessor_config.json', {
        'image_processor_type': 'Qwen2VLImageProcessor', 'processor_class': 'Qwen3VLProcessor',
        'patch_size': 16, 'temporal_patch_size': 2, 'merge_size': 2,
        'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5],
        'rescale_factor': 1 / 255, 'resample': 3, 'do_convert_rgb': True,
        'size': {'shortest_edge': area, 'longest_edge': area}})
    _write_json(folder / 'rtrack.json', {
        'name': 'rtrack-nano', 'bbox_protocol': 'rel1000', 'image_size': list(IMAGE_SIZE),
        'labels': list(LABELS), 'prompt': 'brief', 'max_boxes': 12,
        'refine': True, 'split_sentences': True,
        'tasks': list(tasks)})


def on_int8_grid(weight: Tensor) -> Tensor:
    """Return a matrix rounded to 256 even steps per row, between the row's extremes and 0.

    This is the grid of asymmetric 8-bit weights with one scale per output channel; rounding twice
    changes nothing. Vectors, which are kept in floating point, are returned as they are.
    """
    if weight.ndim < 2 or not weight.is_floating_point():
        return weight
    rows = weight.detach().float().flatten(1)
    low, high = rows.amin(1, keepdim=True).clamp(max=0), rows.amax(1, keepdim=True).clamp(min=0)
    step = ((high - low) / 255).clamp(min=1e-12)
    zero = torch.round(-low / step)
    levels = (torch.round(rows / step) + zero).clamp(0, 255)
    return ((levels - zero) * step).view_as(weight)


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + '\n')
