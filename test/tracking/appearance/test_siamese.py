"""The Siamese network as shipped finds displaced objects; its patches show what they claim."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtrack_ros.boxes import iou
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.simulation.scene import Scene
from rtrack_ros.tracking.appearance.siamese import REACH, SIDE, Patch, Siamese, cut, normalised
from rtrack_ros.tracking.existence import objectness_ratio
from rtrack_ros.tracking.history.frame import SiameseMeasurement
from rtrack_ros.tracking.history.views import Views

WIDTH, HEIGHT = 640, 480
HELD_OUT = range(9_600_100, 9_600_104)
"""Scenes that neither training nor its evaluation has seen."""


@cache
def ramps(width: int = WIDTH, height: int = HEIGHT, fine_width: int = WIDTH) -> Views:
    """An image whose luminance says the column and whose thermal says the row, eight bits each."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    rgb = np.repeat(across[:, :, None], 3, axis=2).round().astype(np.uint8)
    return Views.of(FramePair(0, rgb, down.round().astype(np.uint8)), 320, fine_width)


def views_of(scene: Scene, index: int, thermal: bool = True) -> tuple[Views, dict[int, NDArray]]:
    """The views of a frame and the boxes of the objects clearly visible in it."""
    frame = scene.frame(index)
    heat = register_thermal(ThermalNormaliser()(frame.thermal, frame.stamp_ns), WIDTH, HEIGHT)
    pair = FramePair(frame.stamp_ns, frame.rgb, heat if thermal else None)
    return Views.of(pair, 320, 640), {
        item.id: np.array(item.box) for item in frame.objects
        if item.visibility > 0.8 and item.box[3] - item.box[1] > 25}


def displaced(box: NDArray, share: float) -> NDArray:
    return box + share * np.tile(box[2:] - box[:2], 2)


@dataclass(frozen=True, eq=False)
class Known:
    """An object as it looked in the answer, and half a second later."""

    template: Patch
    views: Views
    truth: NDArray

    def search(self, box: NDArray) -> Patch:
        patch = cut(self.views, box)
        assert patch is not None
        return patch


def draw_known(thermal: bool) -> Iterator[Known]:
    for seed in HELD_OUT:
        scene = Scene(seed, 4.0, conditions=('day',))
        for index in (20, 70):
            before, named = views_of(scene, index, thermal)
            after, seen = views_of(scene, index + 15, thermal)
            for name in sorted(named.keys() & seen.keys()):
                template = cut(before, named[name])
                assert template is not None
                yield Known(template, after, seen[name])


@pytest.fixture(scope='module')
def known() -> list[Known]:
    return list(draw_known(thermal=True))


@pytest.fixture(scope='module')
def known_in_rgb() -> list[Known]:
    return list(draw_known(thermal=False))


@pytest.fixture(scope='module')
def siamese() -> Siamese:
    return Siamese()


def mean_iou(boxes: list[NDArray], truths: list[NDArray]) -> float:
    return float(np.mean([iou(box, truth) for box, truth in zip(boxes, truths, strict=True)]))


def look(siamese: Siamese, known: list[Known], boxes: list[NDArray]) -> list[SiameseMeasurement]:
    return siamese.look([item.template for item in known],
                        [item.search(box) for item, box in zip(known, boxes, strict=True)])


@pytest.mark.parametrize('cameras', ['known', 'known_in_rgb'])
def test_it_finds_displaced_objects_again(siamese: Siamese, cameras: str,
                                          request: pytest.FixtureRequest) -> None:
    known: list[Known] = request.getfixturevalue(cameras)
    assert len(known) > 15
    truths = [item.truth for item in known]
    left = [displaced(truth, 0.3) for truth in truths]
    measurements = look(siamese, known, left)
    assert mean_iou(left, truths) < 0.35
    assert mean_iou([measurement.box for measurement in measurements], truths) > 0.6
    assert np.median([measurement.present for measurement in measurements]) > 0.8


