"""Messages that are read only where they are not too long: making objects of one takes time.

A message of a hundred thousand boxes keeps the thread of the camera for a second before anybody
can look at it. Its bytes are counted first.
"""

from collections.abc import Callable
from typing import Any

from rclpy.serialization import deserialize_message


class MessageTooLongError(ValueError):
    """A message has more bytes than are read; the text says how many."""


def bounded(kind: Any, most_bytes: int, receive: Callable[[Any], object]
            ) -> Callable[[bytes], None]:
    """Return the callback of a raw subscription that hands short messages on.

    Args:
        kind: Type of the messages.
        most_bytes: Longest message that is read.
        receive: Takes a message.
    """
    def receive_bytes(data: bytes) -> None:
        if len(data) > most_bytes:
            raise MessageTooLongError(f'a {kind.__name__} of {len(data)} bytes was not read; at '
                                      f'most {most_bytes} are')
        receive(deserialize_message(data, kind))
    return receive_bytes
