"""A network from a file, on the processor by OpenVINO: its own format, ONNX and Paddle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.detectors.base import DetectorError
from rtrack_ros.model_thread import ModelThread

Tensor = NDArray[np.float32]


class OpenVinoNetwork:
    """A network that serves one thread.

    It computes in a thread of its own at a lower priority. The thread that asks keeps its own:
    it works on what was seen under Python's lock, for which tracking would wait.

    Args:
        path: An ``.onnx``, ``.xml`` or ``.pdmodel`` file.
        threads: Threads that compute.
        niceness: Added to the scheduling niceness of these threads, 0 to 19.

    Raises:
        DetectorError: OpenVINO is missing, or the file is no network that it can run.
    """

    def __init__(self, path: Path, threads: int = 1, niceness: int = 0) -> None:
        if not path.is_file():
            raise DetectorError(f'there is no {path}; name the file of a network (.onnx, .xml)')
        self.path = path
        try:
            from openvino import Core
        except ImportError as error:
            raise DetectorError('a detector needs OpenVINO; install it with: '
                                'pip install openvino') from error
        self._thread = ModelThread('detector network', niceness)
        try:
            self._thread.call(self._load, Core(), threads)
        except RuntimeError as error:
            self._thread.close()
            raise DetectorError(f'OpenVINO cannot load {path}: {error}') from error

    def _load(self, core: Any, threads: int) -> None:
        model = core.read_model(str(self.path))
        self.inputs = {port.any_name: port.partial_shape for port in model.inputs}
        # bfloat16, which the runtime would choose where it can, moves boxes from one machine to
        # the next.
        self._request: Any = core.compile_model(model, 'CPU', {
            'INFERENCE_NUM_THREADS': threads, 'NUM_STREAMS': 1, 'ENABLE_CPU_PINNING': False,
            'INFERENCE_PRECISION_HINT': 'f32'}).create_infer_request()

    def __call__(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Return all outputs in their order.

        Raises:
            DetectorError: the network failed.
        """
        try:
            found = self._thread.call(self._request.infer, dict(inputs))
        except RuntimeError as error:
            raise DetectorError(f'{self.path} failed: {error}') from error
        # Copies: the runtime writes the next results into the same memory.
        return [np.array(found[port], dtype=np.float32) for port in self._request.model_outputs]
