"""One box an object and class."""

import numpy as np

from rtrack_ros.detectors.base import Seen
from rtrack_ros.detectors.suppression import suppressed


def _seen(*rows):
    boxes, labels, scores = zip(*rows, strict=True)
    return Seen(np.array(boxes, float), tuple(labels), np.array(scores, float))


TWO_PEOPLE_AND_A_CAR = _seen(
    ((10, 10, 30, 60), 'person', 0.6), ((11, 10, 31, 60), 'person', 0.9),
    ((10, 10, 30, 60), 'car', 0.5), ((100, 10, 120, 60), 'person', 0.4),
    ((200, 10, 220, 60), 'person', 0.1))


def test_the_surest_box_of_every_object_and_class_stays():
    seen = suppressed(TWO_PEOPLE_AND_A_CAR, 0.3, 0.6, 10)

    assert seen.scores.tolist() == [0.9, 0.5, 0.4]
    assert seen.labels == ('person', 'car', 'person')
    assert seen.boxes.tolist() == [[11, 10, 31, 60], [10, 10, 30, 60], [100, 10, 120, 60]]


def test_so_many_stay_at_most_and_they_are_the_surest():
    assert suppressed(TWO_PEOPLE_AND_A_CAR, 0.0, 0.6, 2).scores.tolist() == [0.9, 0.5]


def test_numbers_that_are_none_go():
    seen = _seen(((10, 10, np.nan, 60), 'person', 0.9), ((10, 10, 30, 60), 'person', np.inf),
                 ((10, 10, 30, 60), 'person', 0.5))

    assert suppressed(seen, 0.3, 0.6, 10).scores.tolist() == [0.5]


def test_nothing_seen_stays_nothing():
    nothing = Seen(np.zeros((0, 4)), (), np.zeros(0))

    assert len(suppressed(nothing, 0.3, 0.6, 10).boxes) == 0
