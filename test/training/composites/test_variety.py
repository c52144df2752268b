"""What makes many scenes out of few clips: looks, backgrounds, crowds, smoke and cameras."""

import numpy as np
import pytest

from rtrack_ros.simulation.backdrop import noise_tile
from rtrack_ros.training.composites.appearance import dress, warm
from rtrack_ros.training.composites.backgrounds import place_things, vary_place
from rtrack_ros.training.composites.cameras import expose, veil
from rtrack_ros.training.composites.clips import ClipGeometry
from rtrack_ros.training.composites.composition import Canvas, stand
from rtrack_ros.training.composites.crowds import PEOPLE, draw_people, free_geometry
from rtrack_ros.training.composites.cutouts import Cutout
from rtrack_ros.training.composites.motion import Motion
from rtrack_ros.training.composites.places import Place

WIDTH, HEIGHT = 640, 480
GEOMETRY = ClipGeometry('yard', ((0, 300), (640, 300), (640, 460), (0, 460)),
                        ((300, 100), (460, 240)))


def walker(colour: int = 0) -> Cutout:
    """Return a standing oval, 40 by 100 pixels within 60 by 120."""
    rows, columns = np.mgrid[:120, :60]
    alpha = (((rows - 60) / 50) ** 2 + ((columns - 30) / 20) ** 2 <= 1).astype(np.float32)
    rng = np.random.default_rng(0)
    return Cutout(rng.integers(60, 160, (120, 60, 3), np.uint8),
                  rng.integers(100, 140, (120, 60), np.uint8), alpha, (10, 10, 50, 110), (0, 0),
                  'yard', colour, Motion(-1, False))


def yard() -> Place:
    rows = np.linspace(20, 120, HEIGHT, dtype=np.float32)[:, None].repeat(WIDTH, 1)
    return Place('yard', np.dstack([rows] * 3).astype(np.uint8), rows.astype(np.uint8), GEOMETRY)


@pytest.mark.parametrize('behind', [0.0, 120.0, 180.0, 240.0])
def test_people_stand_out_from_what_is_behind(behind: float) -> None:
    for seed in range(40):
        cutout = walker()
        changed = warm(np.random.default_rng(seed), cutout, behind)
        mean = float(changed.thermal[cutout.alpha > 0.5].mean())
        assert abs(mean - behind) > 20
        assert changed.box == cutout.box and changed.thermal.shape == cutout.thermal.shape


def test_heads_are_often_the_warmest() -> None:
    seen = [warm(np.random.default_rng(seed), walker(), 30.0).thermal for seed in range(60)]
    lead = [float(item[12:22, 25:35].mean() - item[45:60, 20:40].mean()) for item in seen]
    assert 0.5 < np.mean(np.array(lead) > 15) < 1 and np.std(lead) > 20


def test_a_dyed_coat_has_no_colour_name() -> None:
    made = [dress(np.random.default_rng(seed), walker()) for seed in range(60)]
    assert {item.colour for item in made} == {0, -1}
    hue = [np.ptp(item.rgb.reshape(-1, 3).mean(axis=0)) for item in made if item.colour == 0]
    assert max(hue) < 5  # light changes no hue: those who kept their name kept their colour


def test_backgrounds_differ_and_keep_the_ground() -> None:
    place, noise = yard(), noise_tile(np.random.default_rng(0), octaves=4)
    made = [vary_place(np.random.default_rng(seed), place, [place], noise) for seed in range(20)]
    assert all(item.geometry is GEOMETRY for item in made)
    assert all(item.thermal.shape == (HEIGHT, WIDTH) for item in made)
    different = [not np.array_equal(item.thermal, place.thermal) for item in made]
    assert np.mean(different) > 0.7 and np.array_equal(place.thermal, yard().thermal)
    assert np.std([item.thermal.mean() for item in made]) > 10


def test_things_are_painted_behind_people() -> None:
    place, changed = yard(), 0
    for seed in range(20):
        canvas = Canvas(place.rgb, place.thermal)
        place_things(np.random.default_rng(seed), canvas)
        assert not canvas.owner.any()
        changed += not np.array_equal(canvas.thermal, place.thermal)
    assert 8 < changed < 20


def test_some_posts_stand_at_an_edge_of_the_picture() -> None:
    touched = []
    cold = np.zeros((HEIGHT, WIDTH), np.uint8)
    for seed in range(60):
        canvas = Canvas(np.dstack([cold] * 3), cold)
        place_things(np.random.default_rng(seed), canvas)
        warm_columns = canvas.thermal[100:260].mean(axis=0) > 10
        touched.append((warm_columns[0], warm_columns[-1]))
    left, right = np.mean(touched, axis=0)
    assert 0.05 < left < 0.4 and 0.05 < right < 0.4


def test_what_a_person_covers_is_measured() -> None:
    canvas = Canvas(yard().rgb, np.full((HEIGHT, WIDTH), 77, np.uint8))
    assert canvas.warmth_behind(stand(walker(), 300, 400)) == pytest.approx(77)
    assert canvas.warmth_behind(stand(walker(), -500, 400)) == 0


def test_crowds_have_every_size_and_far_ones_come_first() -> None:
    rng, counts, heights = np.random.default_rng(1), [], []
    for _ in range(150):
        placed = draw_people(rng, ((walker(),),), GEOMETRY, (WIDTH, HEIGHT))
        feet = [person.box[3] for person in placed]
        assert all(first <= second + 1 for first, second in zip(feet, feet[1:], strict=False))
        counts.append(len(placed))
        heights += [person.box[3] - person.box[1] for person in placed]
    assert 0 in counts and max(counts) >= 6 and max(counts) < len(PEOPLE)
    assert min(heights) < 80 and max(heights) > 300


def test_feet_alone_do_not_tell_the_height() -> None:
    rng = np.random.default_rng(2)
    cameras = [free_geometry(rng, WIDTH, HEIGHT) for _ in range(200)]
    tall = [camera.person_height(400) for camera in cameras]
    assert min(tall) < 110 and max(tall) > 330
    for camera in cameras:
        corners = np.array(camera.ground)
        assert camera.person_height(float(corners[:, 1].min())) > 20
        assert corners[:, 1].max() <= HEIGHT


def test_smoke_hides_and_is_not_the_same_everywhere() -> None:
    noise = noise_tile(np.random.default_rng(0), octaves=4)
    chess = np.dstack([np.indices((HEIGHT, WIDTH)).sum(axis=0) // 8 % 2 * 200] * 3)
    scene = chess.astype(np.uint8)
    kept, tones = [], []
    for seed in range(25):
        smoky = veil(np.random.default_rng(seed), scene, noise).astype(np.float32)
        local = [part.std() for row in np.split(smoky, 6) for part in np.split(row, 8, axis=1)]
        kept.append((min(local), max(local)))
        tones.append(smoky.mean())
    low, high = np.array(kept).T
    assert np.all(low < 0.95 * scene.std()) and np.median(low) < 30
    assert np.mean(high > 2 * low) > 0.5 and np.std(tones) > 15


def test_no_camera_shows_a_white_picture() -> None:
    hot = np.full((HEIGHT, WIDTH), 200, np.uint8)
    hot[:60] = 90
    shown = [expose(np.random.default_rng(seed), hot) for seed in range(30)]
    assert all(np.percentile(item, 50) < 240 for item in shown)
    assert np.std([item.mean() for item in shown]) > 15
