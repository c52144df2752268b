"""YUV, Bayer and 16-bit pictures against pixels whose colour is known; any buffer of bytes."""

import array
import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from rtrack_ros.intake.encodings import ConversionError, octets
from rtrack_ros.intake.messages import rgb_from_message, thermal_from_message

HEIGHT, WIDTH = 8, 12
# Left half red, right half blue: BT.601 with Y in 16 to 235.
RED, BLUE = (255, 0, 0), (0, 0, 255)
YUV = {RED: (81, 90, 240), BLUE: (41, 240, 110)}
TRUE = np.concatenate([np.full((HEIGHT, WIDTH // 2, 3), RED), np.full((HEIGHT, WIDTH // 2, 3),
                                                                     BLUE)], axis=1)
Y, U, V = (np.array([[YUV[tuple(pixel)][i] for pixel in row] for row in TRUE], np.uint8)
           for i in range(3))


def message(encoding: str, rows: np.ndarray, step: int = 0, height: int = HEIGHT,
            big: bool = False) -> SimpleNamespace:
    """Return an image message of WIDTH x HEIGHT with the bytes of ``rows``."""
    return SimpleNamespace(encoding=encoding, width=WIDTH, height=height, is_bigendian=big,
                           step=step or rows.shape[1] * rows.itemsize, data=rows.tobytes())


def interleaved(encoding: str, order: str, padding: int = 0) -> SimpleNamespace:
    """Return YUV 4:2:2 in the order of bytes that the four letters say."""
    pairs = {'y': Y, 'u': U, 'v': V}
    rows = np.zeros((HEIGHT, 2 * WIDTH + padding), np.uint8)
    for place, letter in enumerate(order):
        # Brightness comes twice in four bytes, each colour once.
        second = letter == 'y' and 'y' in order[:place]
        rows[:, place:2 * WIDTH:4] = pairs[letter][:, int(second)::2]
    return message(encoding, rows)


def planar(encoding: str, planes: list[np.ndarray], padding: int = 0) -> SimpleNamespace:
    """Return YUV 4:2:0: brightness, then the given planes of colour, padded at half the length."""
    parts = [np.pad(Y, ((0, 0), (0, padding)))]
    for plane in planes:
        parts.append(np.pad(plane, ((0, 0), (0, padding * plane.shape[1] // WIDTH))))
    data = b''.join(part.tobytes() for part in parts)
    return SimpleNamespace(encoding=encoding, width=WIDTH, height=HEIGHT, is_bigendian=False,
                           step=WIDTH + padding, data=data)


def half(plane: np.ndarray) -> np.ndarray:
    return plane[::2, ::2]


def in_turn(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([half(first), half(second)], axis=2).reshape(HEIGHT // 2, WIDTH)


YUV_MESSAGES = [
    interleaved('yuyv', 'yuyv'), interleaved('yuv422_yuy2', 'yuyv', padding=8),
    interleaved('uyvy', 'uyvy'), interleaved('yuv422', 'uyvy', padding=4),
    planar('nv12', [in_turn(U, V)]), planar('NV12', [in_turn(U, V)], padding=4),
    planar('nv21', [in_turn(V, U)]), planar('i420', [half(U), half(V)]),
    planar('I420', [half(U), half(V)], padding=4), planar('yv12', [half(V), half(U)])]


@pytest.mark.parametrize('sent', YUV_MESSAGES, ids=lambda sent: f'{sent.encoding}-{sent.step}')
def test_yuv_becomes_the_colours_that_it_means(sent: SimpleNamespace) -> None:
    rgb = rgb_from_message(sent)
    assert rgb.shape == (HEIGHT, WIDTH, 3) and rgb.dtype == np.uint8
    assert np.abs(rgb.astype(int) - TRUE).max() <= 4


@pytest.mark.parametrize('sent', YUV_MESSAGES, ids=lambda sent: f'{sent.encoding}-{sent.step}')
def test_a_thermal_camera_that_speaks_yuv_gives_its_brightness(sent: SimpleNamespace) -> None:
    image = thermal_from_message(sent)
    np.testing.assert_array_equal(image.counts, Y)
    assert image.palette


def test_a_grey_thermal_picture_in_yuv_is_no_palette() -> None:
    grey = np.full((HEIGHT, WIDTH), 128, np.uint8)
    rows = np.stack([Y, grey], axis=2).reshape(HEIGHT, 2 * WIDTH)
    image = thermal_from_message(message('yuyv', rows))
    np.testing.assert_array_equal(image.counts, Y)
    assert not image.palette


def test_a_step_over_all_planes_is_understood() -> None:
    sent = planar('nv12', [in_turn(U, V)])
    sent.step = WIDTH * 3 // 2
    assert np.abs(rgb_from_message(sent).astype(int) - TRUE).max() <= 4


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize('bits, big', [(8, False), (16, False), (16, True)])
def test_bayer_patterns_become_colours(pattern: str, bits: int, big: bool) -> None:
    colour = {'r': 200, 'g': 120, 'b': 40}
    tile = np.array([colour[name] for name in pattern], np.uint16).reshape(2, 2)
    mosaic = np.tile(tile, (HEIGHT // 2, WIDTH // 2))
    kind = 'u1' if bits == 8 else '>u2' if big else '<u2'
    mosaic = (mosaic * (257 if bits == 16 else 1)).astype(kind)
    rgb = rgb_from_message(message(f'bayer_{pattern}{bits}', mosaic, big=big))
    assert rgb[HEIGHT // 2, WIDTH // 2].tolist() == [200, 120, 40]


@pytest.mark.parametrize('encoding', ['rgb16', 'bgr16', 'rgba16', 'bgra16', '16UC3', '16UC4'])
def test_sixteen_bits_become_eight(encoding: str) -> None:
    order = {'16UC3': 'bgr', '16UC4': 'bgra'}.get(encoding, encoding[:-2])
    value = {'r': 200, 'g': 120, 'b': 40, 'a': 255}
    pixels = np.tile(np.array([value[name] for name in order], np.uint16) * 257, (HEIGHT, WIDTH))
    sent = message(encoding, pixels)
    assert rgb_from_message(sent)[3, 5].tolist() == [200, 120, 40]
    thermal = thermal_from_message(sent)
    grey = cv2.cvtColor(np.uint8([[[200, 120, 40]]]), cv2.COLOR_RGB2GRAY)[0, 0]
    assert thermal.palette and abs(int(thermal.counts[3, 5]) / 257 - int(grey)) < 1


@pytest.mark.parametrize('encoding, width, height', [
    ('yuyv', 11, 8), ('nv12', 12, 7), ('nv21', 11, 8), ('i420', 12, 7)])
def test_odd_sizes_that_yuv_cannot_have_are_named(encoding: str, width: int, height: int) -> None:
    sent = SimpleNamespace(encoding=encoding, width=width, height=height, is_bigendian=False,
                           step=2 * width, data=bytes(4 * width * height))
    with pytest.raises(ConversionError, match=f'{width}x{height}.*even'):
        rgb_from_message(sent)


@pytest.mark.parametrize('encoding', ['nv24', '64FC2', 'bayer_wxyz8', 'h264'])
def test_the_remedy_depends_on_the_camera(encoding: str) -> None:
    sent = message(encoding, np.zeros((HEIGHT, WIDTH), np.uint8))
    with pytest.raises(ConversionError, match='RGB camera publish rgb8') as rgb:
        rgb_from_message(sent)
    with pytest.raises(ConversionError, match='thermal camera publish mono16 or mono8') as thermal:
        thermal_from_message(sent)
    assert 'mono16' not in str(rgb.value) and 'rgb8' not in str(thermal.value)


def test_a_bayer_pattern_is_no_thermal_image() -> None:
    with pytest.raises(ConversionError, match='is the RGB camera remapped to thermal/image_raw'):
        thermal_from_message(message('bayer_rggb8', np.zeros((HEIGHT, WIDTH), np.uint8)))


BYTES = bytes(range(96))
BUFFERS: list[Callable[[], Any]] = [
    lambda: BYTES, lambda: bytearray(BYTES), lambda: array.array('B', BYTES),
    lambda: np.frombuffer(BYTES, np.uint8), lambda: memoryview(BYTES),
    lambda: memoryview(BYTES).cast('B', (8, 12)), lambda: memoryview(BYTES).cast('I'),
    lambda: (ctypes.c_ubyte * 96).from_buffer_copy(BYTES),
    lambda: memoryview(bytes(2 * value // 2 for value in range(96) for _ in range(2)))[::2]]


@pytest.mark.parametrize('make', BUFFERS)
def test_any_buffer_of_bytes_is_read(make: Callable[[], Any]) -> None:
    assert octets(make()).tobytes() == BYTES
    sent = SimpleNamespace(encoding='mono8', width=12, height=8, is_bigendian=False, step=12,
                           data=make())
    assert rgb_from_message(sent)[7, 11].tolist() == [95, 95, 95]


def test_what_is_no_buffer_is_an_error() -> None:
    with pytest.raises(ConversionError, match='type list'):
        octets([1, 2, 3])
