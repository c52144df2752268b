import json
from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.llamacpp.weights import Weights


def write(folder, header, content=b''):
    text = json.dumps(header).encode()
    (folder / 'model.safetensors').write_bytes(len(text).to_bytes(8, 'little') + text + content)
    return folder


def test_tensors_are_read_by_name_in_their_shape(tmp_path):
    half = np.arange(6, dtype=np.float16).reshape(2, 3)
    single = np.array([0.1, 0.2], np.float32)
    weights = Weights(write(tmp_path, {
        '__metadata__': {'format': 'pt'},
        'a': {'dtype': 'F16', 'shape': [2, 3], 'data_offsets': [0, 12]},
        'b': {'dtype': 'F32', 'shape': [2], 'data_offsets': [12, 20]}},
        half.tobytes() + single.tobytes()))
    assert list(weights) == ['a', 'b']
    np.testing.assert_array_equal(weights['a'], half.astype(np.float32))
    np.testing.assert_array_equal(weights['b'], single)
    assert weights['a'].dtype == np.float32


@pytest.mark.parametrize('entry, said', [
    ({'dtype': 'I8', 'shape': [2], 'data_offsets': [0, 2]}, 'a is of type I8'),
    ({'dtype': 'F16', 'shape': [2], 'data_offsets': [0, 2]}, 'a does not fill its place'),
])
def test_tensors_that_cannot_be_read_are_named(tmp_path, entry, said):
    weights = Weights(write(tmp_path, {'a': entry}, bytes(64)))
    with pytest.raises(EngineError, match=said):
        weights['a']
    with pytest.raises(EngineError, match='no tensor b'):
        weights['b']


@pytest.mark.parametrize('content', [b'', b'12345678', b'\xff' * 16, b'\x03' + bytes(7) + b'[1]'])
def test_a_file_that_holds_no_tensors_is_told(tmp_path, content):
    (tmp_path / 'model.safetensors').write_bytes(content)
    with pytest.raises(EngineError, match=r'model\.safetensors is not readable'):
        Weights(tmp_path)


@pytest.mark.parametrize('header', [
    b'[' * 100_000, b'{"a": 1}', b'[1]', b'{"a": {"dtype": "F32"}}',
    json.dumps({'a': {'dtype': 'F32', 'shape': [10**9, 10**9], 'data_offsets': [0, 64]}}).encode(),
    json.dumps({'a': {'dtype': 'F32', 'shape': [4], 'data_offsets': [-1000, -984]}}).encode(),
    json.dumps({'a': {'dtype': 'F32', 'shape': [4], 'data_offsets': [64, 80]}}).encode(),
    json.dumps({'a': {'dtype': 'F32', 'shape': 'abc', 'data_offsets': [0, 64]}}).encode(),
    json.dumps({'a': {'dtype': 'F32', 'shape': [1.5], 'data_offsets': [0, 6]}}).encode(),
    json.dumps({'a': {'dtype': ['F32'], 'shape': [1], 'data_offsets': [0, 4]}}).encode()])
def test_a_header_that_lies_is_a_named_error(tmp_path: Path, header: bytes) -> None:
    file = tmp_path / 'model.safetensors'
    file.write_bytes(len(header).to_bytes(8, 'little') + header + bytes(64))
    with pytest.raises(EngineError, match=r'model\.safetensors'):
        Weights(tmp_path)['a']


def test_a_header_that_says_it_is_larger_than_any_is_not_read(tmp_path: Path) -> None:
    for length in (20 << 30, 1 << 62):
        (tmp_path / 'model.safetensors').write_bytes(length.to_bytes(8, 'little') + b'{}')
        with pytest.raises(EngineError, match='bytes'):
            Weights(tmp_path)
