"""When an image was taken: by its stamp, or by its arrival where the stamp cannot say."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from rtrack_ros.intake.messages import stamp_of

_COARSE_NS: Final = 100_000_000
"""Stamps of a clock that shows seconds or tenths of a second are multiples of this."""


class StampReader:
    """Reads the stamps of one camera's messages.

    A driver that sets no stamp sends 0. Equal stamps would look like one image sent again and
    again, so the time of arrival is taken. A driver whose clock shows whole seconds sends many
    different images under one stamp; from the second of them on the time of arrival is taken, too.

    Args:
        topic: Of the camera, for warnings.
        warn: Takes the kind of a warning and its text.
        now_ns: Returns the time of arrival.
    """

    def __init__(self, topic: str, warn: Callable[[str, str], object],
                 now_ns: Callable[[], int]) -> None:
        self._topic, self._warn, self._now_ns = topic, warn, now_ns
        self._coarse = False
        self._last: tuple[int, Any] | None = None

    def __call__(self, message: Any) -> int:
        """Return when the image of a message was taken, nanoseconds."""
        stamp_ns = stamp_of(message)
        if not stamp_ns:
            self._warn('unstamped', f'{self._topic} carries no stamps; the time of arrival is '
                       'used')
            return self._now_ns()
        self._coarse = self._coarse or self._is_coarse(stamp_ns, message.data)
        self._last = (stamp_ns, message.data) if stamp_ns % _COARSE_NS == 0 else None
        if self._coarse and stamp_ns % _COARSE_NS == 0:
            self._warn('coarse stamps', f'{self._topic} sends different images under one stamp, '
                       'of a clock without fractions; the time of arrival is used')
            return self._now_ns()
        return stamp_ns

    def _is_coarse(self, stamp_ns: int, data: Any) -> bool:
        """Whether another image came under this stamp just before."""
        if stamp_ns % _COARSE_NS or self._last is None or self._last[0] != stamp_ns:
            return False
        return not np.array_equal(np.frombuffer(self._last[1], np.uint8),
                                  np.frombuffer(data, np.uint8))
