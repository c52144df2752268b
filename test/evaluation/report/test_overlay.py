"""Overlay pictures: what is drawn is where it belongs, and the video can be read."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from rtrack_ros.data.mot import MotRow
from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.report.overlay import (
    HEADER,
    MARGIN,
    OverlayWriter,
    compose_picture,
)
from rtrack_ros.evaluation.report.text import put_text, shown, text_width
from rtrack_ros.frames import FramePair
from rtrack_ros.palette import colour_of

GREY = 90


def pair(width: int = 320, height: int = 240, thermal: bool = True) -> FramePair:
    grey = np.full((height, width), GREY, np.uint8)
    return FramePair(0, np.repeat(grey[:, :, None], 3, axis=2), grey if thermal else None)


def at(picture: np.ndarray, x: float, y: float, panel: int = 0) -> np.ndarray:
    """Return the picture at a place of the camera image of 320x240, drawn twice as large."""
    return picture[HEADER + round(2 * y), MARGIN + panel * (640 + MARGIN) + round(2 * x)]


def test_boxes_stand_at_their_place_on_both_images() -> None:
    picture = compose_picture(pair(), [MotRow(1, 3, (50, 60, 90, 160))])
    assert picture.shape == (HEADER + 480 + 34, 2 * 640 + 3 * MARGIN, 3)
    for panel in (0, 1):
        for x, y in ((50, 110), (90, 110), (70, 160)):
            assert np.abs(at(picture, x, y, panel).astype(int) - colour_of(3)).max() < 30
    assert (at(picture, 70, 110) == GREY).all()


def test_truth_is_drawn_as_white_corners_only() -> None:
    picture = compose_picture(pair(), [], truth=[MotRow(1, 9, (100, 100, 200, 200))])
    assert at(picture, 103, 100).min() > 200
    assert (at(picture, 150, 100) == GREY).all()


def test_boxes_beyond_the_image_leave_the_frame_clean() -> None:
    plain = compose_picture(pair(), [])
    drawn = compose_picture(pair(), [MotRow(1, 2, (-400.0, -300.0, 900.0, 700.0))])
    footer = HEADER + 480
    assert np.array_equal(plain[:HEADER], drawn[:HEADER])
    assert np.array_equal(plain[footer:, 200:], drawn[footer:, 200:])


def test_a_silent_thermal_camera_is_said() -> None:
    picture = compose_picture(pair(thermal=False), [])
    assert not (at(picture, 20, 200, panel=1) == GREY).any()
    assert picture[:, 656:].std() > 0


def test_header_says_sentence_condition_and_time() -> None:
    empty = compose_picture(pair(), [])
    full = compose_picture(pair(), [], 'the person in red', 'night', 12.3)
    assert not np.array_equal(empty[:HEADER], full[:HEADER])
    assert np.array_equal(empty[HEADER:], full[HEADER:])


def test_long_and_foreign_sentences_stay_inside() -> None:
    for sentence in ('x' * 2000, 'the people ' * 90, '穿黑色衣服的人'):
        picture = compose_picture(pair(), [], sentence, 'smoke', 1.0)
        assert (picture[:HEADER, :MARGIN - 2] == picture[0, 0]).all()


def test_a_video_in_time_stands_still_where_the_recording_has_a_gap(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / 'o.mp4', 10.0, in_time=True) as video:
        for time_s in (0.0, 0.1, 0.2, 0.7, 0.8):
            video.write(pair(), [], time_s=time_s)
        assert not (tmp_path / 'o.mp4').exists(), 'a file appears when it is finished'
    assert cv2.VideoCapture(str(tmp_path / 'o.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 9
    assert [path.name for path in tmp_path.iterdir()] == ['o.mp4']


def test_the_video_can_be_read_again(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / 'a' / 'o.mp4', 30.0) as video:
        for x in range(5):
            video.write(pair(), [MotRow(1, 1, (10 + x, 20, 60 + x, 90))], 'all people', time_s=x)
        video.write(pair(400, 240), [])  # another size is fitted, not lost
    capture = cv2.VideoCapture(str(tmp_path / 'a' / 'o.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 6
    readable, image = capture.read()
    assert readable and image.shape[1] == 2 * 640 + 3 * MARGIN


def test_an_unwritable_video_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='opencv-python-headless'):
        OverlayWriter(tmp_path / 'o.unknown', 30.0).write(pair(), [])


def test_text_is_cut_at_the_edge_and_shortened() -> None:
    image = np.zeros((20, 40, 3), np.uint8)
    put_text(image, 'a long text', 10, -4, 16, (255, 255, 255))
    assert image.max() > 100
    assert text_width(shown('a rather long sentence', 16, 80), 16) <= 80
    assert shown('short', 16, 500) == 'short'
