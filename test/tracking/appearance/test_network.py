"""A network gives the same numbers by OpenVINO and by OpenCV, whatever the number of examples."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.tracking.appearance import siamese
from rtrack_ros.tracking.appearance.network import load_network

FOLDER = Path(siamese.__file__).parent


@pytest.mark.parametrize('count', [1, 3])
def test_openvino_and_opencv_agree(count: int) -> None:
    pytest.importorskip('openvino')
    rng = np.random.default_rng(1)
    patches = rng.normal(size=(count, 2, siamese.SIDE, siamese.SIDE)).astype(np.float32)
    answers = []
    for openvino in (True, False):
        read = load_network(FOLDER / siamese.TEMPLATE_NET, openvino)
        search = load_network(FOLDER / siamese.SEARCH_NET, openvino)
        features = read({'template': patches})
        answers.append((features, search({'features': features, 'search': patches[::-1].copy()})))
    for one, other in zip(*answers, strict=True):
        assert one.shape == other.shape
        assert one.shape[0] == count
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_an_answer_is_kept_when_the_network_runs_again() -> None:
    read = load_network(FOLDER / siamese.TEMPLATE_NET)
    blank = np.zeros((1, 2, siamese.SIDE, siamese.SIDE), np.float32)
    first = read({'template': blank})
    kept = first.copy()
    read({'template': blank + 1})
    np.testing.assert_array_equal(first, kept)


def test_without_openvino_opencv_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'openvino', None)
    read = load_network(FOLDER / siamese.TEMPLATE_NET)
    assert read({'template': np.zeros((2, 2, 48, 48), np.float32)}).shape == (2, 32, 12, 12)
