"""Batches: the same for seed and step, from every shard, with a share of real clips."""

from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.tracking.appearance.siamese import SIDE
from rtrack_ros.training.configs import shipped_config
from rtrack_ros.training.siamese.batches import Data, draw_batch
from rtrack_ros.training.siamese.pairs import Pairs
from rtrack_ros.training.siamese.settings import SiameseSettings, read_settings

CONFIG = shipped_config('siamese')


@pytest.fixture(scope='module')
def settings() -> SiameseSettings:
    return replace(read_settings(CONFIG), batch=40, clip_share=0.2)


def numbered(begin: int, count: int) -> Pairs:
    """Pairs whose visibility is their number."""
    patches = np.random.default_rng(begin).integers(0, 256, (count, SIDE, SIDE, 2), np.uint8)
    return Pairs(patches, patches, np.zeros((count, 4), np.float32),
                 np.arange(begin, begin + count, dtype=np.float32))


def rows(data: Data, settings: SiameseSettings, steps: range) -> np.ndarray:
    return np.concatenate([draw_batch(data, settings, step).visibility for step in steps])


def test_a_batch_follows_from_seed_and_step(settings: SiameseSettings) -> None:
    data = Data([numbered(0, 30)], numbered(900, 1))
    first, again, later = (draw_batch(data, settings, step) for step in (3, 3, 4))
    other = draw_batch(data, replace(settings, seed=1), 3)
    np.testing.assert_array_equal(first.searches, again.searches)
    assert not np.array_equal(first.searches, later.searches)
    assert not np.array_equal(first.searches, other.searches)


def test_every_pair_is_as_likely_whatever_its_shard(settings: SiameseSettings) -> None:
    data = Data([numbered(0, 5), numbered(5, 35)], numbered(900, 1))
    counts = np.bincount(rows(data, settings, range(100)).astype(int), minlength=40)
    assert len(counts) == 40 and counts.sum() == 4000
    assert counts.min() > 60 and counts.max() < 145  # 100 each, give or take four deviations


def test_clips_have_their_share_of_every_batch(settings: SiameseSettings) -> None:
    data = Data([numbered(0, 30)], numbered(900, 1), [numbered(100, 3)])
    for step in range(5):
        batch = draw_batch(data, settings, step)
        assert len(batch) == 40 and (batch.visibility >= 100).sum() == 8
