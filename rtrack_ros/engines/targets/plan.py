"""A plan: how a model comes onto a device, with every command, figure and source."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.checkpoints import Checkpoint
from rtrack_ros.engines.targets.devices import Device, Route
from rtrack_ros.engines.targets.figures import (
    SERVER_GB,
    Figure,
    expected_memory,
    quantising_memory,
)
from rtrack_ros.engines.targets.servers import Limits, Served, server_command
from rtrack_ros.engines.targets.toolkits import Toolkit

CHECKPOINT_FOLDER: Final = 'checkpoint'
_MARGIN: Final = 1.1
_MOST_SHARE: Final = 0.9
_BATCHES: Final = ('trtllm', 'vllm')


@dataclass(frozen=True)
class Step:
    """A command of a plan.

    Attributes:
        what: What it does.
        command: The command.
        elsewhere: Where it must be run by hand; empty where we run it.
    """

    what: str
    command: list[str]
    elsewhere: str = ''


@dataclass(frozen=True)
class Plan:
    """How a model comes onto a device.

    Attributes:
        device: The device.
        route: How.
        checkpoint: The model as it is given.
        precision: What it will have.
        toolkit: What does it.
        folder: What is written.
        steps: Commands before the server is started; none where nothing is to be quantised.
        served: How the result is served; the first start builds what has to be built.
        memory: GB expected while it runs.
        quantising: GB expected while a step of ours quantises; None without such a step.
    """

    device: Device
    route: Route
    checkpoint: Checkpoint
    precision: str
    toolkit: Toolkit
    folder: Path
    steps: tuple[Step, ...]
    served: Served
    memory: Figure
    quantising: Figure | None = None

    @property
    def server(self) -> list[str]:
        """Return the command of the server."""
        return server_command(self.toolkit, self.served)


def choose_precision(device: Device, route: Route, checkpoint: Checkpoint, asked: str | None
                     ) -> str:
    """Return the precision that a checkpoint gets.

    Raises:
        EngineError: it is not legal there, or the checkpoint already has another one.
    """
    if checkpoint.precision and asked not in (None, checkpoint.precision):
        raise EngineError(f'{checkpoint.name} is already quantised to {checkpoint.precision}; '
                          'leave out --precision, or give the checkpoint it was made from')
    if asked == 'int4_gptq' and not checkpoint.precision:
        raise EngineError('int4_gptq is taken where a checkpoint has it; give such a checkpoint, '
                          'or choose int4_awq')
    precision = asked or checkpoint.precision or route.precisions[0]
    if precision not in route.precisions:
        raise EngineError(f'{precision} is not legal on {device.name} with {route.engine}; choose '
                          f'one of {", ".join(route.precisions)} (source: {route.source})')
    return precision


def make_plan(device: Device, route: Route, checkpoint: Checkpoint, precision: str,
              toolkit: Toolkit, folder: Path, total_gb: float = 0.0) -> Plan:
    """Return how a model comes onto a device.

    Args:
        device: The device.
        route: How.
        checkpoint: The model.
        precision: One that is legal on the route.
        toolkit: That of the route.
        folder: What to write.
        total_gb: Memory of the very machine; 0 counts with the smallest that is large enough.

    Raises:
        EngineError: it will not fit into the memory of any such device.
    """
    memory = expected_memory(device, checkpoint, precision, route.engine)
    check_memory(device, memory, device.memory_gb[1])
    steps, model = _quantising(device, route, checkpoint, precision, toolkit, folder)
    online = _is_made_while_loading(route, checkpoint, precision)
    limits = replace(Limits(), questions=4 if route.engine in _BATCHES else 1)
    served = Served(model, checkpoint.name, folder, limits,
                    _memory_share(device, route, memory, total_gb), precision if online else '')
    quantising = (quantising_memory(checkpoint)
                  if any(not step.elsewhere for step in steps) else None)
    if quantising is not None:
        check_memory(device, quantising, device.memory_gb[1], what='to quantise')
    return Plan(device, route, checkpoint, precision, toolkit, folder, steps, served, memory,
                quantising)


def check_memory(device: Device, memory: Figure, total_gb: float, where: str = '',
                 what: str = 'to run') -> None:
    """Check that an engine fits.

    Args:
        device: The device.
        memory: What it needs.
        total_gb: What there is, the share of the rest of the machine included.
        where: Whose memory that is; empty for the largest device of the kind.
        what: What the memory is needed for.

    Raises:
        EngineError: it does not fit; the message says by how much.
    """
    usable = total_gb - device.reserved_gb
    if memory.value is None or memory.value <= usable:
        return
    where = where or f'the largest {device.name}'
    kept = f' and keeps {device.reserved_gb:g} GB for the rest' if device.reserved_gb else ''
    raise EngineError(f'it will not fit: {memory.text} are needed {what} ({memory.source}), '
                      f'{where} has {total_gb:.1f} GB{kept}; take a smaller model, or '
                      + ('a checkpoint that is quantised already' if what == 'to quantise'
                         else 'fewer bits'))


def _memory_share(device: Device, route: Route, memory: Figure, total_gb: float) -> float:
    """Return the share of the memory that a server may take, in twentieths; see ``Served``."""
    if memory.value is None:
        return _MOST_SHARE if route.engine == 'vllm' else _MOST_SHARE / 2
    total = total_gb or max(device.memory_gb[0], min(memory.value * _MARGIN, device.memory_gb[1]))
    share = (memory.value * _MARGIN / total if route.engine == 'vllm'
             else SERVER_GB / (total - memory.value + SERVER_GB))
    return min(math.ceil(share * 20) / 20, _MOST_SHARE)


def _is_made_while_loading(route: Route, checkpoint: Checkpoint, precision: str) -> bool:
    return route.engine == 'vllm' and precision == 'fp8' and not checkpoint.precision


def _quantising(device: Device, route: Route, checkpoint: Checkpoint, precision: str,
                toolkit: Toolkit, folder: Path) -> tuple[tuple[Step, ...], str]:
    """Return the commands that quantise, and the path of what they leave."""
    model = checkpoint.path
    if (checkpoint.precision or precision == 'fp16'
            or _is_made_while_loading(route, checkpoint, precision)):
        return (), model
    if route.engine != 'edgellm':
        done = f'{checkpoint.name}-{precision}'
        command = ['python', 'hf_ptq.py', '--pyt_ckpt_path', model, '--qformat',
                   precision, '--kv_cache_qformat', 'none', '--export_path', done]
        return (Step('quantise', command, 'examples/llm_ptq of NVIDIA Model-Optimizer'),), done
    elsewhere = ''
    if device.is_jetson:
        elsewhere = 'an x86-64 computer with an NVIDIA GPU and tensorrt-edgellm[tools]'
    elif toolkit.container:
        elsewhere = f'the container {toolkit.container}'
    done = (f'{checkpoint.name}-{precision}' if elsewhere
            else str(folder / CHECKPOINT_FOLDER / checkpoint.name))
    return (Step('quantise', _edgellm_quantise(toolkit, model, done, precision), elsewhere),), done


def _edgellm_quantise(toolkit: Toolkit, model: str, done: str, precision: str) -> list[str]:
    if toolkit.is_at_least('0.11.1'):
        start, source, target = ['trtedge', 'quantize', 'llm'], '--model-dir', '--output-dir'
    else:
        start = ['tensorrt-edgellm-quantize', 'llm']
        source, target = '--model_dir', '--output_dir'
    return [toolkit.program(start[0]), *start[1:], source, model, target, done,
            '--quantization', precision]
