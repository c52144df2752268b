"""The size of an image file from its header alone, so that a lie or a bomb is never decoded.

A picture of one colour shrinks a thousandfold when it is packed: a file of 100 kB may hold 5 GB of
pixels. Only JPEG, PNG, TIFF, WebP and BMP are known. What is none of them is refused, because
OpenCV tries all its decoders on it, and the size that it would find is not known here.

Sources: ITU-T T.81 (JPEG), W3C PNG (third edition), TIFF 6.0, RFC 9649 (WebP), Microsoft's
BITMAPINFOHEADER.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final

MAX_SCANS: Final = 64
"""Most scans of a JPEG. A progressive one has about 10; each costs a pass over all pixels."""

_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD9)))
_TIFF_SIDES: Final = {256: 0, 257: 1, 322: 2, 323: 3}
_TIFF_NUMBERS: Final = {3: 'H', 4: 'I'}


class HeaderError(ValueError):
    """The header is of no known kind, or is damaged; the text says which."""


def image_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels that an image file says it has, before any rotation.

    Raises:
        HeaderError: it is none of the known kinds, or its header is damaged.
    """
    reader = next((read for mark, read in _READERS if data.startswith(mark)), None)
    if reader is None:
        raise HeaderError('neither JPEG, PNG, TIFF, WebP nor BMP')
    try:
        width, height = reader(data)
    except (struct.error, IndexError) as error:
        raise HeaderError('its header is cut short') from error
    if width < 1 or height < 1:
        raise HeaderError(f'its header says {width}x{height} pixels')
    return width, height


def _png(data: bytes) -> tuple[int, int]:
    if data[12:16] != b'IHDR':
        raise HeaderError('a PNG without IHDR')
    width, height = struct.unpack_from('>II', data, 16)
    return width, height


def _jpeg(data: bytes) -> tuple[int, int]:
    if data.count(b'\xff\xda') > MAX_SCANS:
        raise HeaderError(f'a JPEG of more than {MAX_SCANS} scans')
    found = [struct.unpack_from('>HH', data, at + 5) for mark, at in _segments(data)
             if mark in _FRAMES]
    if not found:
        raise HeaderError('a JPEG without a frame header')
    # A decoder may take the last of several.
    height, width = (max(sides) for sides in zip(*found, strict=True))
    return width, height


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the second byte and the place of every marker before the pixels."""
    at = 2
    while at + 4 <= len(data):
        at = data.find(b'\xff', at)
        if at < 0 or at + 4 > len(data):
            return
        mark = data[at + 1]
        if mark == 0xFF:
            at += 1
        elif mark in _ALONE or mark == 0:
            at += 2
        elif mark == 0xDA:
            return
        else:
            yield mark, at
            at += 2 + max(struct.unpack_from('>H', data, at + 2)[0], 2)


def _bmp(data: bytes) -> tuple[int, int]:
    size = struct.unpack_from('<I', data, 14)[0]
    width, height = struct.unpack_from('<HH' if size == 12 else '<ii', data, 18)
    return abs(width), abs(height)


def _tiff(data: bytes) -> tuple[int, int]:
    order = '<' if data[:2] == b'II' else '>'
    start = struct.unpack_from(order + 'I', data, 4)[0]
    sides = [0, 0, 0, 0]
    for entry in range(struct.unpack_from(order + 'H', data, start)[0]):
        at = start + 2 + 12 * entry
        tag, kind, _ = struct.unpack_from(order + 'HHI', data, at)
        if tag in _TIFF_SIDES:
            if kind not in _TIFF_NUMBERS:
                raise HeaderError(f'a TIFF whose tag {tag} is no whole number')
            value = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, at + 8)[0]
            sides[_TIFF_SIDES[tag]] = max(sides[_TIFF_SIDES[tag]], value)
    if not sides[0] or not sides[1]:
        raise HeaderError('a TIFF without a size')
    # A decoder takes memory for whole tiles.
    return max(sides[0], sides[2]), max(sides[1], sides[3])


def _webp(data: bytes) -> tuple[int, int]:
    if data[8:12] != b'WEBP':
        raise HeaderError('a RIFF file that is no WebP')
    kind = data[12:16]
    if kind == b'VP8X':
        return (1 + int.from_bytes(data[24:27], 'little'),
                1 + int.from_bytes(data[27:30], 'little'))
    if kind == b'VP8L':
        packed = struct.unpack_from('<I', data, 21)[0]
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    if kind == b'VP8 ':
        width, height = struct.unpack_from('<HH', data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise HeaderError('a WebP of an unknown kind')


_READERS: Final[tuple[tuple[bytes, Callable[[bytes], tuple[int, int]]], ...]] = (
    (b'\x89PNG\r\n\x1a\n', _png), (b'\xff\xd8\xff', _jpeg), (b'BM', _bmp), (b'RIFF', _webp),
    (b'II*\x00', _tiff), (b'MM\x00*', _tiff))
