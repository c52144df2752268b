"""Random-weight models of the real Qwen-VL families, cut short, for rehearsals without a download.

The fields are those of Qwen2.5-VL-3B, Qwen3-VL-2B and, as far as they are known, Qwen3.5-2B.
Layers are cut to two and the vocabulary is that of rtrack-nano's tokenizer, which reads any text.
``width`` scales the hidden sizes down.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from rtrack_ros.engines.families import find_family
from rtrack_ros.training.models.chat_template import chat_template
from rtrack_ros.training.models.tokenizer import build_tokenizer

LAYERS = 2
_MEANS = {'qwen2_5_vl': ([0.48145466, 0.4578275, 0.40821073],
                         [0.26862954, 0.26130258, 0.27577711]),
          'qwen3_vl': ([0.5] * 3, [0.5] * 3), 'qwen3_5': ([0.5] * 3, [0.5] * 3)}


def write_random_qwen(family: str, folder: Path, image_size: tuple[int, int], width: float = 1.0
                      ) -> Path:
    """Write a model folder with random weights.

    Args:
        family: 'qwen2_5_vl', 'qwen3_vl' or 'qwen3_5'.
        folder: Where to.
        image_size: (width, height) in pixels, multiples of the family's visual token.
        width: Share of the real hidden sizes, 1 or 1/2, 1/4 ... 1/32; head sizes stay.

    Returns:
        The folder.
    """
    tokenizer = build_tokenizer()
    torch.manual_seed(0)
    model, patch = _build(family, tokenizer, width)
    model.generation_config.update(eos_token_id=tokenizer.eos_token_id,
                                   pad_token_id=tokenizer.pad_token_id)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    facts = find_family(family)
    (folder / 'chat_template.jinja').write_text(chat_template(facts.system, facts.answer_start))
    mean, deviation = _MEANS[family]
    area = image_size[0] * image_size[1]
    (folder / 'preprocessor_config.json').write_text(json.dumps({
        'image_processor_type': 'Qwen2VLImageProcessor', 'patch_size': patch,
        'temporal_patch_size': 2, 'merge_size': 2, 'image_mean': mean, 'image_std': deviation,
        'size': {'shortest_edge': area, 'longest_edge': area}}, indent=2) + '\n')
    manifest = facts.manifest(f'random-{family}')
    replace(manifest, image_size=image_size).write(folder)
    return folder


def _build(family: str, tokenizer: PreTrainedTokenizerFast, width: float
           ) -> tuple[PreTrainedModel, int]:
    """Return the model and the side of a patch in pixels."""
    if family == 'qwen2_5_vl':
        vision: dict[str, Any] = {
            'depth': LAYERS, 'hidden_size': int(1280 * width), 'num_heads': _heads(16, width),
            'intermediate_size': int(3420 * width), 'out_hidden_size': int(2048 * width),
            'patch_size': 14, 'window_size': 112, 'fullatt_block_indexes': [LAYERS - 1]}
        text = _text(2048, 11008, 16, 2, width) | {
            'rope_parameters': {'rope_type': 'default', 'rope_theta': 1e6,
                                'mrope_section': [16, 24, 24]}}
        return Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(**_joint(text, vision, tokenizer))), 14
    vision = {'depth': LAYERS, 'hidden_size': int(1024 * width), 'num_heads': _heads(16, width),
              'intermediate_size': int(4096 * width), 'out_hidden_size': int(2048 * width),
              'patch_size': 16, 'num_position_embeddings': 2304}
    if family == 'qwen3_5':
        text = _text(2048, 6144, 8, 2, width) | {
            'head_dim': 256, 'layer_types': ['linear_attention', 'full_attention'],
            'linear_num_key_heads': _heads(16, width), 'linear_num_value_heads': _heads(16, width),
            'rope_parameters': {'rope_type': 'default', 'rope_theta': 1e7,
                                'partial_rotary_factor': 0.25, 'mrope_section': [11, 11, 10],
                                'mrope_interleaved': True}}
        return Qwen3_5ForConditionalGeneration(
            Qwen3_5Config(**_joint(text, vision, tokenizer))), 16
    vision |= {'deepstack_visual_indexes': [0, LAYERS - 1]}
    text = _text(2048, 6144, 16, 8, width) | {
        'head_dim': 128, 'rope_parameters': {
            'rope_type': 'default', 'rope_theta': 5e6, 'mrope_section': [24, 20, 20],
            'mrope_interleaved': True}}
    return Qwen3VLForConditionalGeneration(Qwen3VLConfig(**_joint(text, vision, tokenizer))), 16


def _heads(real: int, width: float) -> int:
    return max(int(real * width), 1)


def _text(hidden: int, intermediate: int, heads: int, groups: int, width: float) -> dict[str, Any]:
    return {'hidden_size': int(hidden * width), 'intermediate_size': int(intermediate * width),
            'num_hidden_layers': LAYERS, 'num_attention_heads': _heads(heads, width),
            'num_key_value_heads': _heads(groups, width), 'max_position_embeddings': 32768}


def _joint(text: dict[str, Any], vision: dict[str, Any], tokenizer: PreTrainedTokenizerFast
           ) -> dict[str, Any]:
    token = tokenizer.convert_tokens_to_ids
    ends = {'eos_token_id': token('<|im_end|>'), 'pad_token_id': token('<|endoftext|>')}
    text |= {'vocab_size': len(tokenizer), 'tie_word_embeddings': True, 'bos_token_id': None}
    vision |= {'spatial_merge_size': 2, 'temporal_patch_size': 2}
    return {'text_config': text | ends, 'vision_config': vision, 'tie_word_embeddings': True,
            'image_token_id': token('<|image_pad|>'), 'video_token_id': token('<|video_pad|>'),
            'vision_start_token_id': token('<|vision_start|>'),
            'vision_end_token_id': token('<|vision_end|>'), **ends}
