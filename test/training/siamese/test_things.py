"""Things strewn over the world: the same for a seed, painted where their truth says."""

from dataclasses import fields

import numpy as np
import pytest

from rtrack_ros.frames import FramePair
from rtrack_ros.training.siamese import things
from rtrack_ros.training.siamese.pairs import Pairs
from rtrack_ros.training.siamese.things import Pose, Thing, draw_things

WIDTH, HEIGHT = 320, 240
WHITE = Thing(np.ones((96, 96), np.float32), np.full((96, 96, 3), 255, np.uint8),
              np.full((96, 96), 255, np.uint8), (1.0, 1.0))


def black() -> FramePair:
    return FramePair(0, np.zeros((HEIGHT, WIDTH, 3), np.uint8),
                     np.zeros((HEIGHT, WIDTH), np.uint8))


def test_a_seed_gives_the_same_pairs_and_another_one_others() -> None:
    first, again, other = (next(iter(draw_things(seed))) for seed in (5, 5, 6))
    for item in fields(Pairs):
        np.testing.assert_array_equal(getattr(first, item.name), getattr(again, item.name))
    assert not np.array_equal(first.templates, other.templates)


@pytest.mark.parametrize('centre, expected', [
    ((100.0, 120.0), (80, 90, 120, 150)), ((10.0, 230.0), (0, 200, 30, HEIGHT))],
    ids=['in view', 'cut by the edge'])
def test_the_box_of_a_thing_is_what_it_covers(centre: tuple[float, float],
                                              expected: tuple[int, ...]) -> None:
    moment = things._strewn(black(), [WHITE], [Pose(centre, (40.0, 60.0), 0.0)])
    np.testing.assert_allclose(moment.objects[0].box, expected, atol=1.0)
    assert moment.objects[0].visibility == 1.0
    x1, y1, x2, y2 = (round(value) for value in moment.objects[0].box)
    shown = moment.views.fine[y1 + 2:y2 - 2, x1 + 2:x2 - 2]
    assert (shown > 250).all()
    assert moment.views.fine.sum() < 1.15 * 2 * 255 * (x2 - x1) * (y2 - y1)


def test_who_is_painted_later_hides_who_was_there() -> None:
    poses = [Pose((100.0, 100.0), (40.0, 40.0), 0.0), Pose((120.0, 100.0), (40.0, 40.0), 0.0)]
    objects = things._strewn(black(), [WHITE, WHITE], poses).objects
    assert objects[0].visibility == pytest.approx(0.5, abs=0.05)
    assert objects[1].visibility == 1.0


def test_a_thing_outside_the_image_is_not_there() -> None:
    assert not things._strewn(black(), [WHITE], [Pose((-90.0, 50.0), (40.0, 40.0), 0.0)]).objects


def test_a_spectrum_may_be_blind_to_a_thing_but_never_both() -> None:
    rng = np.random.default_rng(0)
    opacities = np.array([things._thing(rng).opacity for _ in range(150)])
    assert opacities.any(axis=1).all()
    assert 0.05 < (opacities == 0).mean() < 0.3
