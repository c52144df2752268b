import base64

import cv2
import numpy as np
import pytest

from rtrack_ros.engines.server.images import data_url, exact_data_url


def decoded(url):
    """The media type, the bytes and the RGB pixels of a data URL."""
    head, _, data = url.partition(',')
    raw = base64.b64decode(data)
    image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    return head, raw, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def picture(width, height):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize('size', [(320, 256), (256, 192), (64, 1280)])
def test_a_small_image_is_sent_exactly(size):
    image = picture(*size)
    head, _, seen = decoded(data_url(image))
    assert head == 'data:image/png;base64' and np.array_equal(seen, image)


@pytest.mark.parametrize('size', [(64, 48), (640, 480), (33, 7)])
def test_for_a_server_beside_us_an_image_of_any_size_is_sent_exactly(size):
    image = picture(*size)
    head, _, seen = decoded(exact_data_url(image))
    assert head == 'data:image/bmp;base64' and np.array_equal(seen, image)


def test_a_large_image_is_sent_as_jpeg_with_all_its_colours():
    image = cv2.resize(picture(16, 12), (640, 480), interpolation=cv2.INTER_CUBIC)
    head, raw, seen = decoded(data_url(image))
    assert head == 'data:image/jpeg;base64'
    frame = raw.index(b'\xff\xc0')
    factors = [raw[frame + 11 + 3 * component] for component in range(3)]
    assert factors == [0x11, 0x11, 0x11]
    assert np.abs(seen.astype(int) - image).mean() < 2.0


def test_red_stays_red():
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, :, 0] = 250
    for seen in (decoded(data_url(image))[2], decoded(data_url(image[:100, :100]))[2]):
        assert np.allclose(seen[50, 50], [250, 0, 0], atol=3)


def test_a_view_into_a_larger_image_is_sent_as_it_looks():
    image = picture(320, 256)
    assert np.array_equal(decoded(data_url(image[10:50, 20:90]))[2], image[10:50, 20:90])
