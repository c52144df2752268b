"""Shards on the disk: whole or not there, and never those of another draw."""

from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.provenance import ProvenanceError
from rtrack_ros.training.shards.frames import (
    is_drawn,
    read_rows,
    save_shard,
    shard_numbers,
    write_shard,
)

MADE_FROM = {'kind': 'frames', 'seed': 50, 'frames': 2, 'size': (64, 48)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_shard(tmp_path, 3, np.zeros((2, 48, 64, 3), np.uint8), np.zeros((2, 48, 64), np.uint8),
               [{'condition': 'day'}, {'condition': 'night'}], MADE_FROM)
    return tmp_path


def test_a_shard_is_there_once_it_is_whole(folder: Path) -> None:
    assert is_drawn(folder, 3, MADE_FROM) and not is_drawn(folder, 4, MADE_FROM)
    assert shard_numbers(folder) == [3] and len(read_rows(folder, 3)) == 2
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize('image', ['0003.rgb.npy', '0003.thermal.npy'])
def test_a_shard_with_part_of_its_images_is_not_there(folder: Path, image: str) -> None:
    path = folder / image
    path.write_bytes(path.read_bytes()[:500])
    assert not is_drawn(folder, 3, MADE_FROM)
    path.unlink()
    assert not is_drawn(folder, 3, MADE_FROM)


@pytest.mark.parametrize('change', [{'seed': 51}, {'frames': 3}, {'size': (48, 64)}])
def test_a_shard_of_another_draw_is_refused(folder: Path, change: dict) -> None:
    with pytest.raises(ProvenanceError, match=f'{next(iter(change))}.* was .*choose another'):
        is_drawn(folder, 3, MADE_FROM | change)


def test_a_shard_of_which_nobody_knows_is_refused(folder: Path) -> None:
    (folder / '0003.json').write_text('[]')
    with pytest.raises(ProvenanceError, match='nobody wrote down'):
        write_shard(folder, 3, 50, 2, (64, 48))
