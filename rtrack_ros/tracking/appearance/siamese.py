"""The Siamese network: it finds an object on a frame by how it looked in the answer.

Optical flow says how a box moves, never where its object is, so its errors add up until the next
answer. The network sees the patch of the answer and a new patch around the box, each in both
spectra. It says where in the new patch the object is, how surely, and whether it is there at all
(as GOTURN, Held et al., ECCV 2016, with the expected errors learned beside the box, Kendall and
Gal, 2017). Its measurements depend on the answer alone and do not drift. The features of a
template are kept, as many frames are compared with one template. ``training.siamese`` trains it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import BoxArray
from rtrack_ros.frames import Image8
from rtrack_ros.tracking.appearance.network import load_network
from rtrack_ros.tracking.history.frame import SiameseMeasurement
from rtrack_ros.tracking.history.views import Views

TEMPLATE_NET: Final = 'siamese_template.onnx'
"""File of the template part, input 'template' (N, 2, SIDE, SIDE), output 'features'."""
SEARCH_NET: Final = 'siamese_search.onnx'
"""File of the rest, inputs 'features' and 'search' (N, 2, SIDE, SIDE), output 'place' (N, 9)."""
SIDE: Final = 48
"""Pixels of the sides of a patch."""
REACH: Final = 2.0
"""Sides of a patch over those of its box."""
_MIN_PX = 4.0
# A spectrum that varies by at most so many grey levels shows nothing: a silent camera.
_SILENT = 3
_NOISE = 6.0
_SPREAD = 1.5
_LARGEST = 4.0


@dataclass(frozen=True, eq=False)
class Patch:
    """What a box and its surroundings show, squeezed into a square.

    Attributes:
        pixels: uint8 (SIDE, SIDE, 2), luminance and thermal.
        window: (4,) x1, y1, x2, y2 in RGB pixels of what the patch shows.
        features: Its features as a template, by which spectra show something.
    """

    pixels: Image8
    window: NDArray[np.float64]
    features: dict[tuple[bool, ...], NDArray[np.float32]] = field(default_factory=dict)


def cut(views: Views, box: NDArray[np.float64]) -> Patch | None:
    """Return the patch about a box (x1, y1, x2, y2 in RGB pixels), None outside the image.

    Beyond the image its edge is repeated. Width and height are scaled apart, so that the box fills
    the same part of every patch.
    """
    scale = np.array(views.scale) * views.fine.shape[1] / views.grey.shape[1]
    centre = (box[:2] + box[2:]) / 2
    half = np.maximum(box[2:] - box[:2], _MIN_PX) * REACH / 2
    height, width = views.fine.shape[:2]
    low, high = np.round((centre - half) * scale), np.round((centre + half) * scale)
    (x1, y1), (x2, y2) = low.astype(int).tolist(), high.astype(int).tolist()
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if right - left < 1 or bottom - top < 1:
        return None
    part = views.fine[top:bottom, left:right]
    if (left, top, right, bottom) != (x1, y1, x2, y2):
        part = cv2.copyMakeBorder(part, top - y1, y2 - bottom, left - x1, x2 - right,
                                  cv2.BORDER_REPLICATE)
    shrinks = x2 - x1 > SIDE or y2 - y1 > SIDE
    pixels = cv2.resize(part, (SIDE, SIDE),
                        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return Patch(pixels.astype(np.uint8, copy=False), np.concatenate([low / scale, high / scale]))


class Siamese:
    """The network; one object serves one thread.

    Args:
        folder: Where ``TEMPLATE_NET`` and ``SEARCH_NET`` are, which ``training.siamese`` writes;
            None takes those that are shipped.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(__file__).parent
        self._read_template = load_network(folder / TEMPLATE_NET)
        self._search = load_network(folder / SEARCH_NET)

    def find(self, views: Views, templates: Sequence[Patch | None], boxes: BoxArray
             ) -> list[SiameseMeasurement | None]:
        """Return where in a frame the objects of N templates are, looked for about their boxes.

        None where there is no template, or where the box lies outside the image.

        Args:
            views: Views of the frame.
            templates: How the objects looked.
            boxes: (N, 4) about where they should be, RGB pixels.
        """
        pairs = {row: (template, patch)
                 for row, (template, box) in enumerate(zip(templates, boxes, strict=True))
                 if template and (patch := cut(views, box))}
        seen = self.look([template for template, _ in pairs.values()],
                         [patch for _, patch in pairs.values()])
        measurements = dict(zip(pairs, seen, strict=True))
        return [measurements.get(row) for row in range(len(templates))]

    def look(self, templates: Sequence[Patch],
             searches: Sequence[Patch]) -> list[SiameseMeasurement]:
        """Return where the object of each template is in the search patch of the same index.

        Where no spectrum shows anything in both patches, it is not present.
        """
        if not templates:
            return []
        first, second = normalised(np.stack([patch.pixels for patch in templates]),
                                   np.stack([patch.pixels for patch in searches]))
        shown = np.asarray(first.any(axis=(2, 3)))
        output = self._search({'features': self._features(templates, first, shown),
                               'search': second}).astype(np.float64)
        windows = np.stack([patch.window for patch in searches])
        boxes, sigma, present = _read(output, windows)
        present = present * shown.any(axis=1)
        return [SiameseMeasurement(box, spread, share) for box, spread, share
                in zip(boxes, sigma, present.tolist(), strict=True)]

    def _features(self, templates: Sequence[Patch], prepared: NDArray[np.float32],
                  shown: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the features of templates, (N, ...); those known already come from the patches.

        Args:
            templates: N patches.
            prepared: The same as ``normalised`` prepared them, (N, 2, SIDE, SIDE).
            shown: Which spectra of each show something, (N, 2).
        """
        keys = [tuple(row) for row in shown.tolist()]
        unread = [row for row, (patch, key) in enumerate(zip(templates, keys, strict=True))
                  if key not in patch.features]
        if unread:
            read = self._read_template({'template': prepared[unread]})
            for row, features in zip(unread, read, strict=True):
                templates[row].features[keys[row]] = features
        return np.stack([patch.features[key] for patch, key in zip(templates, keys, strict=True)])


def normalised(templates: Image8, searches: Image8
               ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return patches (N, SIDE, SIDE, 2) as the network takes them, (N, 2, SIDE, SIDE).

    The contrast of the template is taken out of both, spectrum by spectrum; a spectrum that is
    silent in one of them is left out of both.
    """
    first, second = (np.ascontiguousarray(patches.transpose(0, 3, 1, 2), np.float32)
                     for patches in (templates, searches))
    mean = first.mean(axis=(2, 3), keepdims=True)
    spread = (first.std(axis=(2, 3), keepdims=True) + _NOISE) * _SPREAD
    informative = np.minimum(np.ptp(first, axis=(2, 3)), np.ptp(second, axis=(2, 3))) > _SILENT
    informative = informative[:, :, None, None]
    one, other = (np.clip((patches - mean) / spread, -_LARGEST, _LARGEST) * informative
                  for patches in (first, second))
    return one.astype(np.float32), other.astype(np.float32)


def _read(output: NDArray[np.float64], windows: BoxArray
          ) -> tuple[BoxArray, NDArray[np.float64], NDArray[np.float64]]:
    """Return boxes (N, 4), sigmas (N, 4) and presence (N,) of network outputs (N, 9)."""
    unit = (windows[:, 2:] - windows[:, :2]) / REACH
    centre = (windows[:, :2] + windows[:, 2:]) / 2 + output[:, :2] * unit
    extent = np.exp(np.clip(output[:, 2:4], -2, 2)) * unit
    scatter = np.sqrt(2) * np.exp(np.clip(output[:, 4:8], -6, 2))
    sigma = np.concatenate([scatter[:, :2] * unit, scatter[:, 2:] * extent], axis=1)
    boxes = np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)
    return boxes, sigma, 1 / (1 + np.exp(-output[:, 8]))
