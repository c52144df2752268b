"""An MCAP file that was cut, as if it had been closed there.

What is not whole is left out, and an end without an index is put behind. Of a chunk that was cut
the whole records are kept. The file itself is not touched.

Layout: https://mcap.dev/spec (records of an opcode, a length of eight bytes and the content).
"""

import io
import struct
from pathlib import Path
from typing import Any, Final

_MAGIC: Final = b'\x89MCAP0\r\n'
_FOOTER, _CHUNK, _DATA_END = 0x02, 0x06, 0x0F
_FIRST_OF_INDEX: Final = (_DATA_END, _FOOTER)


def _record(opcode: int, content: bytes) -> bytes:
    return bytes([opcode]) + struct.pack('<Q', len(content)) + content


# No checksum, and neither summary nor offsets: a reader then looks through the data.
_END: Final = (_record(_DATA_END, struct.pack('<I', 0))
               + _record(_FOOTER, struct.pack('<QQI', 0, 0, 0)) + _MAGIC)


def whole_part(path: Path) -> tuple[int, bytes]:
    """Return the bytes up to the end of the last whole record before the index, and what follows.

    What follows is the whole part of a chunk that was cut, as a chunk; b'' where there is none.
    """
    size = path.stat().st_size
    with path.open('rb') as file:
        at = len(_MAGIC)
        while at + 9 <= size:
            file.seek(at)
            opcode, length = struct.unpack('<BQ', file.read(9))
            if opcode == _CHUNK and at + 9 + length > size:
                return at, _shortened(file.read())
            if opcode in _FIRST_OF_INDEX or at + 9 + length > size:
                break
            at += 9 + length
    return at, b''


def _shortened(chunk: bytes) -> bytes:
    """Return a chunk of the whole records of one that was cut; b'' for a compressed one."""
    # Times of the first and the last message, size, checksum, name of the compression.
    if len(chunk) < 40 or chunk[28:32] != bytes(4):
        return b''
    records = chunk[40:]
    at = 0
    while at + 9 <= len(records):
        length = struct.unpack_from('<Q', records, at + 1)[0]
        if at + 9 + length > len(records):
            break
        at += 9 + length
    sizes = struct.pack('<QII', at, 0, 0) + struct.pack('<Q', at)
    return _record(_CHUNK, chunk[:16] + sizes + records[:at]) if at else b''


class _Closed(io.RawIOBase):
    """The whole part of a file with an end behind it, to be read."""

    def __init__(self, path: Path) -> None:
        self._length, rest = whole_part(path)
        self._file, self._end, self._at = path.open('rb'), rest + _END, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(
            whence, self._length + len(self._end))
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = len(buffer)
        if self._at < self._length:
            self._file.seek(self._at)
            data = self._file.read(min(wanted, self._length - self._at))
        else:
            begin = self._at - self._length
            data = self._end[begin:begin + wanted]
        buffer[:len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


class ClosedPath(type(Path())):  # type: ignore[misc]
    """The path of an unclosed recording that opens as a closed one."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        """Open for reading."""
        return io.BufferedReader(_Closed(Path(str(self))))
