"""``rtrack train``: train a model; one sub-command for each stage of learning."""

import argparse
from pathlib import Path


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'train', help='train a model on the simulated world',
        description='Train a model. A run that was stopped goes on from its last checkpoint when '
                    'the same command is given again.')
    stages = parser.add_subparsers(dest='stage', metavar='STAGE', required=True)
    sft = stages.add_parser('sft', help='supervised: rtrack-nano from scratch')
    sft.add_argument('--config', type=Path, default=Path('config/training/nano.yaml'),
                     metavar='YAML', help='default: config/training/nano.yaml')
    sft.add_argument('--out', type=Path, required=True, metavar='DIR',
                     help='training frames, checkpoint, log and, at the end, DIR/model')
    sft.add_argument('--workers', type=int, default=1,
                     help='processes that draw training frames beside the trainer (default: 1)')


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit status."""
    from rtrack_ros.commands import CommandError

    if not args.config.is_file():
        raise CommandError(f'there is no configuration {args.config}; name one with --config')
    from rtrack_ros.training.sft import train

    folder = train(args.config, args.out, args.workers)
    print(f'wrote {folder}; export it with: rtrack compile --model {folder}')
    return 0
