import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import CompiledModel, weights_digest


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
    assert weights_digest(tmp_path).startswith('ba7816bf8f01cfea')
