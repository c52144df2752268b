"""The RefRT layout: written scenes read back, and foreign encodings of descriptions."""

from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.data.mot import read_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt_folder import decode_text, read_refrt, write_refrt
from rtrack_ros.simulation import Scene, make_scene


@pytest.fixture(scope='module')
def scene() -> Scene:
    return make_scene(3, seconds=0.4, place='yard', conditions=('day',), fps=10, size=(160, 120),
                      thermal_size=(80, 60))


@pytest.fixture(scope='module')
def root(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('refrt')
    write_refrt(scene, folder, split='test')
    return folder


def test_every_expression_becomes_a_sequence_with_its_own_truth(scene: Scene, root: Path) -> None:
    sequences = read_refrt(root)
    assert [item.sentence for item in sequences] == [item.text for item in scene.expressions]
    assert {item.split for item in sequences} == {'test'}
    for sequence, expression in zip(sequences, scene.expressions, strict=True):
        meant = {index + 1: set(ids) for index, ids in enumerate(expression.ids) if ids}
        assert {frame: {row.id for row in rows} for frame, rows in sequence.truth.items()} == meant


def test_images_are_aligned_and_true_to_the_scene(scene: Scene, root: Path) -> None:
    pairs = read_refrt(root)[0].pairs(fps=10)
    found = list(pairs)
    assert len(found) == len(scene)
    for pair, frame in zip(found, scene, strict=True):
        assert pair.stamp_ns == frame.stamp_ns
        assert np.abs(pair.rgb.astype(int) - frame.rgb).mean() < 6
        assert pair.thermal is not None and pair.thermal.shape == (120, 160)


def test_images_of_a_scene_lie_on_the_disk_once(root: Path) -> None:
    first, second = (item.folder / 'visible' / '000001.jpg' for item in read_refrt(root)[:2])
    assert first.samefile(second)


def test_an_existing_scene_is_not_overwritten(scene: Scene, root: Path) -> None:
    with pytest.raises(DataError, match='exists'):
        write_refrt(scene, root, split='test')


def test_the_reader_knows_the_other_names_of_image_folders(root: Path, tmp_path: Path) -> None:
    origin = read_refrt(root)[0].folder
    target = tmp_path / 'train' / 'VTUAV_car_001_红色的车'
    target.mkdir(parents=True)
    (target / 'rgb').symlink_to(origin / 'visible')
    (target / 'ir').symlink_to(origin / 'infrared')
    (target / 'gt.txt').write_text('1,1,5,5,10,10,1,1,1\n')
    (target / 'description.txt').write_bytes('红色的车\nthe red car\n'.encode('gb18030'))
    [sequence] = read_refrt(tmp_path)
    assert sequence.descriptions == ('红色的车', 'the red car')
    assert sequence.sentence == 'the red car'
    assert len(sequence.pairs()) == 4
    assert sequence.truth == read_mot(target / 'gt.txt')


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'gb18030'])
def test_descriptions_are_decoded_from_bytes(encoding: str) -> None:
    text = '穿黑色衣服的人, the person in black'
    assert decode_text(text.encode(encoding)) == text


def test_undecodable_bytes_are_an_error_that_names_the_file() -> None:
    with pytest.raises(DataError, match=r'description\.txt'):
        decode_text(b'\xff\xff', 'description.txt')


def test_a_folder_without_sequences_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='RefRT layout'):
        read_refrt(tmp_path)