def test_its_errors_are_as_large_as_it_says(siamese: Siamese, known: list[Known]) -> None:
    """About two thirds of the errors lie within a standard deviation."""
    within = []
    measurements = look(siamese, known, [displaced(item.truth, 0.3) for item in known])
    for measurement, item in zip(measurements, known, strict=True):
        error = (measurement.box[:2] + measurement.box[2:] - item.truth[:2] - item.truth[2:]) / 2
        within += (np.abs(error) < measurement.sigma[:2]).tolist()
        assert (measurement.sigma > 0).all()
    assert 0.4 < np.mean(within) < 0.95


def test_an_object_is_hardly_present_where_another_place_is_shown(
        siamese: Siamese, known: list[Known]) -> None:
    there = look(siamese, known, [item.truth for item in known])
    apart = [item for item in known if abs(item.truth[0] + item.truth[2] - WIDTH)
             > REACH * (item.truth[2] - item.truth[0])]
    mirrored = [np.array([WIDTH - item.truth[2], item.truth[1], WIDTH - item.truth[0],
                          item.truth[3]]) for item in apart]
    elsewhere = look(siamese, apart, mirrored)
    assert len(apart) > 10
    assert np.median([measurement.present for measurement in elsewhere]) < 0.3
    assert np.mean([measurement.present for measurement in there]) > 0.4 + np.mean(
        [measurement.present for measurement in elsewhere])


def heights_seen(siamese: Siamese, first: Views, second: Views, box: NDArray) -> list[float]:
    """The network's own error of the height in a box, a moment later, as a share of it."""
    found = siamese.find(second, [cut(first, box)], box[None])
    return [item.sigma[3] / (box[3] - box[1]) for item in found if item]


def test_an_empty_box_is_doubted_and_a_box_on_an_object_is_not(siamese: Siamese) -> None:
    held, empty = [], []
    for seed in HELD_OUT:
        scene = Scene(seed, 4.0, conditions=('day',))
        (before, named), (after, seen) = (views_of(scene, index) for index in (20, 25))
        objects = [item.box for index in (20, 25) for item in scene.frame(index).objects]
        held += [objectness_ratio(heights_seen(siamese, before, after, named[name]))
                 for name in sorted(named.keys() & seen.keys())]
        places = (np.array([x, y, x + 50.0, y + 110.0])
                  for x in range(0, 590, 118) for y in range(150, 360, 70))
        empty += [objectness_ratio(heights_seen(siamese, before, after, place)) for place in places
                  if iou([place], objects).max(initial=0.0) == 0]
    assert len(held) > 5 and len(empty) > 20
    assert np.mean(held) > 0.8
    assert np.mean(empty) < 0.5


def test_features_of_a_template_are_kept_for_each_set_of_spectra(siamese: Siamese,
                                                                 known: list[Known]) -> None:
    """While the thermal camera is silent for a frame, only the template's luminance counts."""
    item = known[0]
    template = replace(item.template, features={})
    search = item.search(displaced(item.truth, 0.2))
    dark = replace(search, pixels=np.stack(
        [search.pixels[..., 0], np.zeros_like(search.pixels[..., 1])], axis=-1))
    for shown in (search, dark, search):
        again, afresh = siamese.look([template, replace(template, features={})], [shown, shown])
        np.testing.assert_allclose(again.box, afresh.box, rtol=1e-6)
        assert again.present == pytest.approx(afresh.present)
    assert set(template.features) == {(True, True), (True, False)}
    assert not search.features


def test_without_templates_nothing_is_measured(siamese: Siamese) -> None:
    assert siamese.look([], []) == []


@settings(deadline=None)
@given(x=st.floats(60, 400), y=st.floats(60, 300), width=st.floats(8, 100),
       height=st.floats(8, 100), fine_width=st.sampled_from([320, 640]))
