"""Recordings that nobody closed: the recorder was killed, or the power failed.

An MCAP file has its index at the end. Without one, its whole chunks are listed from the start, and
the whole messages of a last chunk that was cut and is not compressed. What a recorder had not yet
written is lost; ``nodes.bags.bag_recorder`` closes a chunk every second.

Source: the MCAP specification, https://mcap.dev/spec.
"""

from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Reader
from rosbags.rosbag2.errors import ReaderError
from rosbags.rosbag2.storage_mcap import (
    ChunkInfo,
    McapReader,
    Statistics,
    decompress,
    read_exact,
    read_string,
)
from rosbags.typesys.store import Typestore

from rtrack_ros.data.closed_view import ClosedPath
from rtrack_ros.data.expansion import bound_rosbags
from rtrack_ros.data.pairs import DataError

_HEADER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 0x01, 0x03, 0x04, 0x05, 0x06, 0x0F
_STORED = ('.mcap', '.db3')
_OF_IMAGES = frozenset({'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage',
                        'std_msgs/msg/Header', 'builtin_interfaces/msg/Time'})
bound_rosbags()


class Recording(AnyReader):
    """A rosbag2 recording, whole or cut; a context manager.

    Args:
        path: Folder, or a file of one.
        types: For recordings that hold no definitions of their messages. Of those of images, a
            recording's own must have the same fields.

    Attributes:
        cut: Whether it was never closed; known once it is open.
    """

    def __init__(self, path: Path, types: Typestore) -> None:
        self.cut = False
        super().__init__(_stored(path), default_typestore=types)

    def open(self) -> None:
        """Open it; of a cut one what was written.

        Raises:
            ReaderError, ValueError, OSError: there is nothing readable.
        """
        try:
            super().open()
        except Exception:
            files = [file for path in self.paths for file in _cut_files(Path(str(path)))]
            if not files:
                raise
            self.cut = True
            self.readers = [_reader(file) for file in files]
            super().open()
        self._check_definitions()

    def _check_definitions(self) -> None:
        """Refuse a recording in which an image has other fields than in ROS 2."""
        assert self.default_typestore is not None
        known, found = self.default_typestore.fielddefs, self.typestore.fielddefs
        for name in found.keys() & _OF_IMAGES:
            theirs = dict(found[name][1])
            differing = [field for field, kind in known[name][1] if theirs.get(field) != kind]
            if differing:
                self.close()
                raise DataError(f'{self.paths[0]} defines {name} otherwise than ROS 2 does (look '
                                f'at {", ".join(differing)}); record it with the sensor_msgs of '
                                'a ROS 2')


def _stored(path: Path) -> list[Path]:
    """Return what is opened: a folder as a whole, or its files if it was never closed."""
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        files = sorted(file for file in path.iterdir() if file.suffix in _STORED)
        if files:
            return files
    return [path]


def _cut_files(path: Path) -> list[Path]:
    files = sorted(path.glob('*.mcap')) if path.is_dir() else [path]
    return [file for file in files if file.suffix == '.mcap' and file.stat().st_size]


def _reader(file: Path) -> Reader:
    reader = Reader(file)
    reader.storage = _CutMcapReader(ClosedPath(file))
    return reader


class _CutMcapReader(McapReader):
    """Reads an MCAP file by its chunks, from the start to the last whole one."""

    bio: BinaryIO | None
    connections: list[Any]
    metadata: Any

    def _open(self) -> None:
        assert self.bio is not None
        if read_exact(self.bio, 8) != b'\x89MCAP0\r\n':
            raise ReaderError('it is no MCAP file')
        self.data_start = self.data_end = self.bio.tell()
        size = self.bio.seek(0, 2)
        counts: Counter[int] = Counter()
        self.bio.seek(self.data_start)
        while (record := _next_record(self.bio, size)) is not None:
            operation, start, content = record
            if operation == _CHUNK:
                try:
                    self._take_chunk(start, content, counts)
                except (ReaderError, ValueError, IndexError, RuntimeError, EOFError):
                    break
            elif operation in (_SCHEMA, _CHANNEL):
                self._describe(operation, content)
            elif operation == _DATA_END:
                break
            self.data_end = self.bio.tell()
        self._finish(counts)

    def _take_chunk(self, start: int, content: bytes, counts: 'Counter[int]') -> None:
        first, last, size = (int.from_bytes(content[at:at + 8], 'little') for at in (0, 8, 16))
        crc, packed = int.from_bytes(content[24:28], 'little'), BytesIO(content[28:])
        compression = read_string(packed)
        length = int.from_bytes(read_exact(packed, 8), 'little')
        raw = BytesIO(decompress(read_exact(packed, length), compression, size, crc))
        found: Counter[int] = Counter()
        while (record := _next_record(raw, size)) is not None:
            operation, _, inner = record
            if operation == _MESSAGE:
                found[int.from_bytes(inner[:2], 'little')] += 1
            elif operation in (_SCHEMA, _CHANNEL):
                self._describe(operation, inner)
        if not found:
            return
        counts.update(found)
        self.chunks.append(ChunkInfo(first, last, start, 9 + len(content), {}, 0, compression,
                                     length, size, dict(found)))

    def _describe(self, operation: int, content: bytes) -> None:
        """Take a schema or a channel; rosbags reads them where an index would be."""
        bio, end = self.bio, self.data_end
        record = bytes((operation,)) + len(content).to_bytes(8, 'little') + content
        self.bio, self.data_end = BytesIO(record + b'\x02'), 0
        try:
            self.read_index()
        finally:
            self.bio, self.data_end = bio, end

    def _finish(self, counts: 'Counter[int]') -> None:
        if not counts:
            raise ReaderError('it was cut before anything was written into it')
        first = min(chunk.message_start_time for chunk in self.chunks)
        last = max(chunk.message_end_time for chunk in self.chunks)
        total = counts.total()
        self.statistics = Statistics(total, len(self.schemas), len(self.channels), 0, 0,
                                     len(self.chunks), first, last, dict(counts))
        self.connections = [item._replace(msgcount=counts[item.id]) for item in self.connections]
        self.metadata = self.metadata._replace(duration=last - first + 1, start_time=first,
                                               end_time=last + 1, message_count=total)


def _next_record(stream: BinaryIO, size: int) -> tuple[int, int, bytes] | None:
    """Return (operation, place, content) of the next record; None after the last whole one."""
    start = stream.tell()
    head = stream.read(9)
    length = int.from_bytes(head[1:], 'little')
    if len(head) < 9 or not _HEADER <= head[0] <= _DATA_END or start + 9 + length > size:
        return None
    return head[0], start, stream.read(length)
