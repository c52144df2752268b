"""Checkpoints of a few bytes, and machines that are not here."""

import json
import struct
from pathlib import Path

import pytest

from rtrack_ros.engines.targets.machine import Machine

SHAPES = {'model.language_model.embed_tokens.weight': (1000, 10),
          'model.language_model.layers.0.mlp.weight': (50, 100),
          'model.visual.patch_embed.weight': (20, 30)}

@pytest.fixture
def write_checkpoint():
    """Writes a checkpoint into a folder, quantised as its second argument says."""
    return written


@pytest.fixture
def orin():
    return Machine('NVIDIA Jetson AGX Orin Developer Kit', '8.7', '', 64.0, 50.0, 'aarch64',
                   (39, 2))


@pytest.fixture
def rtx():
    return Machine('NVIDIA GeForce RTX 3090', '8.6', '580.95.05', 25.3, 24.0, 'x86_64')


def written(folder: Path, quantised: dict | None = None) -> Path:
    """Write a checkpoint of 16-bit zeros in the layout of safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    header, begin = {'__metadata__': {'format': 'pt'}}, 0
    for name, (rows, columns) in SHAPES.items():
        end = begin + rows * columns * 2
        header[name] = {'dtype': 'BF16', 'shape': [rows, columns], 'data_offsets': [begin, end]}
        begin = end
    text = json.dumps(header).encode()
    (folder / 'model.safetensors').write_bytes(struct.pack('<Q', len(text)) + text + bytes(begin))
    config = {'model_type': 'qwen3_vl'} | ({'quantization_config': quantised} if quantised else {})
    (folder / 'config.json').write_text(json.dumps(config))
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return written(tmp_path / 'Qwen3-VL-2B-Instruct')
