"""The correlation filter: where its target went, how it grew, and whether it is there."""

import cv2
import numpy as np
import pytest

from rtrack_ros.frames import FramePair, ImageState, PairHealth
from rtrack_ros.tracking.appearance.correlation import SHARP, CorrelationFilter

RNG = np.random.default_rng(5)
GROUND = cv2.GaussianBlur(RNG.integers(0, 120, (240, 320), dtype=np.uint8), (0, 0), 3)
COAT = np.kron(RNG.integers(90, 255, (6, 6)), np.ones((8, 8), int)).astype(np.uint8)
SMALL = np.kron(RNG.integers(90, 255, (2, 3)), np.ones((4, 4), int)).astype(np.uint8)


def pair(place, coat=COAT, size=None, in_rgb=True, in_thermal=True, health=None) -> FramePair:
    """Show a coat with its centre at a place, in one spectrum or both."""
    width, height = size or (coat.shape[1], coat.shape[0])
    matrix = np.array([[width / coat.shape[1], 0, place[0] - width / 2],
                       [0, height / coat.shape[0], place[1] - height / 2]])
    drawn = cv2.warpAffine(coat, matrix, (320, 240), flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(np.full_like(coat, 255), matrix, (320, 240)) / 255
    shown = (GROUND * (1 - mask) + drawn * mask).astype(np.uint8)
    rgb, thermal = (shown if there else GROUND for there in (in_rgb, in_thermal))
    return FramePair(0, np.repeat(rgb[:, :, None], 3, axis=2), thermal,
                     health=health or PairHealth())


def box(place, size=(48, 48)) -> np.ndarray:
    half = np.array(size) / 2
    return np.concatenate([np.array(place) - half, np.array(place) + half])


@pytest.mark.parametrize('shift', [(0, 0), (7.5, -11), (-23, 4), (14, 26)])
def test_a_target_is_found_within_half_a_pixel(shift):
    known = CorrelationFilter(pair((150, 120)), box((150, 120)))
    seen = known.find(pair((150 + shift[0], 120 + shift[1])), box((150, 120)))
    assert seen.centre == pytest.approx((150 + shift[0], 120 + shift[1]), abs=0.6)
    assert seen.sharp and seen.sharpness > 2 * SHARP


def test_a_small_target_is_found_after_a_jump_of_more_than_its_size():
    known = CorrelationFilter(pair((150, 120), SMALL), box((150, 120), (12, 8)))
    seen = known.find(pair((163, 108), SMALL), box((150, 120), (12, 8)))
    assert seen.sharp and seen.centre == pytest.approx((163, 108), abs=1)


def test_what_is_gone_is_not_seen_sharply():
    known = CorrelationFilter(pair((150, 120)), box((150, 120)))
    assert not known.find(pair((-200, -200)), box((150, 120))).sharp


@pytest.mark.parametrize('spectrum', ['in_rgb', 'in_thermal'])
def test_one_spectrum_is_enough_where_smoke_hides_the_other(spectrum):
    known = CorrelationFilter(pair((150, 120)), box((150, 120)))
    seen = known.find(pair((160, 126), **{spectrum: False}), box((150, 120)))
    assert seen.sharp and seen.centre == pytest.approx((160, 126), abs=0.7)


def test_an_old_image_is_no_evidence():
    known = CorrelationFilter(pair((150, 120)), box((150, 120)))
    held = PairHealth(ImageState.HELD, ImageState.HELD)
    assert known.find(pair((150, 120), health=held), box((150, 120))).sharpness == 0
    half = PairHealth(ImageState.FRESH, ImageState.HELD)
    moved = pair((160, 120), in_thermal=False, health=half)
    assert known.find(moved, box((150, 120))).centre == pytest.approx((160, 120), abs=0.6)


def test_silent_images_are_learned_from_once_they_speak():
    black = FramePair(0, np.zeros((240, 320, 3), np.uint8), None)
    known = CorrelationFilter(black, box((150, 120)))
    assert known.find(black, box((150, 120))).sharpness == 0
    known.learn(pair((150, 120)), box((150, 120)), 0.05)
    assert known.find(pair((155, 120)), box((150, 120))).centre == pytest.approx((155, 120), abs=1)


@pytest.mark.parametrize('factor', [0.88, 1.0, 1.1])
def test_growth_is_measured_not_assumed(factor):
    known = CorrelationFilter(pair((150, 120)), box((150, 120)))
    grown = pair((150, 120), size=(48 * factor, 48 * factor))
    assert known.growth(grown, box((150, 120))) == pytest.approx(factor, abs=0.035)


def test_a_box_at_the_edge_and_one_larger_than_the_image_do_no_harm():
    for place, size in (((2, 2), (48, 48)), ((160, 120), (900, 700)), ((-80, -80), (20, 20))):
        known = CorrelationFilter(pair((150, 120)), box(place, size))
        seen = known.find(pair((150, 120)), box(place, size))
        assert np.isfinite([*seen.centre, seen.sharpness]).all()
        assert np.isfinite(known.growth(pair((150, 120)), box(place, size)))
