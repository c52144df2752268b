"""Pairs of the simulated world: the same for a seed, and true of what they show."""

from dataclasses import fields

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtrack_ros.tracking.appearance.siamese import SIDE, _read
from rtrack_ros.training.siamese import pairs, scenes
from rtrack_ros.training.siamese.pairs import Pairs, place_of
from rtrack_ros.training.siamese.scenes import draw_scene

SEED = 3_800_000


@pytest.fixture(scope='module')
def drawn() -> Pairs:
    return Pairs.joined(list(draw_scene(SEED)))


def test_a_seed_gives_the_same_pairs_and_another_one_others(drawn: Pairs) -> None:
    again, other = (Pairs.joined(list(draw_scene(seed))) for seed in (SEED, SEED + 1))
    for item in fields(Pairs):
        np.testing.assert_array_equal(getattr(again, item.name), getattr(drawn, item.name))
    assert len(other) != len(drawn) or not np.array_equal(other.places, drawn.places)


def box_in_patch(patch: NDArray[np.uint8], place: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the box at ``place`` shows, both spectra, (24, 24, 2)."""
    sides = SIDE / 2 * np.exp(place[2:])
    corner = SIDE / 2 + SIDE / 2 * place[:2] - sides / 2
    steps = (np.arange(SIDE // 2) + 0.5) / (SIDE // 2)
    columns, rows = np.meshgrid(corner[0] + steps * sides[0] - 0.5,
                                corner[1] + steps * sides[1] - 0.5)
    return cv2.remap(patch, columns.astype(np.float32), rows.astype(np.float32),
                     cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)


def likeness(found: Pairs, places: NDArray[np.float32]) -> float:
    """Mean correlation of what templates show in their box and searches in theirs."""
    scores = []
    for row in range(len(found)):
        known = box_in_patch(found.templates[row], np.zeros(4, np.float32))
        seen = box_in_patch(found.searches[row], places[row])
        scores += [np.corrcoef(known[..., c].ravel(), seen[..., c].ravel())[0, 1]
                   for c in (0, 1) if known[..., c].std() > 3 and seen[..., c].std() > 3]
    return float(np.mean(scores))


def test_the_place_is_where_the_object_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one frame twice, an exact template and the box in the window show the same."""
    monkeypatch.setattr(scenes, 'SAME_SHARE', 1.0)
    monkeypatch.setattr(pairs, 'ELSEWHERE_SHARE', 0.0)
    monkeypatch.setattr(pairs, '_TEMPLATE_JITTER', 0.0)
    found = next(iter(draw_scene(SEED)))
    assert likeness(found, found.places) > 0.9
    assert likeness(found, np.zeros_like(found.places)) < 0.7


def test_the_object_is_visible_in_most_windows_hidden_in_some_absent_in_some(drawn: Pairs) -> None:
    assert 0.75 < (drawn.visibility >= 0.3).mean() < 0.95
    assert (drawn.visibility == 0).any()
    assert not drawn.places[drawn.visibility == 0].any()
    assert (np.abs(drawn.places[:, :2]) < 1).all()


def test_a_window_elsewhere_does_not_show_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = scenes.Scene(SEED, scenes.SCENE_SECONDS, conditions=scenes.CONDITIONS)
    moment, rng = scenes._moment(scene, 10), np.random.default_rng(0)
    (name, item), *_ = moment.objects.items()
    truth = np.array(item.box)
    found = [box for _ in range(60)
             if (box := pairs._elsewhere(rng, moment, name, truth)) is not None]
    assert found
    for box in found:
        margin = (box[2:] - box[:2]) / 2
        apart = (box[:2] - margin >= truth[2:]) | (box[2:] + margin <= truth[:2])
        assert apart.any()


@settings(deadline=None)
@given(corner=st.tuples(*[st.floats(-50, 700)] * 2), sides=st.tuples(*[st.floats(5, 300)] * 2),
       offset=st.tuples(*[st.floats(-0.9, 0.9)] * 2), grown=st.tuples(*[st.floats(0.5, 2)] * 2))
def test_the_tracker_reads_places_as_they_are_meant(
        corner: tuple[float, float], sides: tuple[float, float], offset: tuple[float, float],
        grown: tuple[float, float]) -> None:
    window = np.concatenate([corner, np.add(corner, sides)])
    box = np.concatenate([np.add(corner, np.multiply(sides, offset)),
                          np.add(corner, np.multiply(sides, np.add(offset, grown)))])
    output = np.concatenate([place_of(box, window), np.zeros(5)])
    boxes, _, (present,) = _read(output[None], window[None])
    np.testing.assert_allclose(boxes[0], box, atol=1e-6)
    assert present == 0.5


def test_gaps_are_short_enough_and_go_both_ways() -> None:
    rng, seconds = np.random.default_rng(0), np.array([0.0, 0.3, 0.9, 1.5, 1.95])
    drawn = [couple for _ in range(200) for couple in scenes._couples(rng, seconds)]
    gaps = np.array([seconds[second] - seconds[first] for first, second in drawn])
    assert np.abs(gaps).max() <= scenes.LONGEST_GAP_S
    assert (gaps > 0).mean() > 0.4 and (gaps < 0).mean() > 0.4
    assert (gaps == 0).mean() == pytest.approx(scenes.SAME_SHARE, abs=0.02)
