"""Frame pairs as they look when one of the two cameras is silent."""

import numpy as np

from rtrack_ros.frames import FramePair, SensorHealth

VIEWS = ('both', 'rgb only', 'thermal only')


def view(pair: FramePair, name: str) -> FramePair:
    """Return the pair as a robot with one of the cameras, or both, would have it.

    Args:
        pair: A pair of both.
        name: One of ``VIEWS``.
    """
    if name == 'rgb only':
        return FramePair(pair.stamp_ns, pair.rgb, None, health=SensorHealth(thermal=False))
    if name == 'thermal only':
        return FramePair(pair.stamp_ns, np.zeros_like(pair.rgb), pair.thermal,
                         health=SensorHealth(rgb=False))
    return pair
