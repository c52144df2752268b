"""A look at both images of a pair."""

import numpy as np
import pytest

from rtrack_ros.detectors.base import Seen
from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.detectors.looking import look
from rtrack_ros.frames import FramePair, ImageState, PairHealth

RGB = ((10, 10, 30, 60), 'person', 0.6), ((100, 10, 160, 40), 'car', 0.9)
THERMAL = ((12, 10, 32, 60), 'person', 0.8), ((200, 10, 220, 60), 'person', 0.5)


class Sees:
    """Sees one thing in colour and another in grey."""

    def __call__(self, image):
        boxes, labels, scores = zip(*(RGB if image.ndim == 3 else THERMAL), strict=True)
        return Seen(np.array(boxes, float), labels, np.array(scores))


def _pair(rgb=ImageState.FRESH, thermal=ImageState.FRESH):
    return FramePair(7, np.zeros((120, 240, 3), np.uint8), np.zeros((120, 240), np.uint8),
                     health=PairHealth(rgb, thermal))


def _found(pair, **settings):
    seen = look(Sees(), pair, DetectorConfig(**settings))
    return None if seen is None else [(item.label, item.score)
                                      for item in seen.detections.detections]


def test_what_both_images_show_is_one_object_with_the_surer_box():
    seen = look(Sees(), _pair(), DetectorConfig())

    assert seen.detections.stamp_ns == 7
    assert seen.images == 2
    assert [(item.label, item.score, item.box) for item in seen.detections.detections] == [
        ('car', 0.9, (100, 10, 160, 40)), ('person', 0.8, (12, 10, 32, 60)),
        ('person', 0.5, (200, 10, 220, 60))]


@pytest.mark.parametrize(('spectra', 'health', 'found'), [
    ('rgb', {}, [('car', 0.9), ('person', 0.6)]),
    ('thermal', {}, [('person', 0.8), ('person', 0.5)]),
    ('both', {'thermal': ImageState.HELD}, [('car', 0.9), ('person', 0.6)]),
    ('both', {'rgb': ImageState.FROZEN}, [('person', 0.8), ('person', 0.5)]),
    ('thermal', {'thermal': ImageState.MISSING}, None)])
def test_only_images_of_now_are_looked_at(spectra, health, found):
    assert _found(_pair(**health), spectra=spectra) == found


def test_classes_and_least_score_choose():
    assert _found(_pair(), classes='Car') == [('car', 0.9)]
    assert _found(_pair(), classes='person', min_score=0.7) == [('person', 0.8)]
