"""What flow points agree on."""

import numpy as np
import pytest

from rtrack_ros.tracking.compiled import CORE, LIBRARY
from rtrack_ros.tracking.history.frame import STILL
from rtrack_ros.tracking.motion.consensus import Consensus, Sample, agree, join
from rtrack_ros.tracking.motion.flow import Flow

UNKNOWN = np.full((1, 2), np.nan)
NO_REACH = np.zeros(1)
CENTRE = np.array([[50.0, 50.0]])


def sample(own: int, ground: int, shift=(3.0, 1.0), growth: float = 1.0) -> Sample:
    """Points of one box: some on the object, some on the ground, which is still."""
    rng = np.random.default_rng(own * 100 + ground)
    start = CENTRE + rng.uniform(-20, 20, (own + ground, 2))
    end = start.copy()
    end[:own] = CENTRE + growth * (start[:own] - CENTRE) + shift
    flow = Flow(start.astype(np.float32), end.astype(np.float32), np.ones(len(start), bool))
    return Sample.of(flow, np.zeros(len(start), int), (1, 30))


@pytest.mark.parametrize(('own', 'ground'), [(20, 0), (12, 8), (8, 12)])
def test_points_that_move_against_the_ground_win(own, ground) -> None:
    found = agree(sample(own, ground), CENTRE, UNKNOWN, NO_REACH, STILL, 4)
    assert found.known.all()
    np.testing.assert_allclose(found.shift, [[3.0, 1.0]], atol=1e-3)
    np.testing.assert_allclose(found.growth, 1.0, atol=1e-3)


def test_a_growing_object_keeps_its_centre() -> None:
    found = agree(sample(20, 0, growth=1.1), CENTRE, UNKNOWN, NO_REACH, STILL, 4)
    np.testing.assert_allclose(found.growth, 1.1, atol=0.01)
    np.testing.assert_allclose(found.shift, [[3.0, 1.0]], atol=0.2)


def test_with_a_known_velocity_the_motion_of_others_is_no_measurement() -> None:
    points = sample(12, 8)
    near = agree(points, CENTRE, np.array([[2.8, 1.1]]), np.array([0.5]), STILL, 4)
    assert near.known.all()
    far = agree(points, CENTRE, np.array([[-6.0, 0.0]]), np.array([0.5]), STILL, 4)
    assert not far.known.any(), 'it coasts instead of following an occluder or the ground'


def test_too_few_points_give_no_motion() -> None:
    assert not agree(sample(3, 0), CENTRE, UNKNOWN, NO_REACH, STILL, 4).known.any()
    nothing = sample(0, 0)
    assert not agree(nothing, CENTRE, UNKNOWN, NO_REACH, STILL, 1).known.any()


def test_boxes_do_not_disturb_each_other() -> None:
    parts = [sample(15, 5), sample(6, 0, (-2.0, 0.0)), sample(0, 0), sample(10, 3, growth=1.05)]
    count = len(parts)
    together = agree(Sample.stacked(parts), np.repeat(CENTRE, count, 0),
                     np.repeat(UNKNOWN, count, 0), np.zeros(count), STILL, 4)
    for row, part in enumerate(parts):
        alone = agree(part, CENTRE, UNKNOWN, NO_REACH, STILL, 4)
        assert together.known[row] == alone.known[0]
        np.testing.assert_allclose(together.shift[row], alone.shift[0])
        np.testing.assert_allclose(together.sigma[row], alone.sigma[0])


def one(shift, sigma: float, known: bool = True) -> Consensus:
    return Consensus(np.array([shift]), np.ones(1), np.array([sigma]), np.array([known]))


def test_spectra_that_agree_are_averaged_by_how_sure_they_are() -> None:
    joint = join(one((3.0, 0.0), 0.1), one((3.5, 0.0), 0.2), np.zeros((1, 2)), UNKNOWN)
    np.testing.assert_allclose(joint.shift, [[3.1, 0.0]])
    assert joint.sigma[0] < 0.1


@pytest.mark.parametrize('swapped', [False, True])
def test_where_spectra_disagree_the_one_that_sees_the_object_is_taken(swapped) -> None:
    moving, ground = one((4.0, 0.0), 0.3), one((0.0, 0.0), 0.1)
    pair = (ground, moving) if swapped else (moving, ground)
    joint = join(*pair, np.zeros((1, 2)), UNKNOWN)
    np.testing.assert_allclose(joint.shift, [[4.0, 0.0]])
    blind = join(one((9.0, 9.0), 0.1, known=False), ground, np.zeros((1, 2)), UNKNOWN)
    np.testing.assert_allclose(blind.shift, [[0.0, 0.0]])
    assert not join(one((1.0, 0.0), 1.0, False), one((2.0, 0.0), 1.0, False),
                    np.zeros((1, 2)), UNKNOWN).known.any()


@pytest.mark.parametrize('swapped', [False, True])
def test_smoke_that_drifts_through_the_box_does_not_carry_a_known_track_off(swapped) -> None:
    smoke, waiting = one((4.0, 0.0), 0.1), one((0.1, 0.0), 0.3)
    pair = (waiting, smoke) if swapped else (smoke, waiting)
    joint = join(*pair, np.zeros((1, 2)), np.array([[0.3, 0.0]]))
    np.testing.assert_allclose(joint.shift, [[0.1, 0.0]])
    walking = join(*pair, np.zeros((1, 2)), np.array([[3.5, 0.0]]))
    np.testing.assert_allclose(walking.shift, [[4.0, 0.0]])


@pytest.mark.skipif(CORE is None, reason=f'{LIBRARY} is not built: make setup')
@pytest.mark.parametrize('seed', range(20))
def test_the_compiled_core_says_the_same(seed) -> None:
    rng = np.random.default_rng(seed)
    count, width = int(rng.integers(1, 12)), int(rng.integers(1, 25))
    start = rng.uniform(0, 300, (count, 1, 2)) + rng.uniform(-30, 30, (count, width, 2))
    camera = np.array([[1.01, 0.01, -2.0], [-0.01, 1.01, 1.0]])
    ground = start @ camera[:, :2].T + camera[:, 2]
    own = start * rng.uniform(0.95, 1.05, (count, 1, 1)) + rng.uniform(-6, 6, (count, 1, 2))
    end = np.where(rng.random((count, width, 1)) < rng.random((count, 1, 1)), own, ground)
    end += rng.normal(0, 0.3, end.shape)
    points = Sample(start, end, rng.random((count, width)) < 0.9, rng.random(count))
    centres = start.mean(axis=1)
    expected = np.where(rng.random((count, 1)) < 0.5, np.nan, (own - start)[:, 0])
    reach = rng.uniform(0, 3, count)
    ours, theirs = (agree(points, centres, expected, reach, camera, 4, core)
                    for core in (CORE, None))
    np.testing.assert_array_equal(ours.known, theirs.known)
    for name in ('shift', 'growth', 'sigma'):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-9)
