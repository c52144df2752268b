"""The language model of a Qwen3-VL as a GGUF file."""

from pathlib import Path
from typing import Any, Final

import gguf

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.llamacpp.source import Source
from rtrack_ros.engines.llamacpp.tensors import add_tensor, finish
from rtrack_ros.engines.llamacpp.vocabulary import write_vocabulary

PREFIX: Final = 'model.language_model.'
_HEAD: Final = 'lm_head.weight'
_FILE_TYPES: Final = {'f16': gguf.LlamaFileType.MOSTLY_F16, 'q8_0': gguf.LlamaFileType.MOSTLY_Q8_0}


def write_language_model(path: Path, source: Source, precision: str) -> None:
    """Write the language model with its vocabulary and chat template.

    Args:
        path: The file to write.
        source: The model.
        precision: Of the weights, 'f16' or 'q8_0'.

    Raises:
        EngineError: the model holds something that llama.cpp has no place for.
    """
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.QWEN3VL])
    writer.add_name(source.name)
    writer.add_file_type(_FILE_TYPES[precision])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _write_shape(writer, source.text, len(source.vision['deepstack_visual_indexes']))
    write_vocabulary(writer, source.tokenizer, source.text['vocab_size'])
    writer.add_eos_token_id(source.config['eos_token_id'])
    writer.add_pad_token_id(source.config['pad_token_id'])
    writer.add_add_bos_token(False)
    writer.add_chat_template(source.chat_template)
    _write_tensors(writer, source, precision)
    finish(writer)


def _write_shape(writer: 'gguf.GGUFWriter', text: dict[str, Any], deepstack: int) -> None:
    """Write the sizes of the model; ``deepstack`` counts the vision features it adds by layer."""
    rope = text['rope_parameters']
    writer.add_context_length(text['max_position_embeddings'])
    writer.add_embedding_length(text['hidden_size'])
    writer.add_block_count(text['num_hidden_layers'])
    writer.add_feed_forward_length(text['intermediate_size'])
    writer.add_head_count(text['num_attention_heads'])
    writer.add_head_count_kv(text['num_key_value_heads'])
    writer.add_key_length(text['head_dim'])
    writer.add_value_length(text['head_dim'])
    writer.add_layer_norm_rms_eps(text['rms_norm_eps'])
    writer.add_vocab_size(text['vocab_size'])
    writer.add_rope_freq_base(rope['rope_theta'])
    writer.add_rope_dimension_count(text['head_dim'])
    # Time, height, width; llama.cpp has a fourth that Qwen does not use.
    writer.add_rope_dimension_sections([*rope['mrope_section'], 0])
    writer.add_num_deepstack_layers(deepstack)


def _write_tensors(writer: 'gguf.GGUFWriter', source: Source, precision: str) -> None:
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3VL, source.text['num_hidden_layers'])
    for name in source.weights:
        if not name.startswith(PREFIX) and name != _HEAD:
            continue
        known = name.replace(PREFIX, 'model.')
        written = names.get_name(known, try_suffixes=('.weight', '.bias'))
        if written is None:
            raise EngineError(f'{name} has no place in a GGUF file of a Qwen3-VL; only folders '
                              'that rtrack train wrote can be converted')
        add_tensor(writer, written, source.weights[name], precision)
