"""``rtrack simulate``: write scenes of the simulated world, with their truth."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, count, image_size, names

if TYPE_CHECKING:
    from rtrack_ros.simulation import Scene

FORMATS = ('refrt', 'bag', 'video')


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'simulate', help='write a simulated RGB-thermal scene with its truth',
        description='Write a scene of the simulated world: people, cars and cyclists in RGB and '
                    'thermal, with boxes, identities and sentences. The seed fixes everything.')
    add(parser, '--seed', default=None, required=True,
        help='seed of the scene; the same seed gives the same scene')
    add(parser, '--out', required=True)
    add(parser, '--seconds', default=10.0)
    parser.add_argument('--place', choices=('road', 'yard'), default=None,
                        help='where the scene is (default: chosen by the seed)')
    parser.add_argument('--conditions', type=names, default=None, metavar='NAME,...',
                        help='light and weather, one after another: day, dusk, night, smoke, '
                             'glare, crossover (default: one, chosen by the seed)')
    parser.add_argument('--format', type=_formats, default='refrt,bag', metavar='NAME,...',
                        help='what to write: refrt (folders DIR/train/...), bag (DIR/bag, '
                             'rosbag2 mcap), video (DIR/video) (default: %(default)s)')
    add(parser, '--fps', type=count, default=30,
        help='images per second (default: %(default)s)')
    add(parser, '--size')
    parser.add_argument('--thermal-size', type=image_size, default='320x240', metavar='WxH',
                        help='size of the thermal images in pixels (default: %(default)s)')
    parser.add_argument('--split', default='train', metavar='NAME',
                        help='name of the split, for refrt (default: %(default)s)')
    faults = parser.add_argument_group('faults of the sensors, for bag')
    faults.add_argument('--jitter-ms', type=float, default=0.0, metavar='MS',
                        help='stamps are wrong by up to this (default: %(default)g)')
    faults.add_argument('--offset-ms', type=float, default=0.0, metavar='MS',
                        help='stamps of thermal images are late by this (default: %(default)g)')
    faults.add_argument('--drop-thermal', type=_span, action='append', default=[],
                        metavar='FROM-TO', help='seconds without thermal images; may be repeated')
    faults.add_argument('--drop-rgb', type=_span, action='append', default=[], metavar='FROM-TO',
                        help='seconds without RGB images; may be repeated')
    faults.add_argument('--thermal-every', type=count, default=1, metavar='N',
                        help='record every n-th thermal image: 3 makes a 10 Hz camera of 30 Hz '
                             '(default: %(default)s)')


def _formats(text: str) -> tuple[str, ...]:
    formats = names(text)
    if not formats or not set(formats) <= set(FORMATS):
        raise argparse.ArgumentTypeError(f"'{text}': choose from {', '.join(FORMATS)}")
    return formats


def _span(text: str) -> tuple[float, float]:
    begin, _, end = text.partition('-')
    try:
        span = float(begin), float(end)
    except ValueError:
        span = 0.0, 0.0
    if not span[0] < span[1]:
        raise argparse.ArgumentTypeError(f"'{text}': write it like 3.5-6, in seconds")
    return span


def run(args: argparse.Namespace) -> int:
    """Write the scene and say what is in it; returns the exit status."""
    from rtrack_ros.commands.results import Results
    from rtrack_ros.evaluation.report.scene_table import scene_table
    from rtrack_ros.simulation import make_scene

    try:
        scene = make_scene(args.seed, args.seconds, args.place, args.conditions, args.fps,
                           args.size, args.thermal_size)
    except ValueError as error:
        raise CommandError(str(error)) from error
    written = [_write(name, scene, args) for name in args.format]
    results = Results()
    results.show(scene_table(scene))
    for path in written:
        results.wrote(path)
    return 0


def _write(name: str, scene: 'Scene', args: argparse.Namespace) -> Path:
    """Write one format and return where it lies."""
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.data.rendering import render_frames

    frames = progress(render_frames(scene), name, len(scene))
    if name == 'refrt':
        from rtrack_ros.data.refrt_folder import write_refrt
        return write_refrt(scene, args.out, split=args.split, frames=frames)[0].parent
    if name == 'video':
        from rtrack_ros.data.scene_video import write_video
        return write_video(args.out / 'video', scene, frames=frames)
    from rtrack_ros.data.scene_bag import write_bag
    write_bag(args.out / 'bag', scene, jitter_ms=args.jitter_ms, offset_ms=args.offset_ms,
              drop_thermal=args.drop_thermal, drop_rgb=args.drop_rgb,
              thermal_every=args.thermal_every, frames=frames)
    return Path(args.out / 'bag')
