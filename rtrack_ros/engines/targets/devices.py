"""The devices a model can be compiled for, as data: what they are and what is legal on them.

Compute capabilities and memories are those of NVIDIA's product pages. What is legal is the support
matrix of the toolkit that a route leads to; its source is named with the route.
"""

from dataclasses import dataclass
from typing import Final

from rtrack_ros.engines.base import EngineError

ENGINES: Final = ('openvino', 'llamacpp', 'edgellm', 'trtllm', 'vllm')
"""What a model can be compiled for: two engines that the node starts itself, and three servers."""


@dataclass(frozen=True)
class Route:
    """A way to run a model on a device.

    Attributes:
        engine: One of ``ENGINES``.
        precisions: What is legal; the first is what a checkpoint that is not quantised is brought
            to, unless the user says otherwise.
        source: Where that is written.
    """

    engine: str
    precisions: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Device:
    """A kind of machine.

    Attributes:
        name: The word after ``--target``.
        figures_of: The member of the kind whose figures are quoted.
        compute_capability: Of its GPU, '8.7'; empty for a plain CPU.
        memory_gb: GB of memory for the model, of the smallest and the largest member.
        reserved_gb: GB of these that the rest of the machine needs, where memory is shared.
        bandwidth_gb_s: Of the memory of ``figures_of``; 0 where nobody looked.
        cpu: 'aarch64' or 'x86_64'; empty where it does not matter.
        routes: The first is taken unless the user says otherwise.
        l4t: Oldest release of Jetson Linux, (39, 2); empty where that is not asked.
    """

    name: str
    figures_of: str
    compute_capability: str
    memory_gb: tuple[float, float]
    bandwidth_gb_s: float
    routes: tuple[Route, ...]
    cpu: str = 'x86_64'
    reserved_gb: float = 0.0
    l4t: tuple[int, ...] = ()

    @property
    def is_jetson(self) -> bool:
        """Whether it is a Jetson, whose GPU shares the memory of the CPU."""
        return self.cpu == 'aarch64'

    def route(self, engine: str | None) -> Route:
        """Return the route to an engine, the usual one for None.

        Raises:
            EngineError: none leads there; the message lists those that there are.
        """
        for route in self.routes:
            if engine in (None, route.engine):
                return route
        raise EngineError(f'the engine {engine} does not run on {self.name}; choose one of '
                          f'{", ".join(route.engine for route in self.routes)}, or leave out '
                          '--engine')


_EDGE: Final = 'kernels in the TensorRT Edge-LLM 0.11.0 package'
_TRTLLM: Final = 'support matrix of TensorRT-LLM 1.x, language part'
_VLLM: Final = 'vLLM documentation, quantization'

_AMPERE_EDGE: Final = ('int4_awq', 'int4_gptq', 'int8_sq', 'fp16')
_BLACKWELL_EDGE: Final = ('nvfp4', 'fp8', 'mxfp8', 'int4_awq', 'int4_gptq', 'int8_sq', 'fp16')
_AMPERE: Final = ('fp16', 'int4_awq', 'int4_gptq')
_FROM_ADA_ON: Final = ('fp8', 'int4_awq', 'int4_gptq', 'fp16')

# The largest of a kind are its workstation cards (RTX A6000, RTX 6000 Ada, RTX PRO 6000) and H200.
# What cameras, ROS and the system take of a Jetson's memory is an allowance of ours.
DEVICES: Final = {device.name: device for device in (
    Device('cpu', 'any', '', (0.0, 0.0), 0.0,
           (Route('openvino', ('int8', 'fp16', 'fp32'), 'optimum-intel 2.2.0, run by us'),
            Route('llamacpp', ('f16', 'q8_0'), 'llama.cpp by xllamacpp, run by us')),
           cpu=''),
    Device('jetson-orin', 'AGX Orin 64 GB', '8.7', (8.0, 64.0), 204.8,
           (Route('edgellm', _AMPERE_EDGE, _EDGE), Route('vllm', _AMPERE, _VLLM)),
           'aarch64', 2.0, (39, 2)),
    Device('jetson-orin-nano', 'Orin Nano 8 GB', '8.7', (4.0, 8.0), 68.0,
           (Route('edgellm', _AMPERE_EDGE, _EDGE), Route('vllm', _AMPERE, _VLLM)),
           'aarch64', 2.0, (39, 2)),
    Device('jetson-thor', 'AGX Thor', '11.0', (64.0, 128.0), 273.0,
           (Route('edgellm', _BLACKWELL_EDGE, _EDGE), Route('vllm', _FROM_ADA_ON, _VLLM)),
           'aarch64', 4.0, (38, 2)),
    Device('rtx-30', 'RTX 3090', '8.6', (4.0, 48.0), 936.0,
           (Route('edgellm', _AMPERE_EDGE, _EDGE), Route('trtllm', _AMPERE, _TRTLLM),
            Route('vllm', _AMPERE, _VLLM))),
    # The package has no kernels for Ada and Hopper: these go to a server with kernels of its own.
    Device('rtx-40', 'RTX 4090', '8.9', (6.0, 48.0), 1008.0,
           (Route('vllm', _FROM_ADA_ON, _VLLM), Route('trtllm', _FROM_ADA_ON, _TRTLLM))),
    Device('rtx-50', 'RTX 5090', '12.0', (8.0, 96.0), 1792.0,
           (Route('edgellm', _BLACKWELL_EDGE, _EDGE),
            Route('trtllm', ('nvfp4', 'fp8', 'fp16'), _TRTLLM),
            Route('vllm', _FROM_ADA_ON, _VLLM))),
    Device('a100', 'A100 40 GB', '8.0', (40.0, 80.0), 1555.0,
           (Route('trtllm', _AMPERE, _TRTLLM), Route('vllm', _AMPERE, _VLLM)), cpu=''),
    Device('h100', 'H100 SXM', '9.0', (80.0, 141.0), 3350.0,
           (Route('trtllm', _FROM_ADA_ON, _TRTLLM), Route('vllm', _FROM_ADA_ON, _VLLM)), cpu=''),
)}


def find_device(name: str) -> Device:
    """Return the device of this name.

    Raises:
        EngineError: there is none; the message lists those that there are.
    """
    if name not in DEVICES:
        raise EngineError(f'the target {name!r} is unknown; choose one of {", ".join(DEVICES)}')
    return DEVICES[name]


def targets_of(compute_capability: str) -> list[str]:
    """Return the names of the devices with such a GPU."""
    return [device.name for device in DEVICES.values()
            if device.compute_capability and device.compute_capability == compute_capability]
