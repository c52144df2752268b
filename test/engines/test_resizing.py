import numpy as np
import pytest

from rtrack_ros.engines.resizing import resize_image


@pytest.mark.parametrize('shape', [(480, 640, 3), (240, 320, 3), (256, 320, 3), (100, 900, 3),
                                   (480, 640)])
def test_the_size_is_width_times_height(shape):
    image = resize_image(np.full(shape, 77, np.uint8), (320, 256))
    assert image.shape == (256, 320, *shape[2:]) and image.dtype == np.uint8
    assert (image == 77).all() and image.flags['C_CONTIGUOUS']


def test_an_image_of_the_right_size_is_not_changed():
    image = np.random.default_rng(0).integers(0, 255, (256, 320, 3), dtype=np.uint8)
    assert (resize_image(image, (320, 256)) == image).all()


def test_shrinking_averages_so_that_a_small_object_is_never_skipped():
    image = np.zeros((512, 640, 3), np.uint8)
    image[::2, ::2] = 255
    assert (np.abs(resize_image(image, (320, 256)).astype(int) - 64) <= 1).all()
