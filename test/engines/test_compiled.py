import os

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import (
    CompiledModel,
    StaleExportError,
    install_export,
    weights_digest,
)

ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
"""SHA-256 of the bytes 'abc' (FIPS 180-2, appendix B.1)."""


def test_what_is_written_is_read(tmp_path):
    facts = CompiledModel('openvino', 'int8', '00ff', 'openvino 2026.4.1')
    facts.write(tmp_path)
    assert CompiledModel.read(tmp_path) == facts


@pytest.mark.parametrize('content', [None, '', '{}', '[]'])
def test_a_folder_that_was_not_exported_names_the_command(tmp_path, content):
    if content is not None:
        (tmp_path / 'compiled.json').write_text(content)
    with pytest.raises(EngineError, match=f'rtrack compile --model {tmp_path.parent}'):
        CompiledModel.read(tmp_path)


def test_the_digest_is_that_of_the_weights(tmp_path):
    (tmp_path / 'model.safetensors').write_bytes(b'abc')
    assert weights_digest(tmp_path) == ABC


def test_weights_of_several_chunks_have_one_digest(tmp_path):
    (tmp_path / 'model.safetensors').write_bytes(b'a' * 1_000_000 * 3)
    assert weights_digest(tmp_path) == (
        '2a152c894398719c0570f83fac34ac03a0f6e8e474b995c2403aa5434f7b9dd4')


def test_an_export_of_the_weights_beside_it_passes(tmp_path):
    (tmp_path / 'model.safetensors').write_bytes(b'abc')
    CompiledModel('openvino', 'int8', ABC, '').check_weights(tmp_path)


def test_an_export_without_weights_beside_it_passes(tmp_path):
    CompiledModel('openvino', 'int8', ABC, '').check_weights(tmp_path)


def test_weights_trained_further_in_the_same_process_are_noticed(tmp_path):
    weights, export = tmp_path / 'model.safetensors', CompiledModel('openvino', 'int8', ABC, '')
    weights.write_bytes(b'abc')
    export.check_weights(tmp_path)
    weights.write_bytes(b'abd')
    os.utime(weights, ns=(1, 1))  # two writes may fall into one tick of the clock
    with pytest.raises(StaleExportError, match=f'rtrack compile --model {tmp_path}$'):
        export.check_weights(tmp_path)


def test_an_export_replaces_an_export_and_nothing_else(tmp_path):
    draft, target = tmp_path / 'llamacpp.part', tmp_path / 'llamacpp'
    for turn in range(2):
        draft.mkdir()
        (draft / f'model-{turn}.gguf').touch()
        CompiledModel('llamacpp', 'f16', '00', 'gguf').write(draft)
        install_export(draft, target)
    assert {path.name for path in target.iterdir()} == {'model-1.gguf', 'compiled.json'}


@pytest.mark.parametrize('kind', ['files', 'link', 'file'])
def test_what_somebody_else_put_in_its_place_is_refused_and_untouched(tmp_path, kind):
    draft, target, theirs = tmp_path / 'a.part', tmp_path / 'a', tmp_path / 'theirs'
    draft.mkdir()
    theirs.mkdir()
    (theirs / 'Qwen3-VL-2B.gguf').write_text('their download')
    if kind == 'files':
        theirs.rename(target)
    elif kind == 'link':
        target.symlink_to(theirs)
    else:
        target.write_text('their download')
    with pytest.raises(EngineError, match='move'):
        install_export(draft, target)
    left = target.read_text() if kind == 'file' else (target / 'Qwen3-VL-2B.gguf').read_text()
    assert left == 'their download'
