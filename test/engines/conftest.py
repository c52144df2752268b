"""The shipped model and frames of the simulated world, for the tests of the real engines."""

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.registry import default_model, load_engine
from rtrack_ros.frames import FramePair
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.simulation import CONDITIONS, make_scene


@pytest.fixture(scope='session')
def nano():
    """The folder of rtrack-nano."""
    try:
        return default_model()
    except EngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope='session')
def openvino(nano):
    pytest.importorskip('openvino_genai', reason='the openvino extra is not installed')
    engine = load_engine('openvino', nano)
    yield engine
    engine.close()


@pytest.fixture(scope='session')
def transformers(nano):
    for package in ('torch', 'transformers'):
        pytest.importorskip(package, reason='the transformers extra is not installed')
    engine = load_engine('transformers', nano)
    yield engine
    engine.close()


@pytest.fixture(scope='session')
def questions():
    """Frame pairs of all conditions, each with a sentence of its scene."""
    asked = []
    for seed, place in ((901, 'road'), (902, 'yard')):
        scene = make_scene(seed, seconds=12.0, place=place, conditions=CONDITIONS)
        for number, index in enumerate(range(5, len(scene), len(scene) // 18)):
            frame = scene.frame(index)
            thermal = register_thermal(ThermalNormaliser()(frame.thermal, frame.stamp_ns),
                                       scene.width, scene.height)
            sentence = scene.expressions[number % len(scene.expressions)].text
            asked.append((FramePair(frame.stamp_ns, frame.rgb, thermal), sentence))
    return asked
