"""What answers of a model are worth to a tracker, measured on frames with known truth.

Boxes are matched to true ones as for F1, one to one at IoU 0.5. The definitions are our
reconstruction of what an existence filter wants to know (IPDA, Musicki et al., 1994).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.boxes import as_boxes
from rtrack_ros.evaluation.metrics.grounding_f1 import GroundedFrame, match_boxes
from rtrack_ros.settings import settings_of

_MIN_MATCHES = 20


class TooFewAnswersError(ValueError):
    """Too little was answered to measure anything by; the message names the remedy."""


def measure_accuracy(frames: Iterable[GroundedFrame]) -> AnswerAccuracy:
    """Return how far the answers about ``frames`` can be trusted.

    - detection probability: share of meant objects that answers contain
    - false alarm probability: wrong boxes over objects in view that are not meant
    - centre noise: root mean square of the centre's error along x and y, as a share of the square
      root of the true area
    - size noise: root mean square of the errors of width and height, as shares of them

    Raises:
        TooFewAnswersError: fewer than 20 boxes were right.
    """
    errors: list[NDArray[np.float64]] = []
    meant = wrong = others = 0
    for frame in frames:
        truth, said = as_boxes(frame.truth), as_boxes(frame.answer or ())
        rows, columns = match_boxes(frame)
        meant, others = meant + len(truth), others + len(frame.others)
        wrong += len(said) - len(columns)
        errors.append(_errors(truth[rows], said[columns]))
    found = np.concatenate([np.zeros((0, 4)), *errors])
    if len(found) < _MIN_MATCHES:
        raise TooFewAnswersError(f'only {len(found)} boxes were right, where {_MIN_MATCHES} are '
                                 'needed; take more scenes')
    centre, size = (float(np.sqrt((part ** 2).mean())) for part in (found[:, :2], found[:, 2:]))
    return _within_range(len(found) / meant, wrong / max(others, 1), centre, size)


def _errors(truth: NDArray[np.float64], said: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors (N, 4) of centre x, y and of width, height, as shares."""
    extent = np.maximum(truth[:, 2:] - truth[:, :2], 1.0)
    centre = (said[:, :2] + said[:, 2:] - truth[:, :2] - truth[:, 2:]) / 2
    size = (said[:, 2:] - said[:, :2]) - extent
    return np.concatenate([centre / np.sqrt(extent.prod(axis=1))[:, None], size / extent], axis=1)


def _within_range(*measured: float) -> AnswerAccuracy:
    spans = [known.span or (0.0, 1.0) for _, known in settings_of(AnswerAccuracy)]
    return AnswerAccuracy(*(round(min(max(value, low), high), 4)
                            for value, (low, high) in zip(measured, spans, strict=True)))
