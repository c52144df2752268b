"""A network from a file, on the processor by OpenVINO: its own format, ONNX and Paddle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.detectors.base import DetectorError

Tensor = NDArray[np.float32]


class OpenVinoNetwork:
    """A network that serves one thread.

    Args:
        path: An ``.onnx``, ``.xml`` or ``.pdmodel`` file.
        threads: Threads that compute.

    Raises:
        DetectorError: OpenVINO is missing, or the file is no network that it can run.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        if not path.is_file():
            raise DetectorError(f'there is no {path}; name the file of a network (.onnx, .xml)')
        self.path = path
        try:
            from openvino import Core
        except ImportError as error:
            raise DetectorError('a detector needs OpenVINO; install it with: '
                                'pip install openvino') from error
        core = Core()
        try:
            self._model = core.read_model(str(path))
            self.inputs = {port.any_name: port.partial_shape for port in self._model.inputs}
            # bfloat16, which the runtime would choose where it can, moves boxes from one machine
            # to the next.
            self._request: Any = core.compile_model(self._model, 'CPU', {
                'INFERENCE_NUM_THREADS': threads, 'NUM_STREAMS': 1, 'ENABLE_CPU_PINNING': False,
                'INFERENCE_PRECISION_HINT': 'f32'}).create_infer_request()
        except RuntimeError as error:
            raise DetectorError(f'OpenVINO cannot load {path}: {error}') from error

    def __call__(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Return all outputs in their order.

        Raises:
            DetectorError: the network failed.
        """
        try:
            found = self._request.infer(dict(inputs))
        except RuntimeError as error:
            raise DetectorError(f'{self.path} failed: {error}') from error
        # Copies: the runtime writes the next results into the same memory.
        return [np.array(found[port], dtype=np.float32) for port in self._request.model_outputs]
