"""``rtrack train``: train a model; one sub-command for each stage of learning."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, positive
from rtrack_ros.training.configs import find_config, shipped_config, shipped_configs

if TYPE_CHECKING:
    from rtrack_ros.training.stages.settings import StageSettings

STAGES = {
    'sft': 'supervised fine-tuning of a Qwen-VL model, all weights or LoRA',
    'grpo': 'R1-Track: GRPO on template and search crops with the stepped GIoU',
    'gspo': 'RTrack: GSPO with Clipped Advantage Scaling on RGB, thermal and a sentence'}
RECIPES = {'omnipt': 'format RL, mid-training, supervised fine-tuning, RL'}
FAMILIES = ('qwen2_5_vl', 'qwen3_vl', 'qwen3_5')


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'train', help='train a model on the simulated world or on a data set',
        description='Train a model. A run that was stopped goes on from its last checkpoint when '
                    'the same command is given again. nano makes rtrack-nano from nothing, '
                    "siamese the tracker's small network. The other stages start from a model "
                    'folder and run on TRL (docs/training.md).')
    stages = parser.add_subparsers(dest='stage', metavar='STAGE', required=True)
    nano = stages.add_parser('nano', help='make rtrack-nano from scratch: all runs of its recipe')
    _add_own_options(nano, 'nano', 'DIR/model')
    nano.add_argument('--loaders', type=int, default=0, metavar='N',
                      help='processes that draw batches ahead, so that a GPU need not wait; with '
                           '0 the trainer draws its own (default: %(default)s)')
    nano.add_argument('--steps-scale', type=positive, default=1.0, metavar='SHARE',
                      help='share of all steps and data; 0.02 tries the whole recipe out '
                           '(default: %(default)g)')
    siamese = stages.add_parser(
        'siamese', help="train the tracker's network that finds an object again")
    _add_own_options(siamese, 'siamese', 'DIR/siamese_*.onnx')
    for name, what in STAGES.items():
        _add_options(stages.add_parser(name, help=what), name)
    recipe = stages.add_parser(
        'recipe', help='run several stages, each from the model of the last')
    recipe.add_argument('recipe', choices=RECIPES, help='; '.join(
        f'{name}: {what}' for name, what in RECIPES.items()))
    _add_options(recipe, None)
    config = stages.add_parser('config', help='print a configuration, to copy and change',
                               description='Print a configuration that comes with the package.')
    config.add_argument('name', choices=shipped_configs(), metavar='NAME',
                        help=', '.join(shipped_configs()))


def _add_own_options(parser: argparse.ArgumentParser, config: str, result: str) -> None:
    add(parser, '--config', default=config)
    add(parser, '--out', required=True,
        help=f'folder for training data, checkpoint and log, and at the end for {result}')
    add(parser, '--workers', help='processes that draw training data (default: %(default)s)')


def _add_options(parser: argparse.ArgumentParser, config: str | None) -> None:
    add(parser, '--model',
        help='folder of the Qwen2.5-VL, Qwen3-VL, Qwen3.5 or rtrack-nano model to start from, or '
             'hub:OWNER/NAME to fetch one; --dry-run without it makes a model of random weights')
    add(parser, '--data')
    add(parser, '--out', help='folder for checkpoints, log and curves of each stage, and its '
                              'model')
    add(parser, '--config', default=config,
        help='configuration: a file, or a name that rtrack train config knows '
             f'(default: {config or "that of the recipe"})')
    add(parser, '--steps', help='optimisation steps of each stage (default: as configured)')
    parser.add_argument('--dry-run', action='store_true',
                        help='build everything, and stop before the first optimisation step')
    parser.add_argument('--family', choices=FAMILIES, default=FAMILIES[0],
                        help='what --dry-run makes without --model: two layers of this family, a '
                             'quarter as wide on a CPU (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit status."""
    if args.stage == 'config':
        print(shipped_config(args.name).read_text(encoding='utf-8'), end='')
        return 0
    config = find_config(args.config or args.recipe)
    if args.stage == 'nano':
        return _run_nano(args, config)
    if args.stage == 'siamese':
        return _run_siamese(args, config)
    return _run_stages(args, config)


def _run_nano(args: argparse.Namespace, config: Path) -> int:
    from rtrack_ros.files import is_whole
    from rtrack_ros.training.nano.recipe import is_recipe, scaled, train_recipe
    from rtrack_ros.training.nano.settings import read_nano
    from rtrack_ros.training.nano.trainer import train_config

    if is_recipe(config):
        train_recipe(config, args.out, args.workers, args.loaders, args.steps_scale)
        return 0
    done = is_whole(args.out / 'model')
    folder = train_config(scaled(read_nano(config), args.steps_scale), args.out, args.workers,
                          args.loaders)
    print(f'{folder} is there already, from the same data and settings; nothing was done' if done
          else f'wrote {folder}; export it with: rtrack compile --model {folder}')
    return 0


def _run_siamese(args: argparse.Namespace, config: Path) -> int:
    from rtrack_ros.training.siamese.trainer import train

    paths = train(config, args.out, args.workers)
    print(f'wrote {" and ".join(map(str, paths))}; the tracker uses those in '
          'rtrack_ros/tracking/appearance')
    return 0


def _run_stages(args: argparse.Namespace, config: Path) -> int:
    from dataclasses import replace

    from rtrack_ros.training.stages.settings import read_stages

    stages = read_stages(config)
    if args.steps is not None:
        stages = [replace(stage, trainer={**stage.trainer, 'max_steps': args.steps})
                  for stage in stages]
    if args.dry_run:
        return _rehearse(args, stages)
    if args.model is None or args.out is None:
        raise CommandError('name the model to start from with --model and a folder with --out')
    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.training.models.hub import local_folder
    from rtrack_ros.training.stages.run import run_stages

    run_stages(stages, local_folder(model_folder(args)), args.data, args.out, print)
    return 0


def _rehearse(args: argparse.Namespace, stages: 'list[StageSettings]') -> int:
    import torch

    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.training.models.hub import local_folder
    from rtrack_ros.training.models.random_qwen import write_random_qwen
    from rtrack_ros.training.stages.run import rehearse

    width = 1.0 if torch.cuda.is_available() else 0.25
    with tempfile.TemporaryDirectory(prefix='rtrack-train-') as scratch:
        for stage in stages:
            size = stage.model.image_size or (448, 448)
            model = local_folder(model_folder(args)) if args.model else write_random_qwen(
                args.family, Path(scratch, 'model'), size, width)
            seen = rehearse(stage, model, args.data, Path(scratch, stage.name))
            print(f'{stage.name}: ready for the first optimisation step')
            for name, value in seen.items():
                print(f'  {name:14} {value}')
    return 0
