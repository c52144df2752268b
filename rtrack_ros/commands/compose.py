"""``rtrack compose``: training frames from real RGB-thermal clips, for mid-training."""

import argparse
from pathlib import Path

SEED = 7_000_000


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'compose', help='make training frames from real RGB-thermal clips',
        description='Cut people out of real clips in both spectra, paste them onto the emptied '
                    'places of all clips under changing light and smoke, and write training '
                    'shards with exact boxes and sentences. Clips held out by the settings are '
                    'never opened. Same inputs, same shards.')
    parser.add_argument('--clips', type=Path, required=True, metavar='DIR',
                        help='folder with visible/NAME.mp4 and infrared/NAME.mp4')
    parser.add_argument('--settings', type=Path, default=Path('config/training/real_clips.yaml'),
                        metavar='YAML', help='default: config/training/real_clips.yaml')
    parser.add_argument('--labels', type=Path, default=None, metavar='DIR',
                        help='boxes of people, NAME.gt.txt each (default: OUT/labels, where the '
                             'detector writes what is missing)')
    parser.add_argument('--detector', type=Path, default=None, metavar='DIR',
                        help='PicoDet of the package paddlelabel-ml, for clips without labels')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='shards go to DIR/train')
    parser.add_argument('--shards', type=int, default=4, help='default: 4')
    parser.add_argument('--frames', type=int, default=1000, help='per shard (default: 1000)')
    parser.add_argument('--size', type=int, nargs=2, default=(256, 192),
                        metavar=('WIDTH', 'HEIGHT'),
                        help="the model's input (default: 256 192, rtrack-nano's)")
    parser.add_argument('--seed', type=int, default=SEED)


def run(args: argparse.Namespace) -> int:
    """Compose and write; returns the exit status."""
    from rtrack_ros.commands import CommandError
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.training.composites.assets import build_assets
    from rtrack_ros.training.composites.clips import read_settings
    from rtrack_ros.training.composites.detector import PersonDetector
    from rtrack_ros.training.composites.shards import write_real_shard

    if min(args.shards, args.frames, *args.size) < 1:
        raise CommandError('--shards, --frames and --size must be at least 1')
    detector = None if args.detector is None else PersonDetector(args.detector)
    assets = build_assets(args.clips, read_settings(args.settings),
                        args.labels or args.out / 'labels', detector, args.seed)
    print(f'{sum(map(len, assets.cutouts))} people cut out, {len(assets.places)} places')
    for number in progress(range(args.shards), 'composing', args.shards):
        write_real_shard(args.out / 'train', number, args.seed, args.frames, tuple(args.size),
                         assets)
    print(f'wrote {args.shards} shards to {args.out / "train"}')
    return 0
