"""What an image is worth, whatever the camera, its unit and its fault."""

import numpy as np
import pytest

from rtrack_ros.intake.thermal import ThermalNormaliser
from rtrack_ros.intake.validity import ImageJudge, fill_specks

HEIGHT, WIDTH, FRAME_NS = 120, 160, 33_000_000
GROUND = np.random.default_rng(5).normal(0, 1, (HEIGHT // 8, WIDTH // 8)).repeat(8, 0).repeat(8, 1)
CAMERAS = {'raw': ('u2', 7400, 60), 'kelvin': ('f4', 296, 2.4), 'picture': ('u1', 110, 25)}


def scene(camera: str, index: int, noise: float = 2.0) -> np.ndarray:
    """Return what a camera sees: a ground, a warm walker, and the noise of the sensor."""
    kind, base, contrast = CAMERAS[camera]
    counts = GROUND.copy()
    counts[40:90, 20 + index:45 + index] = 3.5
    rng = np.random.default_rng((index, 7))
    counts = base + contrast * (counts + noise / 60 * rng.normal(0, 1, counts.shape))
    return counts.astype(kind) if kind == 'f4' else np.clip(counts + 0.5, 0, 65535 if kind == 'u2'
                                                            else 255).astype(kind)


def judged(camera: str, frames: int = 20) -> ImageJudge:
    judge = ImageJudge(values=True)
    for index in range(frames):
        result = judge(scene(camera, index))
        assert not (result.repeated or result.dead) and result.invalid_share == 0
    return judge


@pytest.mark.parametrize('camera', CAMERAS)
def test_a_scene_that_stands_still_is_new_because_of_its_noise(camera: str) -> None:
    judge, still = judged(camera), scene(camera, 19, noise=0.0).astype(np.float64)
    for index in range(20):
        noise = np.random.default_rng(index).normal(0, CAMERAS[camera][2] / 30, still.shape)
        assert not judge((still + noise).astype(CAMERAS[camera][0])).repeated


@pytest.mark.parametrize('camera', CAMERAS)
def test_an_image_under_a_new_stamp_is_a_repetition(camera: str) -> None:
    judge = judged(camera)
    assert judge(scene(camera, 19)).repeated
    assert judge(scene(camera, 19)).repeated
    assert not judge(scene(camera, 20)).repeated


@pytest.mark.parametrize('camera', ['raw', 'kelvin'])
def test_a_repetition_with_less_than_the_noise_of_the_sensor_is_one_too(camera: str) -> None:
    judge = judged(camera)
    frozen = scene(camera, 19)
    dither = np.random.default_rng(3).integers(0, 2, frozen.shape)
    unit = 1 if camera == 'raw' else 0.01
    assert judge((frozen + unit * dither).astype(frozen.dtype)).repeated


@pytest.mark.parametrize('camera', ['raw', 'picture'])
def test_a_frame_counter_in_the_first_rows_makes_no_new_image(camera: str) -> None:
    judge = judged(camera)
    frozen = scene(camera, 19)
    frozen[0, :8], frozen[-1, -8:] = 17, 99
    assert judge(frozen).repeated


def test_a_small_target_that_moves_before_a_still_ground_is_new() -> None:
    """As in a video whose codec leaves blocks out that do not change."""
    judge, ground = ImageJudge(values=True), scene('picture', 0)
    for index in range(30):
        image = ground.copy()
        image[61:64, index:index + 3] = 255
        assert not judge(image).repeated


def test_a_camera_that_stops_panning_has_not_frozen() -> None:
    judge = ImageJudge(values=True)
    for index in range(30):
        assert not judge(np.roll(scene('raw', index), 7 * index, axis=1)).repeated
    for index in range(30):
        assert not judge(np.roll(scene('raw', 30 + index), 210, axis=1)).repeated


@pytest.mark.parametrize('value', [0, 65535, 7400])
@pytest.mark.parametrize('specks', [0, 5])
def test_an_image_of_one_value_is_dead(value: int, specks: int) -> None:
    image = np.full((HEIGHT, WIDTH), value, np.uint16)
    image[50, 10:10 + specks] = 4000
    assert ImageJudge(values=True)(image).dead
    assert not judged('raw')(scene('raw', 20)).dead


@pytest.mark.parametrize('value', [np.nan, np.inf, -9999.0])
def test_an_image_without_any_number_is_dead(value: float) -> None:
    assert ImageJudge(values=True)(np.full((HEIGHT, WIDTH), value, np.float32)).dead


def test_a_black_colour_picture_and_a_blue_one_show_nothing() -> None:
    for colour in ((0, 0, 0), (20, 40, 200)):
        picture = np.full((HEIGHT, WIDTH, 3), colour, np.uint8)
        assert ImageJudge(values=False)(picture).dead
    noise = np.random.default_rng(0).integers(0, 6, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    assert not ImageJudge(values=False)(noise).dead, 'a picture by night'


def test_the_shutter_seen_from_within_is_dead_and_the_scene_after_it_is_not() -> None:
    judge, rng = judged('raw'), np.random.default_rng(2)
    for _ in range(20):
        flag = rng.normal(7600, 2, (HEIGHT, WIDTH)).astype(np.uint16)
        assert judge(flag).dead
    assert not judge(scene('raw', 20)).dead


def outside(image: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray]:
    """Return an image with a border of ``value``, and where it has values."""
    valid = np.zeros(image.shape, bool)
    valid[9:-9, 12:-12] = True
    return np.where(valid, image, value).astype(image.dtype), valid


def specks(image: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray]:
    """Return an image with dead pixels of ``value``, and where it has values."""
    valid = np.random.default_rng(1).random(image.shape) > 0.02
    return np.where(valid, image, value).astype(image.dtype), valid


@pytest.mark.parametrize(('camera', 'value'), [
    ('raw', 0), ('raw', 65535), ('raw', 1), ('kelvin', np.nan), ('kelvin', np.inf),
    ('kelvin', -np.inf), ('kelvin', 0), ('kelvin', -9999)])
@pytest.mark.parametrize('where', [outside, specks])
def test_pixels_without_a_value_are_found_and_leave_the_contrast_alone(
        camera: str, value: float, where) -> None:
    image, valid = where(scene(camera, 0), value)
    result = ImageJudge(values=True)(image)
    assert not result.dead
    np.testing.assert_array_equal(result.valid, valid)
    whole, part = ThermalNormaliser()(scene(camera, 0), 0), ThermalNormaliser()(image, 0, valid)
    assert np.abs(part[valid].astype(int) - whole[valid]).max() <= 4


def test_the_empty_border_of_a_registered_picture_is_found() -> None:
    image, valid = outside(scene('picture', 0), 0)
    np.testing.assert_array_equal(ImageJudge(values=True)(image).valid, valid)


def test_values_at_the_ends_of_the_range_are_values_where_others_are_near() -> None:
    full = np.linspace(0, 65535, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint16)
    result = ImageJudge(values=True)(full)
    assert result.valid is None and not result.dead


def test_lone_pixels_get_their_neighbours_mean_and_areas_stay_without_value() -> None:
    image, _ = specks(scene('raw', 0), 0)
    image[:20, :30] = 0
    filled, valid = fill_specks(image, image != 0)
    assert not valid[5:15, 5:25].any() and valid[30:].all()
    lone = (image == 0) & valid
    assert np.abs(filled[lone] - scene('raw', 0)[lone]).mean() < 40
    np.testing.assert_array_equal(filled[image != 0], image[image != 0])


STEPS = {'gain down': lambda raw: (raw // 4).astype(np.uint16),
         'gain up': lambda raw: (raw * 4).astype(np.uint16),
         'offset up': lambda raw: raw + 300, 'offset down': lambda raw: raw - 1000}


@pytest.mark.parametrize('step', STEPS)
def test_after_a_step_of_gain_or_offset_the_picture_is_as_it_was(step: str) -> None:
    normalise = ThermalNormaliser()
    for index in range(10):
        before = normalise(scene('raw', index), index * FRAME_NS)
    after = normalise(STEPS[step](scene('raw', 9)), 10 * FRAME_NS)
    assert np.abs(after.astype(int) - before).mean() < 8
    assert normalise.steps == 1


def test_a_dead_image_leaves_no_trace_in_the_contrast() -> None:
    normalise = ThermalNormaliser()
    first = normalise(scene('raw', 0), 0)
    assert first.std() > 30
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    normalise(np.zeros((HEIGHT, WIDTH), np.uint16), FRAME_NS, nothing)
    np.testing.assert_array_equal(normalise(scene('raw', 0), FRAME_NS), first)
