import importlib.metadata
import json

import pytest

from rtrack_ros.engines import openvino_export
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.openvino_export import (
    check_environment,
    export_openvino,
    fixed_size_preprocessor,
    older_config,
    older_tokenizer_config,
    stage_for_export,
)

MANIFEST = ModelManifest('nano', 'rel1000', (320, 256))
NEW = {
    'model_type': 'qwen3_vl', 'dtype': 'bfloat16',
    'text_config': {'hidden_size': 192, 'rope_parameters': {
        'rope_type': 'default', 'mrope_section': [6, 5, 5], 'mrope_interleaved': True,
        'rope_theta': 10000.0}},
    'vision_config': {'depth': 4, 'rope_parameters': {'rope_type': 'axial'}},
}
OLD = {
    'model_type': 'qwen3_vl', 'torch_dtype': 'bfloat16',
    'text_config': {'hidden_size': 192, 'rope_theta': 10000.0, 'rope_scaling': {
        'rope_type': 'default', 'mrope_section': [6, 5, 5], 'mrope_interleaved': True}},
    'vision_config': {'depth': 4},
}


def versions(monkeypatch, **known):
    def version(name):
        if name not in known:
            raise importlib.metadata.PackageNotFoundError(name)
        return known[name]
    monkeypatch.setattr(importlib.metadata, 'version', version)


def write_model(folder):
    for name in ('generation_config.json', 'model.safetensors', 'tokenizer.json',
                 'chat_template.jinja'):
        (folder / name).write_text('{}')
    (folder / 'config.json').write_text(json.dumps(NEW))
    (folder / 'tokenizer_config.json').write_text('{"tokenizer_class": "TokenizersBackend"}')
    (folder / 'preprocessor_config.json').write_text('{"patch_size": 16}')


def test_rotary_positions_are_told_in_the_older_words():
    before = json.dumps(NEW)
    assert older_config(NEW) == OLD
    assert json.dumps(NEW) == before


def test_an_older_configuration_stays_as_it_is():
    assert older_config(OLD) == OLD


def test_the_tokenizer_class_is_one_the_older_library_knows():
    new = {'tokenizer_class': 'TokenizersBackend', 'backend': 'tokenizers',
           'extra_special_tokens': [], 'eos_token': '<|im_end|>'}
    assert older_tokenizer_config(new) == {'tokenizer_class': 'PreTrainedTokenizerFast',
                                           'eos_token': '<|im_end|>'}


def test_the_preprocessor_leaves_an_image_of_the_models_size_alone():
    fixed = fixed_size_preprocessor({'patch_size': 16, 'max_pixels': 1}, (320, 256))
    assert fixed['min_pixels'] == fixed['max_pixels'] == 320 * 256 and fixed['patch_size'] == 16
    assert fixed['size'] == {'shortest_edge': 81920, 'longest_edge': 81920}


def test_staging_translates_a_copy(tmp_path):
    model = tmp_path / 'model'
    model.mkdir()
    write_model(model)
    stage_for_export(model, tmp_path / 'staged', MANIFEST)
    assert json.loads((tmp_path / 'staged' / 'config.json').read_text()) == OLD
    assert json.loads((model / 'config.json').read_text()) == NEW


def test_a_folder_without_weights_is_refused(tmp_path):
    write_model(tmp_path)
    (tmp_path / 'model.safetensors').unlink()
    with pytest.raises(EngineError, match='model.safetensors is missing; .* rtrack train'):
        stage_for_export(tmp_path, tmp_path / 'staged', MANIFEST)


@pytest.mark.parametrize('known', [
    {}, {'transformers': '4.57.6'}, {'transformers': '5.23.0', 'optimum-intel': '2.2.0'}])
def test_an_environment_that_cannot_export_names_one_that_can(monkeypatch, known):
    versions(monkeypatch, **known)
    with pytest.raises(EngineError, match='(?s)older transformers.*pip install.*4.57.6'):
        check_environment()


def test_an_environment_that_can_export_passes(monkeypatch):
    versions(monkeypatch, **{'transformers': '4.57.6', 'optimum-intel': '2.2.0'})
    check_environment()


def test_a_failing_exporter_is_reported_and_leaves_the_earlier_export(tmp_path, monkeypatch):
    write_model(tmp_path)
    MANIFEST.write(tmp_path)
    (tmp_path / 'openvino').mkdir()
    (tmp_path / 'openvino' / 'old.xml').touch()
    monkeypatch.setattr(openvino_export, 'check_environment', lambda: None)
    monkeypatch.setattr(openvino_export.sys, 'executable', 'false')
    with pytest.raises(EngineError, match='the exporter failed'):
        export_openvino(tmp_path)
    assert (tmp_path / 'openvino' / 'old.xml').exists()


def test_an_unknown_precision_is_refused(tmp_path):
    with pytest.raises(EngineError, match='int8, fp16, fp32'):
        export_openvino(tmp_path, 'int3')
