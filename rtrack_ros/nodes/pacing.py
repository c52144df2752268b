"""How often others may keep the node busy: a burst at once, and a rate in the long run.

Every message and call costs the thread of the camera about a millisecond, whatever is made of it,
and anybody in the domain can send any number. A paced topic or service is not looked at while it
is ahead of its rate: what waits there lies in the middleware, which keeps the newest few.
"""

import time
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

Rate = Callable[[], float]
"""Returns how many are served a second now."""


class Pace:
    """A bucket of tokens: full it lets a burst through, and fills again at the rate.

    Args:
        rate_hz: Tokens a second.
        burst: Tokens in a full bucket.
        clock: Monotone clock in seconds.
    """

    def __init__(self, rate_hz: Rate, burst: int,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_hz, self._burst, self._clock = rate_hz, burst, clock
        self._tokens, self._filled = float(burst), clock()

    @property
    def ready(self) -> bool:
        """Whether one more is served now."""
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._filled) * self._rate_hz(), self._burst)
        self._filled = now
        return self._tokens >= 1.0

    def serve(self) -> None:
        """Take a token; whoever is served while none is there is in debt."""
        self._tokens -= 1.0


class PacedGroup(CallbackGroup):
    """A callback group whose callbacks run no more often than a pace lets them.

    Args:
        pace: The pace.
        on_wait: Called when there is nothing left of a burst: what follows waits.
    """

    def __init__(self, pace: Pace, on_wait: Callable[[], object] = bool) -> None:
        super().__init__()
        self._pace, self._on_wait = pace, on_wait

    def can_execute(self, entity: Any) -> bool:
        """Return whether the executor may look at it."""
        return self._pace.ready

    def beginning_execution(self, entity: Any) -> bool:
        """Count a callback that begins."""
        self._pace.serve()
        if not self._pace.ready:
            self._on_wait()
        return True

    def ending_execution(self, entity: Any) -> None:
        """Take note of nothing: callbacks may wait for each other."""


def pace_services(node: Node, rate_hz: Rate, burst: int) -> None:
    """Give every service of a node a pace of its own, those that rclpy made included.

    Of its own, so that a flood of calls of one holds up no other: the node can still be shut down.
    """
    for service in node.services:
        service.callback_group = PacedGroup(Pace(rate_hz, burst))
