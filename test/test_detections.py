import numpy as np
import pytest

from rtrack_ros.detections import (
    Detection,
    DetectionCounts,
    on_rgb,
    rgb_pixels,
    thermal_pixels,
)


def boxes_of(found):
    return [detection.box for detection in found]


def test_boxes_of_the_rgb_image_pass_unchanged():
    found, counts = on_rgb([[10, 20, 30, 60]], ['person'], [0.7], rgb_pixels((640, 480)))
    assert found == (Detection((10, 20, 30, 60), 'person', 0.7),)
    assert counts == DetectionCounts(kept=1)


def test_boxes_of_a_resized_image_are_scaled_along_each_axis():
    found, _ = on_rgb([[10, 20, 30, 60]], [''], [1], rgb_pixels((640, 480), (320, 160)))
    assert boxes_of(found) == [(20, 60, 60, 180)]


def test_thermal_boxes_without_a_homography_share_the_field_of_view():
    found, _ = on_rgb([[16, 12, 32, 36]], [''], [1], thermal_pixels((640, 480), (160, 120)))
    assert boxes_of(found) == [(64, 48, 128, 144)]


def test_thermal_boxes_go_where_the_homography_moves_the_picture():
    """A bright block on the thermal image, registered, lies where its box is mapped."""
    from rtrack_ros.intake.thermal import register_thermal

    homography = np.array([[1.8, 0.1, 40.0], [-0.05, 1.9, 12.0], [1e-4, 5e-5, 1.0]])
    image = np.zeros((240, 320), np.uint8)
    image[100:140, 60:90] = 255
    bright = np.argwhere(register_thermal(image, 640, 480, homography) > 127)
    (found,), _ = on_rgb([[60, 100, 90, 140]], [''], [1],
                         thermal_pixels((640, 480), (320, 240), homography))
    seen = [*bright.min(axis=0)[::-1], *(bright.max(axis=0)[::-1] + 1)]
    # warpPerspective takes centres of pixels for whole numbers: up to a pixel of scale 2 apart.
    assert np.abs(np.array(found.box) - seen).max() < 2.5


def test_a_resized_thermal_image_is_scaled_before_the_homography():
    homography = np.array([[2.0, 0, 10], [0, 2.0, 20], [0, 0, 1.0]])
    found, _ = on_rgb([[10, 10, 20, 30]], [''], [1],
                      thermal_pixels((640, 480), (300, 200), homography, (150, 100)))
    assert boxes_of(found) == [(50, 60, 90, 140)]


def test_a_homography_counts_up_to_its_scale():
    homography = np.array([[2.0, 0, 10], [0, 2.0, 20], [0, 0, 1.0]])
    first, second = (on_rgb([[10, 10, 20, 30]], [''], [1],
                            thermal_pixels((640, 480), (300, 200), scale * homography))[0]
                     for scale in (1, -3))
    assert boxes_of(first) == boxes_of(second) == [(30, 40, 50, 80)]


def test_a_turn_keeps_the_whole_object_in_the_box():
    turn = np.array([[0, -1.0, 200], [1.0, 0, 0], [0, 0, 1]])
    found, _ = on_rgb([[10, 20, 30, 60]], [''], [1], thermal_pixels((300, 300), (200, 200), turn))
    assert boxes_of(found) == [(140, 10, 180, 30)]


def test_each_kind_of_bad_box_is_counted():
    rows = [[10, 10, 40, 40], [-20, 10, 20, 40], [np.nan, 0, 5, 5], [0, 0, np.inf, 5],
            [30, 30, 10, 40], [5, 5, 5, 9], [120, 10, 140, 30], [10, 10, 40, 40],
            [10, 10, 40, 40], [10, 10, 40, 40]]
    scores = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 87, np.nan, -0.1]
    found, counts = on_rgb(rows, ['a'] * len(rows), scores, rgb_pixels((100, 80)))
    assert boxes_of(found) == [(10, 10, 40, 40), (0, 10, 20, 40)]
    assert counts == DetectionCounts(kept=2, clipped=1, outside=1, empty=2, not_finite=3,
                                     bad_score=2, far_out=1)
    assert counts.dropped == 8
    assert counts + counts == DetectionCounts(4, 2, 2, 4, 6, 4, 2)


def test_a_box_inverted_twice_is_no_box_even_where_the_map_turns_it_round():
    half_turn = np.array([[-1.0, 0, 100], [0, -1.0, 100], [0, 0, 1]])
    found, counts = on_rgb([[40, 40, 10, 10]], [''], [1],
                           thermal_pixels((100, 100), (100, 100), half_turn))
    assert found == () and counts.empty == 1


def test_a_box_behind_the_camera_is_dropped():
    homography = np.array([[1.0, 0, 0], [0, 1.0, 0], [-0.01, 0, 1.0]])
    found, counts = on_rgb([[90, 10, 120, 30]], [''], [1],
                           thermal_pixels((640, 480), (320, 240), homography))
    assert found == () and counts.not_finite == 1


def test_nothing_seen_is_nothing():
    assert on_rgb([], [], [], rgb_pixels((64, 48))) == ((), DetectionCounts())


def test_boxes_labels_and_scores_go_together():
    with pytest.raises(ValueError, match='2 boxes, 1 labels and 2 scores'):
        on_rgb([[0, 0, 1, 1]] * 2, ['a'], [1, 1], rgb_pixels((64, 48)))


@pytest.mark.parametrize('homography', [np.zeros((3, 3)), np.eye(2), np.full((3, 3), np.nan)])
def test_a_homography_that_maps_nothing_is_refused(homography):
    with pytest.raises(ValueError, match='3x3'):
        thermal_pixels((64, 48), (64, 48), homography)


@pytest.mark.parametrize('score', [-0.1, 1.01, float('nan')])
def test_a_detection_has_a_probability(score):
    with pytest.raises(ValueError, match=r'\[0, 1\]'):
        Detection((0, 0, 1, 1), '', score)


def test_a_class_name_of_any_length_is_bounded() -> None:
    found, _ = on_rgb([(1, 1, 9, 9)] * 2, ['x' * 64, 'x' * 65], [0.5, 0.5], rgb_pixels((64, 48)))
    assert [item.label for item in found] == ['x' * 64, '']