def test_a_patch_shows_what_its_window_says(x: float, y: float, width: float, height: float,
                                            fine_width: int) -> None:
    patch = cut(ramps(fine_width=fine_width), np.array([x, y, x + width, y + height]))
    assert patch is not None and patch.pixels.shape == (SIDE, SIDE, 2)
    x1, y1, x2, y2 = patch.window
    pixel = WIDTH / fine_width
    middle = np.array([x + width / 2, y + height / 2])
    np.testing.assert_allclose([(x1 + x2) / 2, (y1 + y2) / 2], middle, atol=pixel / 2)
    np.testing.assert_allclose([x2 - x1, y2 - y1], REACH * np.array([width, height]), atol=pixel)
    steps = (np.arange(SIDE) + 0.5) / SIDE
    inner = slice(4, -4)  # at its edges an enlarged patch repeats its own last pixel
    columns = (x1 + steps * (x2 - x1) - 0.5) * 255 / (WIDTH - 1)
    rows = (y1 + steps * (y2 - y1) - 0.5) * 255 / (HEIGHT - 1)
    np.testing.assert_allclose(patch.pixels[..., 0].mean(axis=0)[inner], columns[inner], atol=2.0)
    np.testing.assert_allclose(patch.pixels[..., 1].mean(axis=1)[inner], rows[inner], atol=2.0)


def test_beyond_the_image_its_edge_is_repeated() -> None:
    patch = cut(ramps(), np.array([-20.0, -30.0, 20.0, 30.0]))
    assert patch is not None
    np.testing.assert_array_equal(patch.window, [-40, -60, 40, 60])
    middle = SIDE // 2
    assert not patch.pixels[:, :middle - 1, 0].any() and not patch.pixels[:middle - 1, :, 1].any()
    assert (np.diff(patch.pixels[0, middle:, 0].astype(int)) >= 0).all()
    assert patch.pixels[0, -1, 0] > 10 and patch.pixels[-1, 0, 1] > 25


@pytest.mark.parametrize('box', [(-300, 10, -200, 60), (900, 10, 950, 60), (10, -400, 60, -300),
                                 (10, 600, 60, 640)])
def test_there_is_no_patch_outside_the_image(box: tuple[float, ...]) -> None:
    assert cut(ramps(), np.array(box, np.float64)) is None


def test_a_tiny_box_still_has_a_patch() -> None:
    patch = cut(ramps(), np.array([100.0, 100.0, 100.5, 100.2]))
    assert patch is not None and (patch.window[2:] - patch.window[:2] == 4 * REACH).all()


def random_patches(seed: int, count: int = 3) -> Image8:
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 2), np.uint8)


def test_contrast_is_that_of_the_template_and_exposure_does_not_matter() -> None:
    """Patches that are both brighter all over give the same."""
    templates, searches = random_patches(0) // 3, random_patches(1) // 3
    plain, brighter = (normalised(templates + extra, searches + extra) for extra in
                       (np.uint8(0), np.uint8(100)))
    for one, other in zip(plain, brighter, strict=True):
        assert one.shape == (3, 2, SIDE, SIDE) and one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=1e-4)
    np.testing.assert_allclose(plain[0].mean(axis=(2, 3)), 0, atol=1e-4)


@pytest.mark.parametrize('silent', ['template', 'search'])
def test_a_spectrum_silent_in_one_patch_is_left_out_of_both(silent: str) -> None:
    patches = {'template': random_patches(0), 'search': random_patches(1)}
    patches[silent][1, :, :, 1] = 0
    for said in normalised(patches['template'], patches['search']):
        assert not said[1, 1].any() and said[1, 0].any() and said[0, 1].any()


def test_each_pair_is_looked_at_by_itself(siamese: Siamese, known: list[Known]) -> None:
    """Other pairs in its batch change nothing, and the box moves with the window."""
    templates = [item.template for item in known[:4]]
    searches = [item.search(displaced(item.truth, 0.2)) for item in known[:4]]
    together = siamese.look(templates, searches)
    for number, measurement in enumerate(together):
        alone, = siamese.look(templates[number:number + 1], searches[number:number + 1])
        np.testing.assert_allclose(alone.box, measurement.box, atol=1e-2)
    other = replace(searches[0], window=searches[0].window + 100)
    moved, = siamese.look(templates[:1], [other])
    np.testing.assert_allclose(moved.box, together[0].box + 100, atol=1e-2)
