"""Server-sent events, read from bytes that may be cut anywhere."""

LONGEST_EVENT = 1 << 20
"""Most bytes of one event."""

MARK = b'\xef\xbb\xbf'
"""Tells that UTF-8 follows; some servers begin with it."""


class EventReader:
    """Takes the bytes of a stream as they come and gives the data of its events.

    Lines end with LF, CR LF or CR. Comments and all fields but ``data`` are passed over; the
    ``data`` lines of one event are joined by a line feed.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._begun = False

    def feed(self, piece: bytes) -> list[str]:
        """Take some bytes and return the data of the events that are complete by now.

        Raises:
            ValueError: an event is longer than ``LONGEST_EVENT``.
        """
        if not piece:
            return []
        ends_in_cr = piece.endswith(b'\r')
        if self._after_cr:
            piece = piece.removeprefix(b'\n')
        self._after_cr = ends_in_cr
        lines = piece.replace(b'\r\n', b'\n').replace(b'\r', b'\n').split(b'\n')
        events = [event for line in lines[:-1] for event in self._end_line(line)]
        self._line += lines[-1]
        if self._size + len(self._line) > LONGEST_EVENT:
            raise ValueError(f'an event of more than {LONGEST_EVENT} bytes')
        return events

    def end(self) -> list[str]:
        """Return the data of an event that the end of the stream cut short, if there is any."""
        return self._end_line(b'') + self._end_line(b'')

    def _end_line(self, rest: bytes) -> list[str]:
        """Take the rest of a line and return the event that it ends, if it does."""
        line = bytes(self._line) + rest
        self._line.clear()
        if not self._begun:
            line, self._begun = line.removeprefix(MARK), True
        name, _, value = line.partition(b':')
        if name == b'data':
            self._data.append(value.removeprefix(b' '))
            self._size += len(value)
        if line or not self._data:
            return []
        event = b'\n'.join(self._data).decode('utf-8', 'replace')
        self._data.clear()
        self._size = 0
        return [event]
