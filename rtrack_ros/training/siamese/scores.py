"""Scores of the Siamese network on held-out scenes, beside leaving every box where it is."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtrack_ros.tracking.appearance.siamese import normalised
from rtrack_ros.training.siamese.network import (
    SiameseNet,
    is_inside,
    is_present,
    log_scales,
)
from rtrack_ros.training.siamese.pairs import Pairs

_AT_ONCE = 500


def as_tensors(pairs: Pairs) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return templates and searches (N, 2, SIDE, SIDE) as the tracker prepares them, the rest."""
    template, search = normalised(pairs.templates, pairs.searches)
    return (torch.from_numpy(template), torch.from_numpy(search),
            torch.from_numpy(pairs.places), torch.from_numpy(pairs.visibility))


@torch.no_grad()
def evaluate(net: SiameseNet, pairs: Pairs) -> dict[str, float]:
    """Return the scores of a network on pairs.

    Of objects that are in their window: mean IoU and the shares of boxes with more than 0.5 and
    0.75, each also for the box at which the window was cut ('left'); and the mean of the absolute
    error over the scale that the network gave for it, of centres and of sides, which is 1 where
    the scales are right. Of all: how often presence above one half is right.
    """
    net.eval()
    outputs, places, visibility = [], [], []
    for begin in range(0, len(pairs), _AT_ONCE):
        rows = np.arange(begin, min(begin + _AT_ONCE, len(pairs)))
        template, search, *truth = as_tensors(pairs.take(rows))
        outputs.append(net(template, search))
        places.append(truth[0])
        visibility.append(truth[1])
    net.train()
    return _scores(torch.cat(outputs), torch.cat(places), torch.cat(visibility))


def _scores(output: Tensor, places: Tensor, visibility: Tensor) -> dict[str, float]:
    inside = is_inside(places, visibility)
    said, truth = output[inside], places[inside]
    scaled = (said[:, :4] - truth).abs() * torch.exp(-log_scales(said))
    right = (output[:, 8] > 0) == is_present(visibility)
    overlaps = {'': overlap(said[:, :4].numpy(), truth.numpy()),
                '_left': overlap(np.zeros_like(truth), truth.numpy())}
    scores = {f'{name}{suffix}': float(value) for suffix, ious in overlaps.items()
              for name, value in (('iou', ious.mean()), ('above_50', (ious > 0.5).mean()),
                                  ('above_75', (ious > 0.75).mean()))}
    return {**scores, 'presence_accuracy': float(right.float().mean()),
            'error_over_scale_centre': float(scaled[:, :2].mean()),
            'error_over_scale_sides': float(scaled[:, 2:].mean())}


def overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the IoU of places (N, 4) row by row, (N,); see ``Pairs.places`` for what they say."""
    low, high = zip(*((places[:, :2] - np.exp(places[:, 2:]) / 2,
                       places[:, :2] + np.exp(places[:, 2:]) / 2)
                      for places in (first.astype(np.float64), second.astype(np.float64))),
                    strict=True)
    shared = np.prod(np.maximum(np.minimum(*high) - np.maximum(*low), 0), axis=1)
    areas = [np.exp(places[:, 2:].sum(axis=1)) for places in (first, second)]
    return np.asarray(shared / (areas[0] + areas[1] - shared), np.float64)
