"""A small ONNX network on the processor: by OpenVINO where it is installed, else by OpenCV.

OpenVINO takes 60 % of OpenCV's time for the Siamese network, and gives the same numbers to five
digits. It is an extra of the package, so OpenCV serves where it is missing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.foreign_text import utf8_path

Tensor = NDArray[np.float32]

Network = Callable[[dict[str, Tensor]], Tensor]
"""Takes inputs by name, each (N, ...), and returns the one output, (N, ...)."""


def load_network(path: Path, openvino: bool = True) -> Network:
    """Return the network of an ONNX file; one object serves one thread.

    Args:
        path: The file.
        openvino: Whether OpenVINO may be used where it is installed.
    """
    core = _openvino() if openvino else None
    return _by_opencv(path) if core is None else _by_openvino(core, path)


def _openvino() -> Any:
    try:
        from openvino import Core
    except ImportError:
        return None
    return Core()


def _by_openvino(core: Any, path: Path) -> Network:
    model = core.read_model(str(path))
    # Examples go one by one: OpenVINO is a third slower where it does not know the shape.
    model.reshape({port.any_name: [1, *list(port.partial_shape)[1:]] for port in model.inputs})
    # One thread, that of the caller. Left alone the runtime would compute in bfloat16 where the
    # CPU can, and measurements would differ between machines.
    request = core.compile_model(model, 'CPU', {
        'INFERENCE_NUM_THREADS': 1, 'NUM_STREAMS': 1, 'ENABLE_CPU_PINNING': False,
        'INFERENCE_PRECISION_HINT': 'f32'}).create_infer_request()

    places = {port.any_name: request.get_tensor(port.any_name).data for port in model.inputs}
    output = request.get_output_tensor().data

    def run(inputs: dict[str, Tensor]) -> Tensor:
        count = len(next(iter(inputs.values())))
        answers = np.empty((count, *output.shape[1:]), np.float32)
        for row in range(count):
            for name, place in places.items():
                place[0] = inputs[name][row]
            request.infer()
            answers[row] = output[0]
        return answers

    return run


def _by_opencv(path: Path) -> Network:
    net = cv2.dnn.readNetFromONNX(utf8_path(path))

    def run(inputs: dict[str, Tensor]) -> Tensor:
        for name, values in inputs.items():
            net.setInput(values, name)
        return np.array(net.forward(), np.float32)

    return run
