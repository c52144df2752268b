"""The detector that the parameters name is loaded with the model, or configuring fails."""

import threading

import numpy as np
import pytest

pytest.importorskip('rclpy')

from rtrack_ros.detectors.base import DetectorError
from rtrack_ros.frames import FramePair
from rtrack_ros.nodes.model import Model
from rtrack_ros.parameters.values import check, defaults


@pytest.fixture
def settings(tmp_path):
    script = tmp_path / 'script.json'
    script.write_text('["[]"]')
    return defaults() | {'engine.name': 'scripted', 'engine.model': str(script)}


def test_a_detector_that_is_not_there_names_the_remedy(settings, tmp_path):
    with pytest.raises(DetectorError, match='make picodet'):
        Model(settings | {'detector.name': 'auto', 'detector.model': str(tmp_path)}, print)


def test_the_detector_looks_at_the_images_of_the_node(settings, monkeypatch):
    looked, done = [], threading.Event()

    def detector(image):
        looked.append(image.shape)
        done.set()
        raise DetectorError('out of memory')

    monkeypatch.setattr('rtrack_ros.nodes.model.load_detector',
                        lambda config: detector if config.name == 'auto' else None)
    model = Model(settings | {'detector.name': 'auto'}, print)
    model.pipeline.push(FramePair(0, np.zeros((48, 64, 3), np.uint8), None))
    assert done.wait(10)
    model.close()

    assert looked == [(48, 64, 3)]
    assert 'out of memory' in model.pipeline.stats().detector_complaint


@pytest.mark.parametrize(('name', 'value'), [
    ('detections.image_size', 'large'), ('detections.spectrum', 'ultraviolet'),
    ('detector.min_score', 2.0)])
def test_wrong_values_are_refused_by_their_name(name, value):
    assert name in check(defaults() | {name: value})
