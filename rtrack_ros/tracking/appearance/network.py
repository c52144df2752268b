"""A small ONNX network on the processor, by OpenCV.

OpenVINO takes 60 % of OpenCV's time for the Siamese network. But a process that used it beside
torch ended in a segmentation fault whenever tests of training came after those of the tracker, and
the one run without it did not; the cause is not found. A tracker must not end a robot's process,
so OpenCV serves.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.foreign_text import utf8_path

Tensor = NDArray[np.float32]

Network = Callable[[dict[str, Tensor]], Tensor]
"""Takes inputs by name, each (N, ...), and returns the one output, (N, ...)."""


def load_network(path: Path) -> Network:
    """Return the network of an ONNX file; one object serves one thread."""
    net = cv2.dnn.readNetFromONNX(utf8_path(path))

    def run(inputs: dict[str, Tensor]) -> Tensor:
        for name, values in inputs.items():
            net.setInput(values, name)
        return np.array(net.forward(), np.float32)

    return run
