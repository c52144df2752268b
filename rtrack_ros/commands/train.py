"""``rtrack train``: train a model; one sub-command for each stage of learning."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtrack_ros.training.stages.settings import StageSettings

STAGES = {
    'sft': 'supervised fine-tuning of a Qwen-VL model, all weights or LoRA',
    'grpo': 'R1-Track: GRPO on template and search crops with the stepped GIoU',
    'gspo': 'RTrack: GSPO with Clipped Advantage Scaling on RGB, thermal and a sentence'}
RECIPES = {'omnipt': 'format RL, mid-training, supervised fine-tuning, RL'}
FAMILIES = ('qwen2_5_vl', 'qwen3_vl')


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'train', help='train a model on the simulated world or on a data set',
        description='Train a model. A run that was stopped goes on from its last checkpoint when '
                    'the same command is given again. nano makes rtrack-nano from nothing, '
                    "siamese the tracker's small network; the other stages start from a model "
                    'folder and run on TRL (docs/training.md).')
    stages = parser.add_subparsers(dest='stage', metavar='STAGE', required=True)
    nano = stages.add_parser('nano', help='rtrack-nano from scratch, with dense heads')
    _add_own_options(nano, 'config/training/nano.yaml', 'DIR/model')
    nano.add_argument('--loaders', type=int, default=0,
                     help='processes that draw batches ahead, for a GPU, which would wait for '
                          'them (default: 0, the trainer draws its own)')
    _add_own_options(
        stages.add_parser('siamese', help="the tracker's network that finds an object again"),
        'config/training/siamese.yaml', 'DIR/siamese_*.onnx')
    for name, what in STAGES.items():
        _add_options(stages.add_parser(name, help=what), Path(f'config/training/{name}.yaml'))
    recipe = stages.add_parser('recipe', help='several stages, each from the model of the last')
    recipe.add_argument('recipe', choices=RECIPES, help='; '.join(
        f'{name}: {what}' for name, what in RECIPES.items()))
    _add_options(recipe, None)


def _add_own_options(parser: argparse.ArgumentParser, config: str, result: str) -> None:
    parser.add_argument('--config', type=Path, default=Path(config), metavar='YAML',
                        help=f'default: {config}')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help=f'training data, checkpoint, log and, at the end, {result}')
    parser.add_argument('--workers', type=int, default=1,
                        help='processes that draw training data (default: 1)')


def _add_options(parser: argparse.ArgumentParser, config: Path | None) -> None:
    parser.add_argument('--model', type=Path, default=None, metavar='DIR',
                        help='folder of the Qwen2.5-VL, Qwen3-VL or rtrack-nano model to start '
                             'from; with --dry-run a model of random weights without it')
    parser.add_argument('--data', default='simulation', metavar='DIR',
                        help="folder of a data set, or 'simulation' (default)")
    parser.add_argument('--out', type=Path, default=None, metavar='DIR',
                        help='checkpoints, log and curves of each stage, and its model')
    parser.add_argument('--config', type=Path, default=config, metavar='YAML',
                        help=f'default: {config or "config/training/RECIPE.yaml"}')
    parser.add_argument('--steps', type=int, default=None,
                        help='optimisation steps of each stage instead of those configured')
    parser.add_argument('--dry-run', action='store_true',
                        help='build everything, go up to the first optimisation step and stop')
    parser.add_argument('--family', choices=FAMILIES, default=FAMILIES[0],
                        help='with --dry-run and no --model: what to build, two layers of the '
                             'real kind, on a CPU a quarter as wide')


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit status."""
    from rtrack_ros.commands import CommandError

    config = args.config or Path(f'config/training/{args.recipe}.yaml')
    if not config.is_file():
        raise CommandError(f'there is no configuration {config}; name one with --config')
    if args.stage == 'nano':
        return _run_nano(args)
    if args.stage == 'siamese':
        return _run_siamese(args)
    return _run_stages(args, config)


def _run_nano(args: argparse.Namespace) -> int:
    from rtrack_ros.training.nano.trainer import train

    folder = train(args.config, args.out, args.workers, args.loaders)
    print(f'wrote {folder}; export it with: rtrack compile --model {folder}')
    return 0


def _run_siamese(args: argparse.Namespace) -> int:
    from rtrack_ros.commands import CommandError
    from rtrack_ros.training.siamese.trainer import train
    from rtrack_ros.training.yaml_settings import SettingsError

    try:
        paths = train(args.config, args.out, args.workers)
    except SettingsError as error:
        raise CommandError(str(error)) from error
    print(f'wrote {" and ".join(map(str, paths))}; the tracker uses those in '
          'rtrack_ros/tracking/appearance')
    return 0


def _run_stages(args: argparse.Namespace, config: Path) -> int:
    from dataclasses import replace

    from rtrack_ros.commands import CommandError
    from rtrack_ros.training.stages.settings import read_stages
    from rtrack_ros.training.yaml_settings import SettingsError

    try:
        stages = read_stages(config)
    except SettingsError as error:
        raise CommandError(str(error)) from error
    if args.steps is not None:
        stages = [replace(stage, trainer={**stage.trainer, 'max_steps': args.steps})
                  for stage in stages]
    if args.dry_run:
        return _rehearse(args, stages)
    if args.model is None or args.out is None:
        raise CommandError('name the model to start from with --model and a folder with --out')
    from rtrack_ros.training.stages.run import run_stages

    folder = run_stages(stages, args.model, args.data, args.out)
    print(f'wrote {folder}')
    return 0


def _rehearse(args: argparse.Namespace, stages: 'list[StageSettings]') -> int:
    import torch

    from rtrack_ros.training.models.random_qwen import write_random_qwen
    from rtrack_ros.training.stages.run import rehearse

    width = 1.0 if torch.cuda.is_available() else 0.25
    with tempfile.TemporaryDirectory(prefix='rtrack-train-') as scratch:
        for stage in stages:
            size = stage.model.image_size or (448, 448)
            model = args.model or write_random_qwen(
                args.family, Path(scratch, 'model'), size, width)
            seen = rehearse(stage, model, args.data, Path(scratch, stage.name))
            print(f'{stage.name}: ready for the first optimisation step')
            for name, value in seen.items():
                print(f'  {name:14} {value}')
    return 0
