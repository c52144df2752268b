"""A pickled dictionary is read without unpickling; everything else is a named error."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.data.inert_pickle import InertPickleError, read_numbers_by_name


def saved(content: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, content, allow_pickle=True)
    return stream.getvalue()


def pickled(pickle_bytes: bytes) -> bytes:
    """A .npy file with a header of an object and any pickle."""
    header = saved({'a': 1})
    return header[:header.index(b'\x80')] + pickle_bytes


@given(st.dictionaries(st.text(), st.integers(-2**70, 2**70), max_size=30))
def test_what_numpy_saved_is_read(content: dict[str, int]) -> None:
    assert read_numbers_by_name(saved(content)) == content


@pytest.mark.parametrize('kind', [np.int32, np.int64, np.uint32, np.uint64])
def test_numbers_of_numpy_are_read(kind: type) -> None:
    assert read_numbers_by_name(saved({'a': kind(7), 'b': kind(300)})) == {'a': 7, 'b': 300}
    assert read_numbers_by_name(saved({'a': np.dtype('>i8').type(-0)})) == {'a': 0}


@pytest.mark.parametrize('protocol', range(5))
def test_every_protocol_of_a_plain_dictionary_is_read(protocol: int) -> None:
    data = pickle.dumps({'a': 1, 'b': 70_000}, protocol)
    assert read_numbers_by_name(pickled(data)) == {'a': 1, 'b': 70_000}


def test_nothing_that_a_file_names_is_called(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / 'ran',))

    # What NumPy does with a state that lies: it writes where the strides lead.
    class Wild:
        def __reduce__(self) -> tuple[object, ...]:
            return (np.ndarray, ((1 << 40,), 'u1', b'x', 0, (1 << 40,)))
    for content in ({'a': Payload()}, {'a': Wild()}, Payload(), [1, 2], {'a': 1.5}, {1: 1}, 'x'):
        with pytest.raises(InertPickleError):
            read_numbers_by_name(saved(content))
    assert not (tmp_path / 'ran').exists()


@given(st.binary(max_size=200), st.integers(0, 400), st.booleans())
def test_a_damaged_file_is_a_named_error(junk: bytes, at: int, header: bool) -> None:
    whole = saved({'car_001': 3, 'other': np.int64(7)})
    data = pickled(junk) if header else whole[:at] + junk + whole[at + len(junk):]
    try:
        found = read_numbers_by_name(data)
    except InertPickleError as error:
        assert str(error)
    else:
        assert all(isinstance(value, int) for value in found.values())
