"""rtrack-nano in GGUF is rtrack-nano."""

import json
import shutil
import urllib.request

import numpy as np
import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.chat import chat_text
from rtrack_ros.engines.compiled import CompiledModel, StaleExportError, weights_digest
from rtrack_ros.engines.llamacpp.weights import Weights
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.language.prompts import (
    describe_prompt,
    ground_prompt,
    locate_prompt,
    verify_prompt,
)


@pytest.fixture(scope='module')
def gguf(installed):
    return pytest.importorskip('gguf', reason='the llamacpp extra is not installed')


@pytest.fixture(scope='module')
def read(gguf, pairs):
    """Read the tensors of a file by precision and part of its name."""
    def tensors(precision, start):
        path, = pairs[precision].glob(f'{start}*.gguf')
        return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    return tensors


@pytest.fixture
def copy(nano, tmp_path):
    """A copy of the model's folder, without exports."""
    folder = tmp_path / 'model'
    shutil.copytree(nano, folder, ignore=shutil.ignore_patterns('openvino', 'llamacpp'))
    return folder


@pytest.fixture
def export(installed):
    from rtrack_ros.engines.llamacpp.export import export_llamacpp
    return export_llamacpp


def test_every_weight_is_there_once_and_right(nano, read):
    source = Weights(nano)
    sizes = sum(tensor.n_elements for start in ('rtrack', 'mmproj')
                for tensor in read('f16', start).values())
    assert sizes == sum(source[name].size for name in source)
    language, vision = read('f16', 'rtrack'), read('f16', 'mmproj')
    for tensors, written, name in [
            (language, 'token_embd.weight', 'model.language_model.embed_tokens.weight'),
            (language, 'blk.4.ffn_down.weight',
             'model.language_model.layers.4.mlp.down_proj.weight'),
            (vision, 'v.blk.3.attn_qkv.weight', 'model.visual.blocks.3.attn.qkv.weight'),
            (vision, 'mm.2.weight', 'model.visual.merger.linear_fc2.weight'),
            (vision, 'v.deepstack.1.fc1.bias',
             'model.visual.deepstack_merger_list.0.linear_fc1.bias')]:
        np.testing.assert_array_equal(np.asarray(tensors[written].data, np.float32), source[name])


def test_the_two_frames_of_a_patch_become_two_kernels(nano, read):
    vision = read('f16', 'mmproj')
    kernel = Weights(nano)['model.visual.patch_embed.proj.weight']
    for frame, name in enumerate(('v.patch_embd.weight', 'v.patch_embd.weight.1')):
        np.testing.assert_array_equal(vision[name].data, kernel[:, :, frame])


def test_q8_0_keeps_every_weight_within_a_rounded_step(gguf, nano, read):
    source, tensors = Weights(nano), read('q8_0', 'rtrack')
    kinds = {tensor.tensor_type.name for tensor in tensors.values() if len(tensor.shape) > 1}
    assert kinds == {'Q8_0'}
    tensor = tensors['blk.0.attn_q.weight']
    weights = source['model.language_model.layers.0.self_attn.q_proj.weight']
    got = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    steps = np.abs(weights).reshape(-1, 32).max(axis=1) / 127
    assert (np.abs(got - weights).reshape(-1, 32).max(axis=1) <= 0.6 * steps).all()


def test_norms_and_the_projector_are_never_quantised(read):
    assert {tensor.tensor_type.name for tensor in read('q8_0', 'mmproj').values()} == {
        'F16', 'F32'}
    assert read('q8_0', 'rtrack')['blk.0.attn_norm.weight'].tensor_type.name == 'F32'


@pytest.mark.parametrize('precision', ['f16', 'q8_0'])
def test_what_it_was_made_from_is_written_beside_it(nano, pairs, precision):
    facts = CompiledModel.read(pairs[precision])
    assert (facts.engine, facts.precision) == ('llamacpp', precision)
    assert facts.weights_sha256 == weights_digest(nano)
    assert facts.runtime.startswith('gguf ')


def test_an_export_lies_in_the_model_and_replaces_the_one_before(copy, export):
    assert export(copy, 'q8_0') == copy / 'llamacpp'
    export(copy, 'f16')
    assert sorted(path.name for path in (copy / 'llamacpp').iterdir()) == [
        'compiled.json', 'mmproj-rtrack-nano-f16.gguf', 'rtrack-nano-f16.gguf']
    assert not (copy / 'llamacpp.part').exists()


@pytest.mark.parametrize('file, change, said', [
    ('config.json', lambda text: text.replace('"qwen3_vl"', '"llava"'), 'holds a llava'),
    ('tokenizer.json', lambda text: text.replace(',\\u0120', 'x').replace(',Ġ', 'x'),
     'tokenizer is not one of rtrack-nano'),
    ('config.json', lambda text: '{', 'config.json is not readable'),
    ('chat_template.jinja', None, 'chat_template.jinja is missing'),
    ('model.safetensors', None, 'model.safetensors is missing'),
])
def test_what_cannot_be_converted_leaves_the_export_before(copy, export, file, change, said):
    export(copy)
    if change is None:
        (copy / file).unlink()
    else:
        (copy / file).write_text(change((copy / file).read_text()))
    with pytest.raises(EngineError, match=said):
        export(copy)
    assert len(list((copy / 'llamacpp').glob('*.gguf'))) == 2
    assert not (copy / 'llamacpp.part').exists()


def test_an_export_of_other_weights_is_refused_with_the_command(copy, export):
    export(copy)
    weights = copy / 'model.safetensors'
    weights.write_bytes(weights.read_bytes()[:-1] + b'\x01')
    with pytest.raises(StaleExportError, match=f'compile --model {copy} --engine llamacpp'):
        load_engine('llamacpp', copy)


def test_a_model_folder_is_all_that_must_be_named(copy, export):
    export(copy)
    engine = load_engine('llamacpp', copy)
    assert engine.capabilities().precision == 'f16'
    engine.close()


def test_a_precision_that_is_not_llamacpps_is_refused(copy, export):
    with pytest.raises(EngineError, match='choose one of f16, q8_0'):
        export(copy, 'int8')


def test_a_tensor_without_a_place_is_not_left_out_silently(installed):
    from rtrack_ros.engines.llamacpp.projector import tensor_name
    with pytest.raises(EngineError, match=r'model.visual.extra.weight has no place'):
        tensor_name('model.visual.extra.weight', {'depth': 4, 'deepstack_visual_indexes': [1]})


BOX = (412.0, 96.0, 577.0, 1000.0)


@pytest.mark.parametrize('prompt', [
    ground_prompt('the person, who walks away from the 2 red cars'),
    ground_prompt("nobody's umbrella -- 12:30 (left)"), verify_prompt('the grey car', BOX),
    describe_prompt(BOX), locate_prompt(BOX)],
    ids=['ground', 'odd sentence', 'verify', 'describe', 'locate'])
def test_prompts_are_cut_into_the_tokens_of_training(nano, llamacpp, prompt):
    tokenizers = pytest.importorskip('tokenizers', reason='the transformers extra is missing')
    text = chat_text(prompt)
    wanted = tokenizers.Tokenizer.from_file(str(nano / 'tokenizer.json')).encode(text).ids
    body = json.dumps({'content': text, 'parse_special': True}).encode()
    asked = urllib.request.Request(f'{llamacpp.url}/tokenize', body,
                                   {'Content-Type': 'application/json'})
    assert json.loads(urllib.request.urlopen(asked, timeout=10).read())['tokens'] == wanted
