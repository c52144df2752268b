"""The vision tower of a Qwen3-VL as a GGUF file, which llama.cpp calls the projector."""

import math
import re
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.llamacpp.source import Source
from rtrack_ros.engines.llamacpp.tensors import add_tensor, finish

PREFIX: Final = 'model.visual.'
_PATCHES: Final = 'v.patch_embd.weight'
_POSITIONS: Final = 'v.position_embd.weight'
_MERGER: Final = {'norm': 'v.post_ln', 'linear_fc1': 'mm.0', 'linear_fc2': 'mm.2'}
_DEEPSTACK: Final = {'norm': 'norm', 'linear_fc1': 'fc1', 'linear_fc2': 'fc2'}
_NORM_EPSILON: Final = 1e-6
"""Of the layer norms of the tower; no configuration names it."""


def write_projector(path: Path, source: Source) -> None:
    """Write the vision tower, weights as f16.

    It is quantised in no published pair either: it is small, and its errors move boxes.

    Args:
        path: The file to write.
        source: The model.

    Raises:
        EngineError: the model holds something that llama.cpp has no place for.
    """
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.MMPROJ])
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_name(source.name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.QWEN3VL)
    _write_shape(writer, source.vision)
    writer.add_vision_image_mean(source.preprocessor['image_mean'])
    writer.add_vision_image_std(source.preprocessor['image_std'])
    for name in source.weights:
        if name.startswith(PREFIX):
            _write_tensor(writer, source, name)
    finish(writer)


def _write_shape(writer: 'gguf.GGUFWriter', vision: dict[str, Any]) -> None:
    side = math.isqrt(vision['num_position_embeddings']) * vision['patch_size']
    writer.add_vision_image_size(side)
    writer.add_vision_patch_size(vision['patch_size'])
    writer.add_vision_spatial_merge_size(vision['spatial_merge_size'])
    writer.add_vision_embedding_length(vision['hidden_size'])
    writer.add_vision_feed_forward_length(vision['intermediate_size'])
    writer.add_vision_block_count(vision['depth'])
    writer.add_vision_head_count(vision['num_heads'])
    writer.add_vision_projection_dim(vision['out_hidden_size'])
    writer.add_vision_attention_layernorm_eps(_NORM_EPSILON)
    writer.add_vision_use_gelu(True)
    writer.add_vision_is_deepstack_layers([layer in vision['deepstack_visual_indexes']
                                           for layer in range(vision['depth'])])


def _write_tensor(writer: 'gguf.GGUFWriter', source: Source, name: str) -> None:
    written, tensor = tensor_name(name, source.vision), source.weights[name]
    if written == _PATCHES:
        # A patch is seen twice, as two frames of a video; llama.cpp has a kernel for each frame.
        for frame in range(tensor.shape[2]):
            writer.add_tensor(written + (f'.{frame}' if frame else ''),
                              np.ascontiguousarray(tensor[:, :, frame]))
    elif written == _POSITIONS:
        writer.add_tensor(written, np.ascontiguousarray(tensor))  # interpolated as float32
    else:
        add_tensor(writer, written, tensor, 'f16')


def tensor_name(name: str, vision: dict[str, Any]) -> str:
    """Return the name in the GGUF file of a tensor of ``model.safetensors``.

    Args:
        name: Its name, from ``PREFIX`` on.
        vision: The configuration of the tower.

    Raises:
        EngineError: llama.cpp has no place for it.
    """
    inner, _, kind = name.removeprefix(PREFIX).rpartition('.')
    if inner.startswith('merger.') and inner[7:] in _MERGER:
        return f'{_MERGER[inner[7:]]}.{kind}'
    if found := re.fullmatch(r'deepstack_merger_list\.(\d+)\.(\w+)', inner):
        # Named after the layer whose output they take.
        layer = vision['deepstack_visual_indexes'][int(found[1])]
        return f'v.deepstack.{layer}.{_DEEPSTACK[found[2]]}.{kind}'
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MMPROJ, vision['depth'])
    known = names.get_name(f'visual.{inner}')
    if known is None:
        raise EngineError(f'{name} has no place in a GGUF file of a Qwen3-VL; only folders that '
                          'rtrack train wrote can be converted')
    return f'{known}.{kind}'
