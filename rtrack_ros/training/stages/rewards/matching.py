"""One-to-one matching of answered and true boxes, on which the detection rewards stand."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from rtrack_ros import boxes
from rtrack_ros.boxes import BoxArray


def ramp(overlap: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return 0 up to ``low``, 1 from ``high``, and linear between."""
    return np.clip((overlap - low) / (high - low), 0.0, 1.0)


def best_credits(said: BoxArray, truth: BoxArray, low: float, high: float) -> NDArray[np.float64]:
    """Return the credits of the one-to-one matching with the largest sum.

    A pair's credit is its IoU through :func:`ramp`. The value depends on the two sets alone, not
    on the order in which boxes are listed.

    Args:
        said: (N, 4).
        truth: (M, 4), same coordinates.
        low: IoU up to which a pair earns nothing.
        high: IoU from which it earns 1.

    Returns:
        min(N, M) credits in [0, 1].
    """
    credit = ramp(boxes.iou(said, truth), low, high)
    rows, columns = linear_sum_assignment(credit, maximize=True)
    return np.asarray(credit[rows, columns], np.float64)
