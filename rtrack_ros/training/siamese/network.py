"""The Siamese network, its loss, and its export to ONNX.

One encoder reads both patches; what it finds is compared at every place, and a dense layer says
where the object is. GOTURN (Held et al., ECCV 2016) regresses a box from two patches so. That the
network says how far it may be off, by the likelihood of a Laplace distribution whose scale is
learned, follows Kendall and Gal (NeurIPS 2017); layers and the presence beside it are our design.
"""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from rtrack_ros.files import whole_file
from rtrack_ros.simulation.scene import MIN_VISIBILITY
from rtrack_ros.tracking.appearance.siamese import SEARCH_NET, SIDE, TEMPLATE_NET

OUTPUTS: Final = 9
"""Centre x and y, log width and height, logs of the scales of these four, logit of presence."""
_MIN_LOG_SCALE, _MAX_LOG_SCALE = -6.0, 2.0
# Sides of the window's box from its centre beyond which an object is no longer in the window.
_INSIDE = 1.0


class SiameseNet(nn.Module):
    """Says where the object of a template is in a search patch; 311 thousand weights."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(2, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(32, 32, 3, 1, 1), nn.ReLU())
        self.compare = nn.Sequential(
            nn.Conv2d(96, 64, 1), nn.ReLU(), nn.Conv2d(64, 96, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(96, 96, 3, 1, 1), nn.ReLU(), nn.Conv2d(96, 32, 1), nn.ReLU())
        cells = (SIDE // 8) ** 2
        self.answer = nn.Sequential(nn.Flatten(), nn.Linear(32 * cells, 128), nn.ReLU(),
                                    nn.Linear(128, OUTPUTS))

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """Return (N, OUTPUTS) of patches (N, 2, SIDE, SIDE) that ``normalised`` prepared."""
        return self.place(self.encode(template), search)

    def place(self, first: Tensor, search: Tensor) -> Tensor:
        """Return (N, OUTPUTS) of what ``encode`` read off templates, and of search patches."""
        second = self.encode(search)
        output: Tensor = self.answer(self.compare(torch.cat([first, second, first * second], 1)))
        return output


class _Search(nn.Module):
    """The network without what reads the template."""

    def __init__(self, net: SiameseNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, first: Tensor, search: Tensor) -> Tensor:
        return self.net.place(first, search)


def is_present(visibility: Tensor) -> Tensor:
    """Return which objects (N,) are seen well enough to count as there, bool (N,)."""
    return visibility >= MIN_VISIBILITY


def is_inside(places: Tensor, visibility: Tensor) -> Tensor:
    """Return which objects the network is asked to place: there, their centre in the window."""
    return is_present(visibility) & (places[:, :2].abs() < _INSIDE).all(1)


def log_scales(output: Tensor) -> Tensor:
    """Return the logarithms of the Laplace scales (N, 4) of outputs (N, OUTPUTS)."""
    return output[:, 4:8].clamp(_MIN_LOG_SCALE, _MAX_LOG_SCALE)


def place_loss(output: Tensor, places: Tensor, visibility: Tensor) -> Tensor:
    """Return the mean negative log-likelihood of the places, up to a constant.

    A Laplace distribution of scale b gives an error e the likelihood exp(-|e| / b) / (2 b). Its
    logarithm grows with |e| alone where the scale is known, and the scale learns to be E|e|.

    Args:
        output: (N, OUTPUTS) of the network.
        places: (N, 4), see ``Pairs``.
        visibility: (N,), see ``Pairs``.
    """
    scales = log_scales(output)
    losses = ((output[:, :4] - places).abs() * torch.exp(-scales) + scales).sum(1)
    inside = is_inside(places, visibility).float()
    return (losses * inside).sum() / inside.sum().clamp(min=1)


def presence_loss(output: Tensor, visibility: Tensor) -> Tensor:
    """Return the mean cross-entropy of whether the objects (N,) are there at all."""
    return functional.binary_cross_entropy_with_logits(output[:, 8],
                                                       is_present(visibility).float())


def export_onnx(net: SiameseNet, folder: Path) -> tuple[Path, Path]:
    """Write the network as ``tracking.appearance.siamese`` reads it, for any number of pairs.

    Returns:
        What reads a template, and the rest.

    Raises:
        ModuleNotFoundError: the package onnx, which torch writes the files with, is not there.
    """
    import_module('onnx')
    net.eval()
    patch = torch.zeros(2, 2, SIDE, SIDE)
    with torch.no_grad():
        features = net.encode(patch)
    return (_write(net.encode, (patch,), ('template', 'features'), folder / TEMPLATE_NET),
            _write(_Search(net).eval(), (features, patch), ('features', 'search', 'place'),
                   folder / SEARCH_NET))


def _write(module: nn.Module, inputs: tuple[Tensor, ...], names: tuple[str, ...],
           path: Path) -> Path:
    """Write a module whose inputs, then its output, have these names; returns the path."""
    with whole_file(path) as draft, warnings.catch_warnings():
        # torch's newer exporter needs a package more, and OpenCV reads what the older one writes.
        warnings.simplefilter('ignore', DeprecationWarning)
        torch.onnx.export(module, inputs, str(draft), dynamo=False,
                          input_names=list(names[:-1]), output_names=[names[-1]],
                          dynamic_axes={name: {0: 'pairs'} for name in names})
    return path
