"""Corrupted histories: as far from the truth as they say, and exact as often as they say."""

import numpy as np
import pytest

from rtrack_ros.boxes import iou
from rtrack_ros.training.shards.corruption import Corruption, elsewhere

BOX = (100.0, 50.0, 140.0, 130.0)
ROOT = np.sqrt(40 * 80)


def drawn(corruption: Corruption, what: str, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.array([getattr(corruption, what)(rng, BOX) for _ in range(count)])


@pytest.mark.parametrize('what', ['template', 'predicted'])
def test_the_stated_share_of_histories_is_exact(what: str) -> None:
    exact = (drawn(Corruption(exact_share=0.25), what) == BOX).all(axis=1)
    assert exact.mean() == pytest.approx(0.25, abs=0.06)
    assert (drawn(Corruption(exact_share=1.0), what) == BOX).all()


def test_a_template_stays_on_the_target() -> None:
    boxes = drawn(Corruption(exact_share=0.0), 'template')
    assert iou(boxes, np.array([BOX])).min() > 0.4
    assert (boxes[:, 0] - BOX[0]).std() == pytest.approx(0.06 * 40, rel=0.15)
    assert (boxes[:, 1] - BOX[1]).std() == pytest.approx(0.06 * 80, rel=0.15)


def test_a_prediction_is_shifted_and_scaled_within_its_bounds() -> None:
    boxes = drawn(Corruption(exact_share=0.0, search_shift=1.2, search_scale=1.35), 'predicted')
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 - ((120, 90),)
    assert np.abs(centres).max() <= 1.2 * ROOT and np.abs(centres).max() > 1.0 * ROOT
    sides = boxes[:, 2:] - boxes[:, :2]
    factors = sides[:, 0] / 40
    assert np.allclose(factors, sides[:, 1] / 80)
    assert 1 / 1.35 <= factors.min() < 0.8 and 1.25 < factors.max() <= 1.35


def test_a_tracker_takes_the_object_next_to_the_target_for_it_at_times_and_none_far_off() -> None:
    near, far = (150.0, 52.0, 190.0, 132.0), (600.0, 50.0, 640.0, 130.0)
    exact, rng = Corruption(exact_share=1.0, mistaken_share=0.3), np.random.default_rng(4)
    predicted = [exact.predicted(rng, BOX, [far, near]) for _ in range(400)]
    assert set(predicted) == {BOX, near}
    assert predicted.count(near) / len(predicted) == pytest.approx(0.3, abs=0.06)
    assert {exact.predicted(rng, BOX, [far]) for _ in range(50)} == {BOX}


def test_a_tracker_that_lost_its_target_looks_at_others_or_anywhere_at_its_size() -> None:
    other, rng = (300.0, 10.0, 320.0, 60.0), np.random.default_rng(5)
    looked = [elsewhere(rng, BOX, [other], (640, 480)) for _ in range(400)]
    assert looked.count(other) / len(looked) == pytest.approx(0.5, abs=0.08)
    places = np.array([box for box in looked if box != other])
    assert np.allclose(places[:, 2:] - places[:, :2], (40, 80))
    assert (places[:, :2] >= 0).all() and (places[:, :2] <= (640, 480)).all()
    assert np.ptp(places[:, 0]) > 500 and np.ptp(places[:, 1]) > 380
    assert other not in [elsewhere(rng, BOX, [], (640, 480)) for _ in range(20)]
