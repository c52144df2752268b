"""What the node counts while it runs: rates, latencies, pairs and arrays."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from rtrack_ros.intake.rates import NAN, RateMeter


class LatencyWindow:
    """The last few hundred latencies in milliseconds."""

    def __init__(self, size: int = 300) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, milliseconds: float) -> None:
        """Note one latency."""
        self._values.append(milliseconds)

    @property
    def newest(self) -> float:
        """The newest latency, NaN before the first."""
        return self._values[-1] if self._values else NAN

    def percentile(self, percent: float) -> float:
        """Return a percentile, NaN before the first value."""
        return float(np.percentile(self._values, percent)) if self._values else NAN


@dataclass
class Activity:
    """What the node counted since it was configured.

    Attributes:
        pairs_in: Frame pairs handed to the tracker.
        pairs_without_thermal: Those of them without a thermal image.
        arrays_out: Detection arrays published.
        tracks: Confirmed tracks in the newest array.
        callback_errors: Exceptions caught in callbacks.
        messages_lost: Images that the middleware reported as lost.
        behind_ms: How long the newest RGB image lay in the queue; NaN where nobody tells.
        pair_rate: Rate of pairs handed to the tracker.
        receive_to_publish: From the arrival of the RGB message to its array, milliseconds.
        stamp_to_publish: From the RGB stamp to its array; NaN where stamps are of another clock.
    """

    pairs_in: int = 0
    pairs_without_thermal: int = 0
    arrays_out: int = 0
    tracks: int = 0
    callback_errors: int = 0
    messages_lost: int = 0
    behind_ms: float = NAN
    pair_rate: RateMeter = field(default_factory=RateMeter)
    receive_to_publish: LatencyWindow = field(default_factory=LatencyWindow)
    stamp_to_publish: LatencyWindow = field(default_factory=LatencyWindow)
