import cv2
import numpy as np
import pytest

from rtrack_ros.benchmarks.picture import column, main
from rtrack_ros.data.mot import MotRow
from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.report.overlay import OverlayWriter
from rtrack_ros.frames import FramePair


@pytest.fixture
def video(tmp_path):
    path = tmp_path / 'overlay.mp4'
    with OverlayWriter(path, 30.0) as overlay:
        for number, grey in enumerate((40, 200)):
            rgb = np.full((480, 640, 3), grey, np.uint8)
            overlay.write(FramePair(number, rgb, np.zeros((480, 640), np.uint8)),
                          [MotRow(1, 3, (100.0, 100.0, 200.0, 300.0))])
    return path


def test_a_column_has_rgb_of_the_frame_above_thermal(video):
    picture = column(video, 2)
    assert picture.shape == (960, 640, 3)
    assert np.abs(picture[240, 500].astype(int) - 200).max() < 8
    assert picture[720, 500].max() < 30


def test_a_picture_is_a_thousand_pixels_wide_with_a_column_for_every_video(video, tmp_path):
    out = tmp_path / 'out.png'
    assert main([str(out), str(video), '1', str(video), '2']) == 0
    picture = cv2.imread(str(out))
    assert picture.shape[1] == 1000
    assert picture[100, 300].mean() < 60 and picture[100, 900].mean() > 180


def test_a_frame_that_is_not_there_is_named(video):
    with pytest.raises(DataError, match='no frame 9'):
        column(video, 9)
