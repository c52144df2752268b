"""The simulated world: the same by seed, true to its own truth, and seen by two cameras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.simulation import CONDITIONS, Scene, make_scene


@pytest.fixture(scope='module')
def scene() -> Scene:
    return make_scene(4, seconds=6.0, conditions=CONDITIONS, fps=5)


def test_same_seed_gives_the_same_frames_in_any_order() -> None:
    first, second = make_scene(3, seconds=1.0), make_scene(3, seconds=1.0)
    last = first.frame(20)
    first.frame(0)
    again = second.frame(20)
    assert np.array_equal(last.rgb, again.rgb) and np.array_equal(last.thermal, again.thermal)
    assert last.objects == again.objects
    assert first.expressions == second.expressions


def test_different_seeds_give_different_scenes() -> None:
    assert not np.array_equal(make_scene(1, 1.0).frame(0).rgb, make_scene(2, 1.0).frame(0).rgb)


def test_frames_have_the_promised_shapes_and_stamps(scene: Scene) -> None:
    for index, frame in enumerate(scene):
        assert frame.index == index and frame.stamp_ns == round(index * 1e9 / 5)
        assert frame.rgb.shape == (480, 640, 3) and frame.rgb.dtype == np.uint8
        assert frame.thermal.shape == (240, 320) and frame.thermal.dtype == np.uint16
    assert len(scene) == 30


def test_conditions_follow_one_another_in_equal_parts(scene: Scene) -> None:
    shown = [scene.condition(index) for index in range(len(scene))]
    assert shown == [name for name in CONDITIONS for _ in range(5)]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 0.999))
def test_boxes_lie_in_the_image_and_ids_are_unique(seed: int, share: float) -> None:
    scene = make_scene(seed, seconds=4.0)
    frame = scene.frame(int(share * len(scene)))
    ids = [item.id for item in frame.objects]
    assert len(ids) == len(set(ids))
    for item in frame.objects:
        x1, y1, x2, y2 = item.box
        assert 0 <= x1 < x2 <= 640 and 0 <= y1 < y2 <= 480
        assert 0 <= item.visibility <= 1


def test_a_sentence_means_only_what_is_in_view(scene: Scene) -> None:
    for index in range(0, len(scene), 7):
        seen = {item.id for item in scene.frame(index).objects if item.visibility >= 0.3}
        for expression in scene.expressions:
            assert expression.ids[index] <= seen


def test_every_kind_of_sentence_occurs() -> None:
    kinds = {item.kind for seed in range(4) for item in make_scene(seed, 0.2).expressions}
    assert kinds == {'class', 'colour', 'place', 'relation', 'motion', 'plural', 'nobody'}


def test_a_class_sentence_means_all_of_the_class() -> None:
    scene = make_scene(8, seconds=3.0, place='road')
    people = next(item for item in scene.expressions if item.kind == 'class' and any(
        word in item.text for word in ('people', 'person', 'pedestrian', 'every', 'anybody')))
    category = {actor.id: actor.category for actor in scene.actors}
    named = set().union(*people.ids)
    assert named and all(category[name] == 'person' for name in named)


def _contrast(scene: Scene, index: int, thermal: bool) -> float:
    """Return how far people stand out from their surroundings, in grey levels or counts."""
    frame = scene.frame(index)
    picture = frame.thermal.astype(float) if thermal else frame.rgb.mean(axis=2)
    scale = picture.shape[1] / scene.width
    differences = []
    for item in frame.objects:
        if item.category != 'person' or item.visibility < 0.9:
            continue
        x1, y1, x2, y2 = (int(value * scale) for value in item.box)
        inside = picture[y1:y2, x1 + (x2 - x1) // 4:x2 - (x2 - x1) // 4]
        beside = np.concatenate([picture[y1:y2, max(0, x1 - 6):x1], picture[y1:y2, x2:x2 + 6]], 1)
        if inside.size and beside.size:
            differences.append(abs(inside.mean() - beside.mean()))
    return float(np.mean(differences)) if differences else np.nan


@pytest.mark.parametrize('condition', ['night', 'smoke'])
def test_people_vanish_for_rgb_and_stay_for_thermal(condition: str) -> None:
    """The reason for the second camera: darkness and smoke take far more from RGB."""
    kept = {True: [], False: []}
    for seed in range(6):
        clear, dim = (make_scene(seed, 3.0, conditions=(name,)) for name in ('day', condition))
        for thermal in (True, False):
            share = _contrast(dim, 45, thermal) / _contrast(clear, 45, thermal)
            if np.isfinite(share):
                kept[thermal].append(share)
    assert np.median(kept[True]) > 2 * np.median(kept[False])


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match='crossover'):
        make_scene(0, conditions=('fog',))
    with pytest.raises(ValueError, match='yard'):
        make_scene(0, place='beach')
    with pytest.raises(IndexError):
        make_scene(0, seconds=1.0).frame(30)
