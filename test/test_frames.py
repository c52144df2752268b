"""Frame pairs, thermal normalisation and registration."""

import numpy as np
import pytest

from rtrack_ros.frames import FramePair, ImageState, PairHealth
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal

SECOND = 1_000_000_000


def counts(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 64 * 80).reshape(64, 80).astype(np.uint16)


def test_pair_shows_a_model_two_images_of_one_size() -> None:
    rgb, thermal = np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 7, np.uint8)
    pair = FramePair(1, rgb, thermal)
    assert (pair.width, pair.height) == (64, 48)
    assert [image.shape for image in pair.images()] == [(48, 64, 3)] * 2
    assert set(pair.images()[1].ravel()) == {7}


def test_a_silent_thermal_camera_is_black() -> None:
    pair = FramePair(1, np.ones((4, 6, 3), np.uint8), None)
    assert pair.images()[1].shape == (4, 6, 3)
    assert not pair.images()[1].any()


def test_a_crop_shows_the_same_part_of_both_images_and_says_which() -> None:
    rgb = np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8)
    pair = FramePair(7, rgb, rgb[:, :, 0], 'optical')
    crop = pair.crop((10, 5, 30, 20))
    assert (crop.width, crop.height, crop.region) == (20, 15, (10, 5, 30, 20))
    assert (crop.rgb == rgb[5:20, 10:30]).all() and (crop.thermal == rgb[5:20, 10:30, 0]).all()
    assert (crop.stamp_ns, crop.frame_id) == (7, 'optical')
    assert FramePair(7, rgb, None).crop((0, 0, 64, 48)).images()[1].shape == (48, 64, 3)


@pytest.mark.parametrize('region', [(-1, 0, 5, 5), (0, 0, 65, 5), (5, 5, 5, 9), (0, 9, 5, 5)])
def test_a_region_outside_the_image_is_refused(region) -> None:
    with pytest.raises(ValueError, match='64 x 48'):
        FramePair(7, np.zeros((48, 64, 3), np.uint8), None).crop(region)


def test_a_crop_of_a_crop_is_refused() -> None:
    crop = FramePair(7, np.zeros((48, 64, 3), np.uint8), None).crop((0, 0, 10, 10))
    with pytest.raises(ValueError, match='crop already'):
        crop.crop((0, 0, 5, 5))


def test_raw_counts_fill_the_range_whatever_they_mean() -> None:
    for low, high in ((2800, 3300), (20_000, 60_000)):
        image = ThermalNormaliser()(counts(low, high), 0)
        assert image.dtype == np.uint8
        assert image.min() == 0 and image.max() == 255
        assert abs(float(image.mean()) - 127) < 6


def test_eight_bits_pass_unchanged() -> None:
    raw = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(ThermalNormaliser()(raw, 0), raw)


def test_limits_follow_what_enters_slowly_and_then_arrive() -> None:
    normalise = ThermalNormaliser(time_constant_s=1.0)
    scene = counts(1000, 2000)
    ground = normalise(scene, 0)[30, 40]
    # Not of one value: that would be a mark for pixels without one.
    scene[:8, :16] = np.random.default_rng(0).integers(5900, 6100, (8, 16))
    soon = normalise(scene, SECOND // 30)
    assert abs(int(soon[30, 40]) - int(ground)) < 24, 'a warm body is no change of the level'
    later = normalise(scene, 10 * SECOND)
    assert later[30, 40] < 30 and later.max() == 255


def test_a_backward_stamp_starts_anew() -> None:
    normalise = ThermalNormaliser()
    normalise(counts(1000, 2000), 10 * SECOND)
    assert abs(float(normalise(counts(3000, 4000), 0).mean()) - 127) < 6


def test_fixed_limits_make_images_comparable() -> None:
    normalise = ThermalNormaliser(limits=(1000.0, 2000.0))
    image = normalise(np.array([[900, 1500, 2100]], np.uint16), 0)
    assert image.tolist() == [[0, 127, 255]]


def test_flat_and_broken_images_give_an_image() -> None:
    flat = ThermalNormaliser()(np.full((8, 8), 3000, np.uint16), 0)
    assert flat.shape == (8, 8)
    broken = np.full((8, 8), np.nan, np.float32)
    assert ThermalNormaliser()(broken, 0).shape == (8, 8)


def test_registration_by_size_and_by_homography() -> None:
    thermal = np.zeros((24, 32), np.uint8)
    thermal[12, 16] = 255
    assert register_thermal(thermal, 32, 24) is thermal
    wide = register_thermal(thermal, 64, 48)
    assert wide.shape == (48, 64)
    assert np.unravel_index(wide.argmax(), wide.shape)[0] == pytest.approx(25, abs=1)
    shifted = register_thermal(thermal, 64, 48, np.array([[2.0, 0, 4], [0, 2, -6], [0, 0, 1]]))
    assert np.unravel_index(shifted.argmax(), shifted.shape) == (18, 36)


def test_what_is_too_old_is_black_to_the_model() -> None:
    images = {'rgb': np.full((4, 6, 3), 9, np.uint8), 'thermal': np.full((4, 6), 7, np.uint8)}
    held = FramePair(10, **images, health=PairHealth(ImageState.HELD, ImageState.HELD),
                     thermal_stamp_ns=4)
    assert not held.rgb_fresh and not held.thermal_fresh
    assert held.thermal_age_s == pytest.approx(6e-9)
    assert [image.max() for image in held.images()] == [9, 7]
    frozen = FramePair(10, images['rgb'], None, health=PairHealth(ImageState.FROZEN))
    assert [image.max() for image in frozen.images()] == [0, 0]
    assert np.isnan(frozen.thermal_age_s)
