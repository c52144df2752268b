"""The shipped model on the OpenVINO engine passes; the same model spoilt in one way is refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.registry import default_model, load_engine
from rtrack_ros.language.self_test import run_self_test, self_test, verdict


@pytest.fixture(scope='module')
def folder():
    try:
        return default_model()
    except EngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope='module')
def nano(folder):
    pytest.importorskip('openvino_genai', reason='the openvino extra is not installed')
    engine = load_engine('openvino', folder)
    yield engine
    engine.close()


class Spoilt:
    """An engine whose images are changed on the way."""

    def __init__(self, engine, change):
        self._engine, self._change = engine, change

    def capabilities(self):
        return replace(self._engine.capabilities(), shares_images=False)

    def infer(self, images, *args, **options):
        return self._engine.infer(self._change(list(images)), *args, **options)


def refused(engine):
    with pytest.raises(EngineError, match='self-test of rtrack-nano failed') as raised:
        run_self_test(engine, 'refuse', print)
    return str(raised.value)


def test_nano_passes_with_margin(nano):
    found = self_test(nano)
    assert (found.kind, found.right) == (verdict.FINE, 7) and found.overlap >= 0.7


def test_nano_passes_at_the_size_of_another_camera_too(nano):
    for size in ((320, 256), (256, 160)):
        wide = Spoilt(nano, list)
        wide.capabilities = lambda size=size: replace(
            nano.capabilities(), shares_images=False, image_size=size)
        assert self_test(wide).kind == verdict.FINE


def test_swapped_images_are_refused(nano):
    assert 'wrong order' in refused(Spoilt(nano, lambda images: images[::-1]))


@pytest.mark.parametrize(('places', 'sentence'), [
    ((0,), 'does not see the RGB image'), ((1,), 'does not see the thermal image'),
    ((0, 1), 'sees nothing')])
def test_a_blank_image_is_refused(nano, places, sentence):
    def blank(images):
        return [np.zeros_like(image) if place in places else image
                for place, image in enumerate(images)]

    assert sentence in refused(Spoilt(nano, blank))


def test_a_wrong_coordinate_protocol_in_the_manifest_is_refused(folder, nano, tmp_path):
    copy = shutil.copytree(folder, tmp_path / 'rtrack-nano')
    facts = json.loads((copy / 'rtrack.json').read_text())
    (copy / 'rtrack.json').write_text(json.dumps(facts | {'bbox_protocol': 'abs_resized'}))
    engine = load_engine('openvino', copy)
    try:
        assert 'its boxes fit rel1000, abs_resized is configured' in refused(engine)
    finally:
        engine.close()
