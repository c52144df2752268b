"""How far what a recording holds may expand: compressed data, and types that it defines itself.

Four gigabytes of zeros are a file of 130 kB, and a type may name an array of a billion. A reader
that trusts the file takes the memory before it finds out. Here it is counted first, and what is
above is damage like any other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rosbags.highlevel import anyreader
from rosbags.interfaces import Nodetype
from rosbags.rosbag2 import reader as rosbag2_reader
from rosbags.rosbag2 import storage_mcap
from rosbags.rosbag2.errors import ReaderError
from rosbags.typesys.store import Typestore

MOST_BYTES: Final = 1 << 30
"""Most bytes of a chunk or a message: a second of a 4K camera, uncompressed."""
MOST_TIMES: Final = 400
"""So many times its size a file may expand beyond ``MOST_BYTES``; of images it is below 10."""
MOST_DEFINITION: Final = 1 << 16
MOST_ARRAY: Final = 4096
"""Most elements of an array of fixed length, of which the code that reads it has a line each."""
_PIECE: Final = 1 << 22
_DEEPEST: Final = 30


def decompress_zstd(data: bytes, most_bytes: int) -> bytes:
    """Return what zstd packed, of several frames too.

    Raises:
        ReaderError: it is more than ``most_bytes``.
    """
    pieces, size = [], 0
    while data:
        unpacking = storage_mcap.zstd.ZstdDecompressor()
        while not unpacking.eof:
            piece = unpacking.decompress(data, max_length=most_bytes + 1 - size)
            size, data = size + len(piece), b''
            pieces.append(piece)
            if size > most_bytes:
                raise _too_much(most_bytes)
            if unpacking.needs_input and not unpacking.eof:
                raise ReaderError('compressed data are cut short')
        data = unpacking.unused_data
    return b''.join(pieces)


def decompress_lz4(data: bytes, most_bytes: int) -> bytes:
    """Return what lz4 packed.

    Raises:
        ReaderError: it is more than ``most_bytes``.
    """
    from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-untyped]

    unpacking = LZ4FrameDecompressor()
    whole = bytes(unpacking.decompress(data, max_length=most_bytes + 1))
    if len(whole) > most_bytes:
        raise _too_much(most_bytes)
    return whole


def _too_much(most_bytes: int) -> ReaderError:
    return ReaderError(f'compressed data expand to more than the {most_bytes} bytes that are read')


def _of_chunk(size: int) -> int:
    """Return how much a chunk may expand to: what it says, and no more than is read at all.

    Raises:
        ReaderError: it says more.
    """
    if size > MOST_BYTES:
        raise _too_much(MOST_BYTES)
    return size


class _Zstd:
    """What rosbags uses of its zstd module, for messages and whole files."""

    @staticmethod
    def decompress(data: bytes) -> bytes:
        """Return a message."""
        return decompress_zstd(bytes(data), MOST_BYTES)

    @staticmethod
    @contextmanager
    def open(file: Any, mode: str) -> Iterator['_Counted']:
        """Open a whole file."""
        packed = file.seek(0, 2)
        file.seek(0)
        with storage_mcap.zstd.open(file, mode) as unpacked:
            yield _Counted(unpacked, max(MOST_BYTES, MOST_TIMES * packed))


class _Counted:
    """A file that is read up to a size."""

    def __init__(self, file: Any, most_bytes: int) -> None:
        self._file, self._most, self._left = file, most_bytes, most_bytes

    def read(self, size: int = -1) -> bytes:
        """Return the next piece.

        Raises:
            ReaderError: all of it is more than may be read.
        """
        piece = bytes(self._file.read(_PIECE if size < 0 else size))
        self._left -= len(piece)
        if self._left < 0:
            raise _too_much(self._most)
        return piece


def bound_rosbags() -> None:
    """Let rosbags expand nothing beyond the bounds, from now on in this process.

    It makes code of the types that a recording defines; they are looked at before.
    """
    if getattr(rosbag2_reader, 'zstd', None) is _Zstd:
        return
    storage_mcap.DECOMPRESSORS['zstd'] = lambda data, size: decompress_zstd(data, _of_chunk(size))
    storage_mcap.DECOMPRESSORS['lz4'] = lambda data, size: decompress_lz4(data, _of_chunk(size))
    rosbag2_reader.zstd = _Zstd
    from_msg, from_idl = anyreader.get_types_from_msg, anyreader.get_types_from_idl
    register = Typestore.register

    def checked_msg(text: str, name: str) -> Any:
        return from_msg(_checked(text), name)

    def checked_idl(text: str) -> Any:
        if '<<' in _checked(text):
            raise ReaderError('a type whose lengths are computed is not read')
        return from_idl(text)

    def checked_types(store: Typestore, types: Any) -> None:
        check_types(types)
        register(store, types)

    anyreader.get_types_from_msg = checked_msg
    anyreader.get_types_from_idl = checked_idl
    Typestore.register = checked_types


def _checked(text: str) -> str:
    if len(text) > MOST_DEFINITION:
        raise ReaderError(f'a type of {len(text)} characters is not read')
    return text


def check_types(types: Any) -> None:
    """Check types that were read for arrays longer than any message of images has.

    Raises:
        ReaderError: there is one, alone or of arrays of arrays.
    """
    sizes: dict[str, int] = {}

    def size_of(name: str, depth: int = 0) -> int:
        if depth > _DEEPEST:
            raise ReaderError(f'the type {name} holds itself')
        if name not in sizes:
            sizes[name] = sum(of_field(field, depth) for _, field in types[name][1])
            if sizes[name] > MOST_ARRAY:
                raise ReaderError(f'the type {name} has {sizes[name]} values of its own')
        return sizes[name]

    def of_field(field: Any, depth: int) -> int:
        kind, inner = field
        if kind is Nodetype.ARRAY:
            return int(inner[1]) * of_field(inner[0], depth)
        if kind is Nodetype.NAME and inner in types:
            return size_of(inner, depth + 1)
        if kind is Nodetype.SEQUENCE:
            of_field(inner[0], depth)
        return 1

    for name in types:
        size_of(name)
