"""Any box detector whose network takes one image and gives COCO-style boxes.

Input: one tensor (1, 3, H, W), RGB in [0, 1]. The image is scaled to fit into H x W, kept in its
proportions, and grey fills the rest, at the right and below. Where the network leaves H and W open
they are 640.

Output, in the pixels of the input, one of two forms that its shape tells apart:

- (1, N, 6): x1, y1, x2, y2, confidence, number of the class. Boxes are chosen already.
- (1, 4 + C, N) or (1, N, 4 + C) for C classes: centre x, centre y, width, height, and a confidence
  in [0, 1] for every class. Every box takes its surest class.
"""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.detectors.base import DetectorError, Seen, as_colour
from rtrack_ros.detectors.labels import COCO, word
from rtrack_ros.detectors.openvino_network import OpenVinoNetwork, Tensor
from rtrack_ros.frames import Image8

_SIDE: Final = 640
_GREY: Final = 114
_LEAST_SCORE: Final = 0.01
"""Boxes below are never used, and there are thousands of them."""


class NetworkDetector:
    """The network of a file.

    Args:
        path: An ``.onnx`` or ``.xml`` file.
        labels: The words of its classes.
        threads: Threads that compute.
        niceness: Added to the scheduling niceness of these threads, 0 to 19.

    Raises:
        DetectorError: it cannot be loaded, or takes something else than one image.
    """

    def __init__(self, path: Path | str, labels: tuple[str, ...] = COCO, threads: int = 1,
                 niceness: int = 0) -> None:
        self._network = OpenVinoNetwork(Path(path), threads, niceness)
        self._labels = labels
        self._input, self._size = _image_input(self._network)

    def __call__(self, image: Image8) -> Seen:
        """Return what is seen in an image, uint8 (h, w, 3) RGB or (h, w) thermal."""
        values, scale = fitted(image, *self._size)
        outputs = self._network({self._input: values})
        rows = _rows(outputs[0], len(self._labels), self._network.path)
        boxes = rows[:, :4] / scale
        return Seen(boxes, tuple(word(self._labels, number) for number in rows[:, 5]),
                    rows[:, 4])


def fitted(image: Image8, width: int, height: int) -> tuple[Tensor, float]:
    """Return an image as the input (1, 3, height, width), and by how much it was scaled."""
    colour = as_colour(image)
    scale = min(width / colour.shape[1], height / colour.shape[0])
    size = (max(round(colour.shape[1] * scale), 1), max(round(colour.shape[0] * scale), 1))
    canvas = np.full((height, width, 3), _GREY, np.uint8)
    canvas[:size[1], :size[0]] = cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR)
    values = canvas.astype(np.float32).transpose(2, 0, 1)[None] / 255
    return np.ascontiguousarray(values), scale


def _image_input(network: OpenVinoNetwork) -> tuple[str, tuple[int, int]]:
    """Return the name of the input and its (width, height)."""
    if len(network.inputs) != 1:
        raise DetectorError(f'{network.path} takes {", ".join(network.inputs)}; a detector takes '
                            'one image and nothing else. For PicoDet, name its folder')
    (name, shape), = network.inputs.items()
    if len(shape) != 4 or (shape[1].is_static and shape[1].get_length() != 3):
        raise DetectorError(f'{network.path} takes {shape}; a detector takes (1, 3, height, '
                            'width)')
    return name, (_length(shape[3]), _length(shape[2]))


def _length(dimension: Any) -> int:
    return int(dimension.get_length()) if dimension.is_static else _SIDE


def _rows(output: Tensor, classes: int, path: Path) -> NDArray[np.float64]:
    """Return rows of x1, y1, x2, y2, confidence, class in pixels of the input."""
    table = np.asarray(output, dtype=np.float64)
    table = table[0] if table.ndim == 3 and table.shape[0] == 1 else table
    if table.ndim == 2 and table.shape[1] == 6:
        return table
    if table.ndim == 2 and 4 + classes in table.shape:
        return _of_centres(table if table.shape[1] == 4 + classes else table.T)
    raise DetectorError(f'{path} gives an output of the shape {output.shape}; a detector of '
                        f'{classes} classes gives (1, N, 6) or (1, {4 + classes}, N). Where it '
                        'has other classes, name them in detector.labels')


def _of_centres(table: NDArray[np.float64]) -> NDArray[np.float64]:
    number = table[:, 4:].argmax(axis=1)
    score = table[:, 4:].max(axis=1)
    table, number, score = (values[score >= _LEAST_SCORE] for values in (table, number, score))
    half = table[:, 2:4] / 2
    return np.column_stack([table[:, :2] - half, table[:, :2] + half, score, number])
