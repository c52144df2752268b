"""How often something happens."""

from collections import deque

NAN = float('nan')


class RateMeter:
    """Events per second over the last few seconds.

    Args:
        window_s: Seconds looked back; raising it steadies the rate and shows changes later.
    """

    def __init__(self, window_s: float = 3.0) -> None:
        self._window_ns = int(window_s * 1e9)
        self._times: deque[int] = deque()
        self._first_ns: int | None = None

    def tick(self, now_ns: int) -> None:
        """Note one event."""
        if self._first_ns is None:
            self._first_ns = now_ns
        self._times.append(now_ns)
        self._forget(now_ns)

    def rate_hz(self, now_ns: int) -> float:
        """Return the rate; NaN before the second event ever, 0 after a silence."""
        self._forget(now_ns)
        if self._first_ns is None or now_ns <= self._first_ns:
            return NAN
        if len(self._times) < 2:
            return 0.0 if now_ns - self._first_ns > self._window_ns else NAN
        return (len(self._times) - 1) / ((self._times[-1] - self._times[0]) * 1e-9 or NAN)

    def _forget(self, now_ns: int) -> None:
        while self._times and now_ns - self._times[0] > self._window_ns:
            self._times.popleft()
