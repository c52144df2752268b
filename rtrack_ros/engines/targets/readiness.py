"""Whether a machine is what a plan asks for, said before hours of work."""

from pathlib import Path

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.devices import Device, targets_of
from rtrack_ros.engines.targets.machine import Machine
from rtrack_ros.engines.targets.plan import Plan, check_memory
from rtrack_ros.engines.targets.toolkits import numbers


def check_readiness(plan: Plan, machine: Machine) -> None:
    """Check that a plan can be carried out here.

    Raises:
        EngineError: it cannot, with the remedy.
    """
    check_device(plan.device, machine)
    _check_driver(plan, machine)
    for what, memory in (('to run', plan.memory), ('to quantise', plan.quantising)):
        if memory is not None and memory.value is not None:
            if machine.memory_gb:
                check_memory(plan.device, memory, machine.memory_gb, 'this machine', what)
            check_free_memory(memory.value, machine)
    if not Path(plan.checkpoint.path).is_dir():
        raise EngineError(f'{plan.checkpoint.path} is no folder; fetch the checkpoint first: hf '
                          f'download {plan.checkpoint.path} --local-dir {plan.checkpoint.name}')
    for step in plan.steps:
        if step.elsewhere:
            raise EngineError(f'{plan.checkpoint.name} is not quantised to {plan.precision} yet; '
                              f'see the command with --dry-run, run it with {step.elsewhere}, '
                              'and give the folder that it writes in place of the model')


def check_free_memory(needed_gb: float, machine: Machine) -> None:
    """Check that enough memory is free now.

    Raises:
        EngineError: it is not.
    """
    if machine.free_gb and machine.free_gb < needed_gb:
        raise EngineError(f'{needed_gb:.1f} GB of memory are needed and {machine.free_gb:.1f} GB '
                          'are free; end what uses the GPU, then try again')


def check_device(device: Device, machine: Machine) -> None:
    """Check that this machine is such a device.

    Raises:
        EngineError: it is another one.
    """
    if not machine.gpu:
        raise EngineError(f'this machine has no NVIDIA GPU that answers (nvidia-smi); run the '
                          f'command on the {device.name}, or see what it would do with --dry-run')
    if machine.compute_capability != device.compute_capability:
        fitting = ' or '.join(targets_of(machine.compute_capability))
        remedy = f'use --target {fitting}' if fitting else 'it is no target that is known here'
        raise EngineError(f'this machine has {machine.gpu} of compute capability '
                          f'{machine.compute_capability}, {device.name} has '
                          f'{device.compute_capability}; {remedy}')
    if device.cpu and device.cpu != machine.cpu:
        raise EngineError(f'{device.name} has a {device.cpu} processor and this machine has '
                          f'{machine.cpu}; build on the device itself')


def _check_driver(plan: Plan, machine: Machine) -> None:
    least = plan.toolkit.kind.least_driver
    if machine.driver and least and numbers(machine.driver)[:1] < (least,):
        raise EngineError(f'the driver {machine.driver} is too old for {plan.toolkit.kind.title}; '
                          f'install {least} or newer')
    wanted = plan.device.l4t
    if plan.route.engine == 'edgellm' and machine.l4t and machine.l4t < wanted:
        here = '.'.join(map(str, machine.l4t))
        raise EngineError(f'Jetson Linux is {here}; {plan.toolkit.kind.title} is built for '
                          f'{".".join(map(str, wanted))} or newer (JetPack 7): update the board, '
                          'or use --engine vllm in the container of its vendor')
