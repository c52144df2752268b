"""The size of an image is known before it is decoded, and a bomb or a lie is refused by it."""

import struct
import tracemalloc
import zlib
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.data.image_folder import list_images, read_image, stored_size
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.video_file import VideoFile
from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.image_header import MAX_SCANS, HeaderError, image_size
from rtrack_ros.intake.messages import decode_image, rgb_from_message, thermal_from_message

NOISE = np.random.default_rng(1).integers(0, 255, (37, 53, 3), np.uint8)
KINDS = ('.png', '.jpg', '.bmp', '.tiff', '.webp')


def encoded(kind: str, pixels: np.ndarray = NOISE, *options: int) -> bytes:
    written, data = cv2.imencode(kind, pixels, list(options))
    assert written
    return data.tobytes()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of one colour, 16 bits in four channels; a thousandth of its pixels."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + name + data + struct.pack(
            '>I', zlib.crc32(name + data))
    packer = zlib.compressobj(9)
    row = bytes(1 + 8 * width)
    packed = b''.join(packer.compress(row) for _ in range(height)) + packer.flush()
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 16, 6,
                                                             0, 0, 0))
            + chunk(b'IDAT', packed) + chunk(b'IEND', b''))


def compressed(data: bytes) -> SimpleNamespace:
    return SimpleNamespace(format='png', data=data)


@pytest.mark.parametrize('options', [
    ('.png',), ('.jpg',), ('.jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, 1), ('.bmp',), ('.tiff',),
    ('.webp',), ('.webp', cv2.IMWRITE_WEBP_QUALITY, 50)])
def test_every_kind_tells_its_size(options: tuple) -> None:
    assert image_size(encoded(options[0], NOISE, *options[1:])) == (53, 37)
    assert image_size(encoded(options[0], NOISE[..., 0], *options[1:])) == (53, 37)


@pytest.mark.parametrize('read', [rgb_from_message, thermal_from_message])
def test_a_bomb_on_a_compressed_topic_is_refused_before_it_is_decoded(read) -> None:
    bomb = png_bomb(16000, 600)
    assert len(bomb) < 100_000
    tracemalloc.start()
    with pytest.raises(ConversionError, match=r'16000x600 pixels.*limits\.image_mpx'):
        read(compressed(bomb), 9.0)
    assert tracemalloc.get_traced_memory()[1] < 3_000_000  # of 77 MB of pixels
    tracemalloc.stop()
    assert read(compressed(png_bomb(160, 60)), 9.0) is not None


def test_a_bomb_in_a_folder_and_one_named_as_a_video_are_refused(tmp_path: Path) -> None:
    path = tmp_path / '1.png'
    path.write_bytes(png_bomb(16000, 4001))
    with pytest.raises(DataError, match='16000x4001 pixels'):
        read_image(list_images(tmp_path)[0])
    with pytest.raises(DataError, match='is one image'):
        VideoFile(path)
    assert stored_size(path) == (16000, 4001)
    path.write_bytes(b'no image')
    with pytest.raises(DataError, match='not a readable image'):
        stored_size(path)


def test_a_jpeg_of_too_many_passes_is_refused() -> None:
    progressive = encoded('.jpg', NOISE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    at = progressive.index(b'\xff\xda')
    scan = progressive[at:progressive.index(b'\xff', at + 2)]
    with pytest.raises(HeaderError, match='scans'):
        image_size(progressive[:at] + scan * (MAX_SCANS + 1) + progressive[at:])


def test_a_second_frame_header_does_not_hide_the_size() -> None:
    jpeg = encoded('.jpg')
    at = next(jpeg.index(bytes((0xFF, mark))) for mark in (0xC0, 0xC1, 0xC2)
              if bytes((0xFF, mark)) in jpeg)
    header = jpeg[at:at + 2 + struct.unpack_from('>H', jpeg, at + 2)[0]]
    huge = header[:5] + struct.pack('>HH', 60000, 50000) + header[9:]
    assert image_size(jpeg[:at] + header + huge + jpeg[at + len(header):]) == (50000, 60000)


def test_a_kind_that_only_opencv_knows_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConversionError, match='send jpeg or png'):
        rgb_from_message(compressed(b'P6\n30000 30000\n255\n' + bytes(100)))


@given(st.sampled_from(KINDS), st.binary(max_size=60), st.integers(0, 200))
def test_a_damaged_header_is_a_named_error(kind: str, junk: bytes, at: int) -> None:
    data = encoded(kind)
    data = data[:at] + junk + data[at + len(junk):]
    try:
        width, height = image_size(data)
    except HeaderError as error:
        assert str(error)
    else:
        assert width > 0 and height > 0
    # Whatever the header says, what is decoded is bounded or refused by name.
    try:
        pixels = rgb_from_message(compressed(data), 0.1)
    except ConversionError:
        return
    assert pixels.shape[0] * pixels.shape[1] <= 100_000


def test_a_damaged_image_writes_no_line_for_each_of_its_tags(capfd: pytest.CaptureFixture[str]
                                                             ) -> None:
    entries = [struct.pack('<HHII', tag, 3, 1, 4) for tag in (256, 257, *range(40_000, 41_000))]
    tiff = (b'II*\0' + struct.pack('<I', 8) + struct.pack('<H', len(entries)) + b''.join(entries)
            + bytes(64))
    with pytest.raises(ConversionError):
        decode_image(tiff, cv2.IMREAD_UNCHANGED, 'image')
    said = capfd.readouterr()
    assert len(said.err) + len(said.out) < 200


@pytest.mark.parametrize('read', [rgb_from_message, thermal_from_message])
def test_a_frame_id_that_would_be_copied_into_every_array_is_short(read) -> None:
    def message(frame_id: str) -> SimpleNamespace:
        return SimpleNamespace(encoding='mono8', width=2, height=1, step=2, is_bigendian=0,
                               data=bytes(2), header=SimpleNamespace(frame_id=frame_id))
    read(message('f' * 255))
    with pytest.raises(ConversionError, match='frame_id has 1000000 characters'):
        read(message('f' * 1_000_000))
