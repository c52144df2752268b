"""Frame pairs as they look when one of the two cameras is silent."""

from dataclasses import replace

import numpy as np

from rtrack_ros.frames import FramePair

VIEWS = ('both', 'rgb only', 'thermal only')


def view(pair: FramePair, name: str) -> FramePair:
    """Return the pair as a robot would have it with one of the cameras, or with both.

    Args:
        pair: A pair of both.
        name: One of ``VIEWS``.
    """
    if name == 'rgb only':
        return replace(pair, thermal=None)
    if name == 'thermal only':
        return replace(pair, rgb=np.zeros_like(pair.rgb))
    return pair
