"""A folder of results knows what made them."""

from pathlib import Path

import pytest

from rtrack_ros.provenance import (
    RECORD_NAME,
    ProvenanceError,
    claim,
    data_digest,
    file_digest,
    model_digest,
)


def test_the_same_inputs_go_on_and_others_are_named(tmp_path: Path) -> None:
    inputs = {'settings': {'steps': 4, 'size': (640, 480)}, 'model': 'abc'}
    claim(tmp_path, inputs)
    claim(tmp_path, inputs)
    with pytest.raises(ProvenanceError, match=r'settings\.steps was 4, is now 5.*another --out'):
        claim(tmp_path, {**inputs, 'settings': {'steps': 5, 'size': (640, 480)}})
    with pytest.raises(ProvenanceError, match='model was "abc", is now null'):
        claim(tmp_path, {'settings': inputs['settings']})


def test_results_without_a_record_or_with_a_broken_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match=RECORD_NAME):
        claim(tmp_path, {}, begun=True)
    (tmp_path / RECORD_NAME).write_text('{"half')
    with pytest.raises(ProvenanceError, match='cannot be read'):
        claim(tmp_path, {})


def test_digests_see_what_counts(tmp_path: Path) -> None:
    data = tmp_path / 'data' / 'one'
    data.mkdir(parents=True)
    (data / 'gt.txt').write_text('1,1,0,0,9,9')
    (data / '000001.jpg').write_bytes(b'image')
    (data.parent / 'rtrack.json').write_text('{}')
    first, model = data_digest(tmp_path / 'data'), model_digest(tmp_path / 'data')
    (data / '000001.jpg').write_bytes(b'egami')
    assert data_digest(tmp_path / 'data') == first  # images are told by name and size
    (data / 'gt.txt').write_text('1,1,0,0,9,8')
    assert data_digest(tmp_path / 'data') != first
    assert model_digest(tmp_path / 'data') == model  # folders below, such as exports, do not count
    (data.parent / 'rtrack.json').write_text('[]')
    assert model_digest(tmp_path / 'data') != model


def test_what_lies_behind_a_link_counts_and_results_beside_the_data_do_not(
        tmp_path: Path) -> None:
    store, data = tmp_path / 'store' / 'video', tmp_path / 'data'
    for folder in (store, data):
        folder.mkdir(parents=True)
    (store / 'gt.txt').write_text('1,1,0,0,9,9')
    (store / 'again').symlink_to(tmp_path)  # a way round
    (data / 'video').symlink_to(store)
    first = data_digest(data)
    claim(data / 'runs' / 'both', {'model': 'abc'})
    (data / 'runs' / 'both' / 'video.txt').write_text('1,1,0,0,9,9')
    assert data_digest(data) == first
    (store / 'gt.txt').write_text('1,1,0,0,9,8')
    assert data_digest(data) != first


def test_a_large_file_is_sampled(tmp_path: Path) -> None:
    path = tmp_path / 'weights'
    with path.open('wb') as stream:
        stream.truncate(80 << 20)
    before = file_digest(path)
    with path.open('r+b') as stream:
        stream.seek(-1, 2)
        stream.write(b'x')
    assert file_digest(path) != before
