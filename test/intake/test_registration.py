"""The homography of two cameras, found again by the edges that both see."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from rtrack_ros.intake.registration import (
    RegistrationError,
    agreement,
    corner_error,
    edges,
    onto_grid,
    register,
)
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.simulation import Scene

CLIPS = Path(__file__).parents[3] / 'shared' / 'data' / 'm3svd'
SIZE = (640, 480)


def mounted(zoom: float, degrees: float, shift: tuple[float, float],
            tilt: tuple[float, float] = (0.0, 0.0), size: tuple[int, int] = (320, 240)
            ) -> np.ndarray:
    """Return how another mounting of the thermal camera moves its pixels, 3x3."""
    middle = np.array([[1, 0, -size[0] / 2], [0, 1, -size[1] / 2], [0, 0, 1]])
    angle = np.deg2rad(degrees)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    own = np.eye(3)
    own[:2, :2], own[:2, 2], own[2, :2] = turn, shift, tilt
    return np.linalg.inv(middle) @ own @ middle


def seen_by(matrix: np.ndarray, warm: list[np.ndarray]) -> list[np.ndarray]:
    """Return what a camera sees whose pixels ``matrix`` moves onto those of ``warm``."""
    size = warm[0].shape[1], warm[0].shape[0]
    return [cv2.warpPerspective(image, np.linalg.inv(matrix), size) for image in warm]


@pytest.fixture(scope='module', params=[3, 11])
def by_day(request) -> tuple[list[np.ndarray], list[np.ndarray]]:
    scene, normalise = Scene(request.param, 6.0, conditions=('day',), fps=10), ThermalNormaliser()
    frames = [scene.frame(index) for index in range(0, len(scene), 8)]
    return ([frame.rgb for frame in frames],
            [normalise(frame.thermal, frame.stamp_ns) for frame in frames])


@pytest.mark.parametrize('mounting', [
    mounted(1.15, 2.0, (12.0, -9.0)),
    mounted(0.85, -2.5, (-14.0, 8.0), (3e-5, -2e-5))], ids=['nearer', 'wider, tilted'])
def test_a_mounting_is_found_to_three_pixels_by_day(by_day, mounting: np.ndarray) -> None:
    rgb, warm = by_day
    found = register(rgb, seen_by(mounting, warm))
    true = onto_grid((320, 240), SIZE) @ mounting
    assert corner_error(found.matrix, true, (320, 240)) <= 3.0
    assert found.residual_px < 1.5 and found.blocks > 40
    assert found.agreement > 0.3


def test_a_fit_is_better_than_none(by_day) -> None:
    rgb, warm = by_day
    found = register(rgb, seen_by(mounted(1.2, 4.0, (20.0, 10.0)), warm))
    assert found.agreement > 2 * found.before


@pytest.mark.parametrize('clip', ['0111_1716', '0113_1714'])
def test_real_clips_that_were_shifted_on_purpose(clip: str) -> None:
    if not CLIPS.exists():
        pytest.skip(f'the clips are not in {CLIPS}')
    rgb, warm = [], []
    for kind, images in (('visible', rgb), ('infrared', warm)):
        capture = cv2.VideoCapture(str(CLIPS / kind / f'{clip}.mp4'))
        for index in range(141):
            image = capture.read()[1]
            if index % 20 == 0:
                images.append(image)
        capture.release()
    mounting = mounted(1.12, 1.7, (18.0, -12.0), size=SIZE)
    found = register([cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in rgb],
                     seen_by(mounting, [image[:, :, 0] for image in warm]))
    assert corner_error(found.matrix, mounting, SIZE) <= 3.5


def test_two_cameras_that_see_other_things_are_not_registered() -> None:
    rng = np.random.default_rng(0)
    rgb = [rng.integers(0, 255, (120, 160, 3)).astype(np.uint8) for _ in range(3)]
    warm = [rng.integers(0, 255, (120, 160)).astype(np.uint8) for _ in range(3)]
    with pytest.raises(RegistrationError, match='Record by day'):
        register(rgb, warm)
    with pytest.raises(RegistrationError, match='no pair'):
        register([], [])


def test_an_edge_is_the_same_whichever_side_is_brighter() -> None:
    image = np.zeros((64, 64), np.uint8)
    image[:, 32:] = 200
    np.testing.assert_allclose(edges(image), edges(255 - image), atol=1e-5)
    turned = edges(np.ascontiguousarray(image.T))
    assert np.vdot(edges(image), turned).real < 0, 'an edge at a right angle'
    assert agreement([image], [255 - image], np.eye(3)) > 0.9


def test_equal_fields_of_view_are_what_resizing_does() -> None:
    warm = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (60, 80)).astype(np.uint8),
                            (0, 0), 3)
    moved = register_thermal(warm, 160, 120, onto_grid((80, 60), (160, 120)))
    resized = register_thermal(warm, 160, 120)
    assert np.abs(moved[4:-4, 4:-4].astype(int) - resized[4:-4, 4:-4]).max() <= 2
