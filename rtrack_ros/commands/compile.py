"""``rtrack compile``: make of a model what is fastest on a machine."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add

if TYPE_CHECKING:
    from rtrack_ros.engines.targets.devices import Device, Route
    from rtrack_ros.engines.targets.plan import Plan
    from rtrack_ros.engines.targets.toolkits import Toolkit

CPU: Final = 'cpu'
PRECISIONS: Final = ('int8', 'fp16', 'fp32', 'f16', 'q8_0', 'int4_awq', 'int4_gptq', 'int8_sq',
                     'fp8', 'mxfp8', 'nvfp4')


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'compile', help='make of a model what is fastest on a machine',
        description='Make of a model what is fastest on a machine. For a plain CPU: an export for '
                    'an engine that the node starts itself, in MODEL/openvino or MODEL/llamacpp. '
                    'That for OpenVINO needs an environment of its own with an older '
                    'transformers; where that is missing, the command prints how to make one. '
                    'For a GPU: a folder that rtrack serve starts a server of. Where memory will '
                    'not suffice, that is said first.')
    parser.add_argument('checkpoint', nargs='?', metavar='MODEL',
                        help='folder of the model; with --dry-run also a name of the hub '
                             '(default: the model of the package)')
    add(parser, '--model', help='the same as MODEL')
    parser.add_argument('--target', default=CPU, metavar='NAME',
                        help='machine to compile for: cpu, jetson-orin, jetson-orin-nano, '
                             'jetson-thor, rtx-30, rtx-40, rtx-50, a100 or h100 '
                             '(default: %(default)s)')
    add(parser, '--engine', choices=('openvino', 'llamacpp', 'edgellm', 'trtllm', 'vllm'),
        default=None,
        help='engine to compile for: openvino or llamacpp for cpu, else edgellm, trtllm or vllm '
             '(default: what the target runs best)')
    parser.add_argument('--precision', choices=PRECISIONS,
                        help='precision of the weights (default: int8 for OpenVINO, f16 for '
                             'llama.cpp, else that of the checkpoint or the best that is legal '
                             'on the target)')
    add(parser, '--out', help='folder to write to, for a GPU '
                              '(default: build/engines/MODEL-TARGET)')
    add(parser, '--dry-run', help='print the commands, the expected memory and the expected time '
                                  'of an answer, each with its source, and run nothing')
    add(parser, '--environment', '--container', '--ready-timeout', '--self-test')
    parser.add_argument('--toolkit-version', metavar='VERSION',
                        help='with --dry-run: version of the toolkit to write the commands for '
                             '(default: the newest that is known)')


def run(args: argparse.Namespace) -> int:
    """Export or build, and say what was written; returns the exit status."""
    from rtrack_ros.engines.targets.devices import find_device

    if args.checkpoint is not None and args.model is not None:
        raise CommandError('name the model once: MODEL and --model mean the same')
    device = find_device(args.target)
    return _export(args, device) if device.name == CPU else _build(args, device)


def _export(args: argparse.Namespace, device: 'Device') -> int:
    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.engines.targets.checkpoints import Checkpoint
    from rtrack_ros.engines.targets.plan import choose_precision

    route = device.route(args.engine)
    model = Path(args.checkpoint) if args.checkpoint is not None else model_folder(args)
    precision = choose_precision(device, route, Checkpoint(str(model)), args.precision)
    if args.dry_run:
        _show_export(device, route, model, precision)
        return 0
    if route.engine == 'llamacpp':
        from rtrack_ros.engines.llamacpp.export import export_llamacpp
        folder = export_llamacpp(model, precision)
    else:
        from rtrack_ros.engines.openvino_export import export_openvino
        folder = export_openvino(model, precision)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f'wrote {folder} ({precision}, {size / 1e6:.1f} MB)')
    return 0


def _show_export(device: 'Device', route: 'Route', model: Path, precision: str) -> None:
    """Print what is to be expected, and the command where there is one."""
    from rtrack_ros.commands.building import expectation_lines
    from rtrack_ros.engines.compiled import OPENVINO_FOLDER
    from rtrack_ros.engines.openvino_export import exporter_command
    from rtrack_ros.engines.targets.checkpoints import open_checkpoint
    from rtrack_ros.engines.targets.servers import shown

    embedded = route.engine == 'openvino'
    for line in expectation_lines(device, route, open_checkpoint(str(model)), precision,
                                  'OpenVINO GenAI' if embedded else 'llama.cpp'):
        print(line)
    if embedded:
        print(f'\n# STAGED is a copy in the form of transformers 4.57, EXPORTED becomes '
              f'{model / OPENVINO_FOLDER}')
        print(shown(exporter_command('STAGED', 'EXPORTED', precision)))


def _build(args: argparse.Namespace, device: 'Device') -> int:
    from rtrack_ros.commands.building import build, plan_lines
    from rtrack_ros.engines.targets.machine import probe_machine
    from rtrack_ros.engines.targets.readiness import check_readiness
    from rtrack_ros.engines.targets.toolkits import assumed_toolkit, find_toolkit
    from rtrack_ros.playback.processes import ProcessFailure

    # What cannot work anywhere is said before anybody installs a toolkit for it.
    engine = device.route(args.engine).engine
    plan = _plan(args, device, assumed_toolkit(engine, args.toolkit_version, args.container))
    if args.dry_run:
        for line in plan_lines(plan):
            print(line)
        return 0
    machine = probe_machine()
    check_readiness(plan, machine)
    plan = _plan(args, device, find_toolkit(engine, args.environment, args.container),
                 machine.memory_gb, absolute=True)
    try:
        written = build(plan, machine, args.ready_timeout, args.self_test)
    except ProcessFailure as error:
        raise CommandError(str(error)) from error
    tested = written.self_test.get('message') or 'not run'
    print(f'wrote {plan.folder} ({written.precision}; self-test: {tested})')
    print(f'start it with: rtrack serve {plan.folder}')
    return 0


def _plan(args: argparse.Namespace, device: 'Device', toolkit: 'Toolkit',
          total_gb: float = 0.0, absolute: bool = False) -> 'Plan':
    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.engines.targets.checkpoints import open_checkpoint
    from rtrack_ros.engines.targets.plan import choose_precision, make_plan

    route = device.route(args.engine)
    model = args.checkpoint or str(model_folder(args))
    checkpoint = open_checkpoint(str(Path(model).resolve()) if absolute else model)
    precision = choose_precision(device, route, checkpoint, args.precision)
    folder = args.out or Path('build', 'engines', f'{checkpoint.name}-{device.name}')
    return make_plan(device, route, checkpoint, precision, toolkit,
                     folder.resolve() if absolute else folder, total_gb)
