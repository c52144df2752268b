"""What a camera's subscription holds in its queue, and how long it has lain there."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

LIVE, REPLAY = 'live', 'replay'
LIVE_DEPTH = 10
"""Images kept while one is tracked; all but the newest are passed over afterwards."""


def camera_qos(profile: str) -> QoSProfile:
    """Return a new profile for one camera: rclpy writes the user's overrides into it.

    Args:
        profile: 'live' keeps the newest and asks nothing of the publisher; 'replay' keeps all, and
            is served by reliable publishers only.
    """
    if profile == REPLAY:
        return QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=LIVE_DEPTH,
                      reliability=ReliabilityPolicy.BEST_EFFORT)


class CameraQueue:
    """Hands images on as they come, and takes at once what has come behind them.

    Args:
        add: Takes one image message.

    Attributes:
        behind_ms: How long the newest image handed on had lain in the queue, milliseconds; NaN
            before the first, and where the middleware does not tell.
    """

    def __init__(self, add: Callable[[Any], object]) -> None:
        self._add = add
        self._subscription: Any = None
        self.behind_ms = float('nan')

    def serve(self, subscription: Any) -> None:
        """Take images of this subscription from now on."""
        self._subscription = subscription

    def receiver(self, then: Callable[[], object]) -> Callable[..., None]:
        """Return the callback of the subscription; ``then`` is called after every image."""
        if not hasattr(Subscription, 'CallbackType'):  # rclpy tells no times before ROS 2 Iron
            def receive(message: Any) -> None:
                self._add(message)
                then()
            return receive

        def receive_at(message: Any, info: Any) -> None:
            self._hand_on(message, info)
            then()
        return receive_at

    def drain(self) -> None:
        """Hand on all that waits in the queue, oldest first."""
        for message, info in self._waiting():
            self._hand_on(message, info)

    def _waiting(self) -> Iterator[tuple[Any, Any]]:
        # As many as can have come while one was tracked: a publisher without a pause would
        # otherwise never let go.
        subscription = self._subscription
        for _ in range(LIVE_DEPTH):
            with subscription.handle:
                taken = subscription.handle.take_message(subscription.msg_type, False)
            if taken is None:
                return
            yield taken

    def _hand_on(self, message: Any, info: Any) -> None:
        received_ns = info['received_timestamp'] if info else 0
        if received_ns:
            self.behind_ms = max(time.time_ns() - received_ns, 0) * 1e-6
        self._add(message)
