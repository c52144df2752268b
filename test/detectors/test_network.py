"""A network by its path: input, both forms of output, and what is refused."""

import os
import sys
import threading

import numpy as np
import pytest

from rtrack_ros.detectors.base import DetectorError
from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.detectors.labels import COCO, read_labels
from rtrack_ros.detectors.network import NetworkDetector, fitted
from rtrack_ros.detectors.registry import load_detector

LABELS = ('dull', 'bright')


def _image(width, height, x1, y1, x2, y2):
    image = np.zeros((height, width, 3), np.uint8)
    image[y1:y2, x1:x2] = 255
    return image


@pytest.mark.parametrize('form', ['bright_cells', 'bright_rows'])
def test_boxes_come_back_in_pixels_of_the_image_that_was_given(form, request):
    detector = NetworkDetector(request.getfixturevalue(form), LABELS)
    # The input is 320 x 256: an image of 640 x 480 is halved, and 16 rows stay grey below.
    seen = detector(_image(640, 480, 64, 96, 96, 128))

    sure = seen.scores > 0.9
    assert seen.boxes[sure].tolist() == [[64, 96, 96, 128]]
    assert [label for label, keep in zip(seen.labels, sure, strict=True) if keep] == ['bright']


def test_a_thermal_image_is_seen_as_one_in_grey(bright_cells):
    detector = NetworkDetector(bright_cells, LABELS)
    image = _image(640, 480, 64, 96, 96, 128)

    assert np.array_equal(detector(image[:, :, 0]).scores, detector(image).scores)


def test_an_image_keeps_its_proportions():
    values, scale = fitted(_image(640, 480, 0, 0, 640, 480), 320, 320)

    assert scale == 0.5
    assert values.shape == (1, 3, 320, 320)
    assert values[0, 0, 239, 319] == 1.0
    assert values[0, 0, 240, 0] == pytest.approx(114 / 255)


def test_a_network_of_other_classes_is_refused_with_the_remedy(bright_cells):
    with pytest.raises(DetectorError, match='detector.labels'):
        NetworkDetector(bright_cells, COCO)(_image(640, 480, 0, 0, 64, 64))


@pytest.mark.parametrize(('name', 'content'), [('none.xml', None), ('broken.xml', '<net'),
                                               ('broken.onnx', 'no network')])
def test_a_file_that_is_no_network_is_refused(tmp_path, name, content):
    pytest.importorskip('openvino')
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(DetectorError, match=name):
        NetworkDetector(tmp_path / name)


def test_none_is_no_detector_and_asks_for_nothing():
    assert load_detector(DetectorConfig()) is None


def test_a_name_without_a_path_says_which_parameter_lacks():
    with pytest.raises(DetectorError, match='detector.model is empty'):
        load_detector(DetectorConfig(name='auto'))


def test_picodet_that_is_not_there_names_the_command_that_brings_it(tmp_path):
    with pytest.raises(DetectorError, match='make picodet'):
        load_detector(DetectorConfig(name='auto', model=str(tmp_path)))


def test_unknown_classes_are_refused(bright_cells):
    with pytest.raises(DetectorError, match='knows no unicorn'):
        load_detector(DetectorConfig(name='auto', model=str(bright_cells),
                                     classes='person, unicorn'))


def test_labels_are_read_one_a_line(tmp_path):
    (tmp_path / 'labels.txt').write_text('dull\nbright\n\n')

    assert read_labels(tmp_path / 'labels.txt') == LABELS
    assert read_labels('') == COCO
    with pytest.raises(DetectorError, match='one class a line'):
        (tmp_path / 'empty.txt').write_text('\n')
        read_labels(tmp_path / 'empty.txt')


@pytest.mark.skipif(sys.platform != 'linux', reason="niceness of threads is Linux's")
def test_the_network_computes_at_a_lower_priority_than_who_asks(bright_cells):
    def threads():
        return {task: os.getpriority(os.PRIO_PROCESS, int(task))
                for task in os.listdir('/proc/self/task')}
    before = threads()
    detector = load_detector(DetectorConfig('network', str(bright_cells), niceness=7,
                                            labels=str(_labels(bright_cells))))
    detector(_image(640, 480, 0, 0, 64, 64))
    mine = before[str(threading.get_native_id())]
    new = [nice for task, nice in threads().items() if task not in before]
    assert new and set(new) == {min(mine + 7, 19)}
    assert threads()[str(threading.get_native_id())] == mine


def _labels(beside):
    path = beside.parent / 'labels.txt'
    path.write_text('\n'.join(LABELS))
    return path
