"""Shards on disk: consecutive scenes, each once, and none drawn twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.tracking.appearance.siamese import SIDE
from rtrack_ros.training.siamese import shards
from rtrack_ros.training.siamese.pairs import Pairs


class Drawing:
    """A stand-in of the simulation that notes the seeds it was asked for."""

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def __call__(self, seed: int) -> Iterator[Pairs]:
        self.seeds.append(seed)
        patch = np.full((1, SIDE, SIDE, 2), seed % 256, np.uint8)
        yield Pairs(patch, patch, np.full((1, 4), seed, np.float32), np.ones(1, np.float32))


@pytest.fixture(autouse=True)
def short_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, 'SCENES_PER_SHARD', 4)


def draw(folder: Path, scenes: int, drawing: Drawing) -> list[Pairs]:
    with ThreadPoolExecutor(1) as processes:
        return shards.draw_shards(folder, 100, scenes, processes, draw=drawing)


def test_scenes_are_consecutive_and_each_is_there_once(tmp_path: Path) -> None:
    drawing = Drawing()
    found = draw(tmp_path, 10, drawing)
    assert drawing.seeds == list(range(100, 110))
    assert [len(part) for part in found] == [4, 4, 2]
    assert Pairs.joined(found).places[:, 0].tolist() == list(range(100, 110))


def test_what_is_there_is_not_drawn_again(tmp_path: Path) -> None:
    first = draw(tmp_path, 8, Drawing())
    drawing = Drawing()
    again = draw(tmp_path, 12, drawing)
    assert drawing.seeds == [108, 109, 110, 111]
    np.testing.assert_array_equal(again[1].searches, first[1].searches)


def test_half_a_shard_does_not_count(tmp_path: Path) -> None:
    shards.shard_path(tmp_path, 100, 4).with_suffix('.part').write_bytes(b'half')
    with pytest.raises(FileNotFoundError):
        shards.read_shard(tmp_path, 100, 4)
    assert len(Pairs.joined(draw(tmp_path, 4, Drawing()))) == 4
