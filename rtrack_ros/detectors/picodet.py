"""PicoDet (Yu et al., 2021, arXiv 2111.00902) as the package ``paddlelabel-ml`` ships it.

The weights are Apache-2.0 and are read from the user's disk; OpenVINO reads the Paddle format
itself. The network was trained on COCO, in daylight colour; a thermal image is shown to it as
three equal channels.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from rtrack_ros.detectors.base import DetectorError, Seen, as_colour
from rtrack_ros.detectors.labels import COCO, word
from rtrack_ros.detectors.openvino_network import OpenVinoNetwork
from rtrack_ros.frames import Image8

SIDE: Final = 416
FILE: Final = 'model.pdmodel'
WITHIN_PACKAGE: Final = 'paddlelabel_ml/model/PicoDet/ckpt'
"""Where the package keeps the network."""
FETCH: Final = 'make picodet'
"""The command that brings it."""
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class PicoDet:
    """PicoDet at 416 x 416.

    Args:
        folder: Holds ``model.pdmodel`` and ``model.pdiparams``.
        labels: The words of its classes.
        threads: Threads that compute.
        niceness: Added to the scheduling niceness of these threads, 0 to 19.

    Raises:
        DetectorError: the network is not there, or cannot be loaded.
    """

    def __init__(self, folder: Path | str, labels: tuple[str, ...] = COCO, threads: int = 1,
                 niceness: int = 0) -> None:
        path = Path(folder)
        model = path if path.name == FILE else path / FILE
        if not model.is_file():
            raise DetectorError(f'there is no {model}; fetch PicoDet with: {FETCH}, and name the '
                                'folder that it prints')
        self._network = OpenVinoNetwork(model, threads, niceness)
        self._labels = labels

    def __call__(self, image: Image8) -> Seen:
        """Return what is seen in an image, uint8 (h, w, 3) RGB or (h, w) thermal."""
        colour = as_colour(image)
        height, width = colour.shape[:2]
        scaled = cv2.resize(colour, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        values = (scaled.astype(np.float32) / 255 - _MEAN) / _DEVIATION
        found = self._network({
            'image': np.ascontiguousarray(values.transpose(2, 0, 1)[None]),
            'scale_factor': np.array([[SIDE / height, SIDE / width]], np.float32)})[0]
        rows = np.asarray(found.reshape(-1, 6), dtype=np.float64)
        # It fills up with rows of class -1.
        rows = rows[rows[:, 0] >= 0]
        return Seen(rows[:, 2:], tuple(word(self._labels, number) for number in rows[:, 0]),
                    rows[:, 1])
