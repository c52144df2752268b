"""Several boxes around one object become one: non-maximum suppression within each class."""

import cv2
import numpy as np

from rtrack_ros.detectors.base import Seen


def suppressed(seen: Seen, min_score: float, most_overlap: float, most: int) -> Seen:
    """Return the surest boxes of every class that do not lie on a surer one, the surest first.

    Boxes and scores that are no finite number go, too: OpenCV's suppression would take them for
    the surest.

    Args:
        seen: Boxes of a network.
        min_score: Boxes below go.
        most_overlap: A box whose IoU with a surer one of its class is greater goes.
        most: So many boxes stay at most.
    """
    usable = (np.isfinite(seen.boxes).all(axis=1) & np.isfinite(seen.scores)
              & (seen.scores >= min_score))
    labels = np.array(seen.labels, dtype=object)
    kept: list[int] = []
    for label in sorted(set(labels[usable].tolist())):
        rows = np.flatnonzero(usable & (labels == label))
        kept.extend(rows[_of_one_class(seen, rows, most_overlap)].tolist())
    kept = sorted(kept, key=lambda row: (-seen.scores[row], row))[:most]
    return Seen(seen.boxes[kept], tuple(seen.labels[row] for row in kept), seen.scores[kept])


def _of_one_class(seen: Seen, rows: np.ndarray, most_overlap: float) -> np.ndarray:
    corners = seen.boxes[rows]
    sides = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    # 0 as the least score: what is too unsure has gone already.
    found = cv2.dnn.NMSBoxes(sides.tolist(), seen.scores[rows].tolist(), 0.0, most_overlap)
    return np.asarray(found, dtype=np.intp).reshape(-1)
