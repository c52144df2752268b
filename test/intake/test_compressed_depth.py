"""The transport that keeps 16 bits: counts come out as they went in."""

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.messages import thermal_from_message
from rtrack_ros.intake.transports import camera_of, topic_of

COUNTS = np.random.default_rng(0).integers(7000, 9000, (24, 32)).astype(np.uint16)


def message(counts: np.ndarray, said: str, header: bytes = bytes(12)) -> SimpleNamespace:
    return SimpleNamespace(format=said, data=header + cv2.imencode('.png', counts)[1].tobytes())


def test_counts_of_16_bits_are_the_same() -> None:
    found = thermal_from_message(message(COUNTS, '16UC1; compressedDepth png'))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.counts.dtype == np.uint16 and not found.palette


def test_floating_point_comes_back_from_its_inverse() -> None:
    kelvin = 280.0 + np.arange(768.0).reshape(24, 32) / 40
    a, b = 3e6, 100.0
    packed = np.round(a / kelvin + b).astype(np.uint16)
    packed[0, 0] = 0
    found = thermal_from_message(message(packed, '32FC1; compressedDepth png',
                                         struct.pack('<iff', 0, a, b)))
    assert np.isnan(found.counts[0, 0])
    np.testing.assert_allclose(found.counts.ravel()[1:], kelvin.ravel()[1:], atol=0.03)


@pytest.mark.parametrize(('said', 'data', 'told'), [
    ('16UC1; compressedDepth rvl', bytes(60), 'set the format of its publisher to png'),
    ('16UC1; compressedDepth png', bytes(12), 'it is empty'),
    ('16UC1; compressedDepth png', bytes(60), 'it is damaged')])
def test_what_is_not_read_names_the_remedy(said: str, data: bytes, told: str) -> None:
    with pytest.raises(ConversionError, match=told):
        thermal_from_message(SimpleNamespace(format=said, data=data))


def test_topics_of_one_camera_have_one_name_without_the_transport() -> None:
    assert topic_of('/ir', 'raw') == '/ir'
    assert topic_of('/ir', 'compressedDepth') == '/ir/compressedDepth'
    assert topic_of('/ir/compressed', 'compressed') == '/ir/compressed'
    assert {camera_of(name) for name in ('/ir', '/ir/compressed', '/ir/compressedDepth')
            } == {'/ir'}
