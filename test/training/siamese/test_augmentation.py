"""Changed pairs stay true: mirrored with their places, blind in both patches, uint8 as before."""

import numpy as np
import pytest

from rtrack_ros.tracking.appearance.siamese import SIDE
from rtrack_ros.training.siamese import augmentation
from rtrack_ros.training.siamese.augmentation import augment
from rtrack_ros.training.siamese.pairs import Pairs

COUNT = 400


@pytest.fixture
def bright_left() -> Pairs:
    """Patches that are bright on the left, whose objects are there too."""
    patches = np.full((COUNT, SIDE, SIDE, 2), 60, np.uint8)
    patches[:, :, :SIDE // 2] = 200
    places = np.tile(np.array([-0.5, 0.2, 0.1, -0.1], np.float32), (COUNT, 1))
    return Pairs(patches, patches.copy(), places, np.ones(COUNT, np.float32))


def test_mirrored_patches_have_mirrored_places(bright_left: Pairs) -> None:
    changed = augment(np.random.default_rng(0), bright_left)
    mirrored = changed.places[:, 0] > 0
    assert 0.4 < mirrored.mean() < 0.6
    for patches in (changed.templates, changed.searches):
        halves = patches.astype(float).sum(axis=3).reshape(COUNT, SIDE, 2, -1).mean(axis=(1, 3))
        np.testing.assert_array_equal(halves[:, 1] > halves[:, 0], mirrored)
    np.testing.assert_array_equal(changed.places[:, 1:], bright_left.places[:, 1:])


def test_a_silent_camera_is_silent_in_both_patches(bright_left: Pairs) -> None:
    changed = augment(np.random.default_rng(1), bright_left)
    silent = [~patches.any(axis=(1, 2)) for patches in (changed.templates, changed.searches)]
    np.testing.assert_array_equal(*silent)
    rgb, thermal = silent[0].mean(axis=0)
    assert 0 < rgb < 3 * augmentation.RGB_LOSS and 0 < thermal < 3 * augmentation.THERMAL_LOSS
    assert not silent[0].all(axis=1).any()


def test_the_draw_follows_from_the_seed_and_leaves_what_it_was_given(bright_left: Pairs) -> None:
    before = bright_left.searches.copy()
    first, second, other = (augment(np.random.default_rng(seed), bright_left)
                            for seed in (3, 3, 4))
    np.testing.assert_array_equal(bright_left.searches, before)
    np.testing.assert_array_equal(first.searches, second.searches)
    assert not np.array_equal(first.searches, other.searches)
    assert first.searches.dtype == first.templates.dtype == np.uint8
