"""The Siamese network: what its losses ask for, and its export read by OpenCV."""

import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
pytest.importorskip('transformers', reason='learning needs the extra train (make test TORCH=1)')

from rtrack_ros.tracking.appearance.siamese import REACH, SIDE, Patch, Siamese, _read  # noqa: E402
from rtrack_ros.training.siamese.network import (  # noqa: E402
    OUTPUTS,
    SiameseNet,
    export_onnx,
    place_loss,
    presence_loss,
)
from rtrack_ros.training.siamese.pairs import Pairs  # noqa: E402
from rtrack_ros.training.siamese.scores import as_tensors, evaluate, overlap  # noqa: E402


def random_pairs(count: int, seed: int = 0) -> Pairs:
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 256, (2, count, SIDE, SIDE, 2), np.uint8)
    patches[:, 0, :, :, 1] = 0  # one silent thermal camera
    return Pairs(*patches, rng.normal(0, 0.2, (count, 4)).astype(np.float32),
                 rng.random(count, np.float32))


def test_absent_objects_have_no_place_to_learn() -> None:
    output = torch.randn(4, OUTPUTS, generator=torch.Generator().manual_seed(0))
    output.requires_grad_()
    places = torch.zeros(4, 4)
    places[3, 0] = 1.2  # its centre lies beyond the window
    place_loss(output, places, torch.tensor([0.9, 0.2, 0.0, 0.9])).backward()
    assert output.grad[0, :8].all()
    assert not output.grad[1:].any() and not output.grad[:, 8].any()


def test_the_likeliest_scale_is_the_mean_error() -> None:
    errors = torch.tensor([0.05, 0.1, 0.3])
    places, seen = torch.zeros(3, 4), torch.ones(3)
    places[:, 0] = errors

    def loss(scale: float) -> float:
        output = torch.zeros(3, OUTPUTS)
        output[:, 4] = float(np.log(scale))
        return float(place_loss(output, places, seen))

    best = loss(float(errors.mean()))
    assert best < loss(0.9 * float(errors.mean())) and best < loss(1.1 * float(errors.mean()))


def test_presence_follows_visibility() -> None:
    output = torch.zeros(2, OUTPUTS)
    output[:, 8] = torch.tensor([5.0, -5.0])
    right, wrong = torch.tensor([0.8, 0.1]), torch.tensor([0.1, 0.8])
    assert presence_loss(output, right) < 0.1 < 4 < presence_loss(output, wrong)


def test_it_is_small() -> None:
    assert sum(weights.numel() for weights in SiameseNet().parameters()) < 320_000


def test_the_overlap_is_that_of_the_boxes() -> None:
    from rtrack_ros.boxes import iou

    places = np.random.default_rng(0).normal(0, 0.3, (2, 50, 4)).astype(np.float32)
    boxes = [np.concatenate([p[:, :2] - np.exp(p[:, 2:]) / 2, p[:, :2] + np.exp(p[:, 2:]) / 2], 1)
             for p in places]
    np.testing.assert_allclose(overlap(*places), np.diag(iou(*boxes)), atol=1e-6)


def test_scores_of_a_network_that_knows_nothing_are_those_of_the_box_left() -> None:
    net = SiameseNet()
    with torch.no_grad():
        net.answer[-1].weight.zero_()
        net.answer[-1].bias.zero_()
    scores = evaluate(net, random_pairs(40))
    assert scores['iou'] == pytest.approx(scores['iou_left'])
    assert 0 < scores['above_50_left'] == scores['above_50'] <= 1
    assert net.training


def test_opencv_says_what_torch_says(tmp_path: Path) -> None:
    """From patches to boxes, so that what the tracker prepares is what training prepares."""
    pytest.importorskip('onnx', reason='exporting needs the extra train')
    torch.manual_seed(3)
    net, pairs = SiameseNet(), random_pairs(5)
    with warnings.catch_warnings():
        warnings.simplefilter('error', DeprecationWarning)
        export_onnx(net, tmp_path)
    with torch.no_grad():
        output = net(*as_tensors(pairs)[:2]).numpy()
    window = np.array([10.0, 20.0, 10 + 40 * REACH, 20 + 90 * REACH])
    boxes, sigmas, presence = _read(output.astype(np.float64), np.tile(window, (5, 1)))
    siamese = Siamese(tmp_path)
    for count in (5, 2):  # the number of pairs is free
        measured = siamese.look([Patch(pixels, window) for pixels in pairs.templates[:count]],
                              [Patch(pixels, window) for pixels in pairs.searches[:count]])
        np.testing.assert_allclose([one.box for one in measured], boxes[:count], atol=1e-2)
        np.testing.assert_allclose([one.sigma for one in measured], sigmas[:count], rtol=1e-3)
        np.testing.assert_allclose([one.present for one in measured], presence[:count],
                                   atol=1e-4)
