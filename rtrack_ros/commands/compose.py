"""``rtrack compose``: training frames from real RGB-thermal clips, for mid-training."""

import argparse
from pathlib import Path
from typing import Final

from rtrack_ros.commands.arguments import add, count

SEED: Final = 7_000_000


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'compose', help='make training frames from real RGB-thermal clips',
        description='Cut people out of real clips in both spectra, paste them onto the emptied '
                    'places of all clips under changing light and smoke, and write training '
                    'shards with exact boxes and sentences. Clips that the configuration holds '
                    'out are never opened. The same inputs give the same shards.')
    add(parser, '--clips', required=True,
        help='folder with visible/NAME.mp4 and infrared/NAME.mp4')
    add(parser, '--config', default='real_clips')
    parser.add_argument('--labels', type=Path, default=None, metavar='DIR',
                        help='folder with the boxes of people, NAME.gt.txt for each clip; the '
                             'detector writes what is missing (default: OUT/labels)')
    add(parser, '--detector',
        help='folder of PicoDet, from make picodet, for clips without labels')
    add(parser, '--out', required=True, help='folder to write to; shards go to DIR/train')
    parser.add_argument('--shards', type=count, default=4, metavar='N',
                        help='number of shards (default: %(default)s)')
    add(parser, '--frames', default=1000, help='frames for each shard (default: %(default)s)')
    parser.add_argument('--empty-clips', type=Path, default=None, metavar='DIR',
                        help='folder of the clips that the configuration names under empty, with '
                             'infrared/ and visible/ or with thermal videos alone (default: '
                             'without frames that show nobody)')
    parser.add_argument('--empty-shards', type=count, default=1, metavar='N',
                        help='number of shards of frames that show nobody, with '
                             '--empty-clips (default: %(default)s)')
    add(parser, '--size', default='256x192',
        help='size of the images in pixels; the default is that of rtrack-nano (default: '
             '%(default)s)')
    add(parser, '--seed', default=SEED, help='seed of the first frame (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Compose and write; returns the exit status."""
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.files import alone_in
    from rtrack_ros.training.composites.assets import build_assets
    from rtrack_ros.training.composites.clips import read_settings
    from rtrack_ros.training.composites.detector import PersonDetector
    from rtrack_ros.training.composites.empty_frames import read_empty_frames, write_empty_shard
    from rtrack_ros.training.composites.shards import write_real_shard
    from rtrack_ros.training.configs import find_config

    detector = None if args.detector is None else PersonDetector(args.detector)
    settings = read_settings(find_config(args.config))
    empty = (read_empty_frames(args.empty_clips, settings, detector) if args.empty_clips
             else ())
    assets = build_assets(args.clips, settings, args.labels or args.out / 'labels', detector,
                          args.seed)
    print(f'{sum(map(len, assets.cutouts))} people cut out, {len(assets.places)} places')
    more = args.empty_shards if empty else 0
    with alone_in(args.out):
        for number in progress(range(args.shards), 'composing', args.shards):
            write_real_shard(args.out / 'train', number, args.seed, args.frames, args.size,
                             assets)
        for number in range(args.shards, args.shards + more):
            write_empty_shard(args.out / 'train', number, args.seed, args.frames, args.size,
                              empty)
    if empty:
        print(f'{len(empty)} frames show nobody; {more} of the shards are drawn from them')
    print(f'wrote {args.shards + more} shards to {args.out / "train"}')
    return 0
