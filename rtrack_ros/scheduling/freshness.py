"""Which pair a question is worth: one whose images are of its own instant, if one comes in time.

Beside a slow thermal camera most pairs show a thermal image that is older than they are. By night
an answer about such a pair says where objects were, not where they are.
"""

from rtrack_ros.frames import FramePair, ImageState

_WAITED_FOR = (ImageState.HELD, ImageState.DEAD)


def is_fresh(pair: FramePair) -> bool:
    """Whether no image of a pair is older than the pair, or dead; a missing one is no matter."""
    return pair.health.rgb is not ImageState.HELD and pair.health.thermal not in _WAITED_FOR


class Freshness:
    """Watches the pairs as they come. Used by one thread at a time."""

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._asked_without = False

    def see(self, pair: FramePair) -> None:
        """Take note of the newest pair."""
        if self._since_ns is None or is_fresh(pair):
            self._since_ns = pair.stamp_ns

    def is_coming(self, pair: FramePair, wait_s: float) -> bool:
        """Whether a question had better wait for a fresher pair than this one.

        Args:
            pair: The newest pair.
            wait_s: Seconds since the last fresh pair, or the first of all, after which none is
                waited for.
        """
        if is_fresh(pair) or self._since_ns is None:
            return False
        return 0 <= pair.stamp_ns - self._since_ns <= wait_s * 1e9

    def asked(self, pair: FramePair) -> None:
        """Take note of the pair that is asked about."""
        self._asked_without = pair.thermal is None

    def shows_more(self, pair: FramePair) -> bool:
        """Whether thermal is there again that the pair asked about last did not have."""
        return self._asked_without and pair.thermal_fresh
