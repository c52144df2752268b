"""Files of detections: read as they are, placed on the RGB image, with the stamp of the image."""

import pytest

from rtrack_ros.data.detection_file import read_detections
from rtrack_ros.data.pairs import DataError
from rtrack_ros.detections import DetectionCounts, rgb_pixels, thermal_pixels

WHOLE = rgb_pixels((640, 480))


def write(folder, text: str):
    path = folder / 'det.txt'
    path.write_text(text)
    return path


def test_rows_of_an_image_are_its_detections_with_its_stamp(tmp_path):
    known = read_detections(write(
        tmp_path, '1,-1,10,20,30,40,0.9\n3,-1,5,5,10,10,0.5,1,-1\n1,-1,100,20,30,40,0.4\n'),
        ('person',))
    seen = known.on(1, 77, WHOLE)
    assert seen.stamp_ns == 77
    assert [(item.box, item.score) for item in seen.detections] == [
        ((10, 20, 40, 60), 0.9), ((100, 20, 130, 60), 0.4)]
    assert known.on(2, 78, WHOLE).detections == ()
    assert known.on(3, 79, WHOLE).detections[0].label == 'person'
    assert known.counts == DetectionCounts(kept=3)


def test_rows_with_world_coordinates_have_no_class(tmp_path):
    known = read_detections(write(tmp_path, '1,-1,10,20,30,40,0.9,1,-1,-1\n'), ('person',))
    assert known.on(1, 0, WHOLE).detections[0].label == ''


def test_spaces_separate_as_well_and_a_missing_score_is_1(tmp_path):
    known = read_detections(write(tmp_path, '2 -1 1 2 3 4\n\n'))
    assert known.on(2, 0, WHOLE).detections[0].score == 1


def test_boxes_of_the_thermal_image_come_onto_the_rgb_image(tmp_path):
    known = read_detections(write(tmp_path, '1,-1,10,20,30,40,0.9\n'))
    seen = known.on(1, 0, thermal_pixels((640, 480), (160, 120)))
    assert seen.detections[0].box == (40, 80, 160, 240)


def test_what_is_no_box_is_counted_and_the_rest_goes_on(tmp_path):
    known = read_detections(write(tmp_path, '1,-1,10,20,-3,40,0.9\n1,-1,nan,0,5,5,0.5\n'
                                            '1,-1,10,10,20,20,55\n1,-1,600,10,80,20,1\n'))
    assert len(known.on(1, 0, WHOLE).detections) == 1
    assert known.counts == DetectionCounts(kept=1, clipped=1, empty=1, not_finite=1, bad_score=1)


@pytest.mark.parametrize(('row', 'what'), [
    ('1,2,3', 'columns'), ('0,-1,1,2,3,4', 'start at 1'), ('1.5,-1,1,2,3,4', 'start at 1'),
    ('inf,-1,1,2,3,4', 'start at 1'), ('1,-1,a,2,3,4', "'a'"), ('1,-1,1,2,3,4,1,inf,1', '')])
def test_a_row_that_is_none_is_named_with_its_line(tmp_path, row, what):
    with pytest.raises(DataError, match=rf'det\.txt:2: .*{what}'):
        read_detections(write(tmp_path, f'1,-1,1,2,3,4\n{row}\n'))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match='cannot read the detections'):
        read_detections(tmp_path / 'none.txt')
