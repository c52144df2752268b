"""Which pair a question is worth: one whose images are of its own instant, if one comes in time.

Beside a slow thermal camera most pairs show a thermal image that is older than they are. By night
an answer about such a pair says where objects were, not where they are.
"""

from rtrack_ros.frames import FramePair, ImageState


def is_fresh(pair: FramePair) -> bool:
    """Whether no image of a pair is older than the pair; a missing image is none."""
    return ImageState.HELD not in (pair.health.rgb, pair.health.thermal)


class Freshness:
    """Watches the pairs as they come. Used by one thread at a time."""

    def __init__(self) -> None:
        self._fresh_ns: int | None = None

    def see(self, pair: FramePair) -> None:
        """Take note of the newest pair."""
        if is_fresh(pair):
            self._fresh_ns = pair.stamp_ns

    def is_coming(self, pair: FramePair, wait_s: float) -> bool:
        """Whether a question had better wait for a fresher pair than this one.

        Args:
            pair: The newest pair.
            wait_s: Seconds since the last fresh pair after which none is waited for.
        """
        if is_fresh(pair) or self._fresh_ns is None:
            return False
        return 0 <= pair.stamp_ns - self._fresh_ns <= wait_s * 1e9
