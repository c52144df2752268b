"""``rtrack simulate``: write scenes of the simulated world, with their truth."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError, positive

if TYPE_CHECKING:
    from rtrack_ros.simulation import Scene

FORMATS = ('refrt', 'bag', 'video')


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'simulate', help='write a simulated RGB-thermal scene with its truth',
        description='Write a scene of the simulated world: people, cars and cyclists in RGB and '
                    'thermal, with boxes, identities and sentences. The seed fixes everything.')
    parser.add_argument('--seed', type=int, required=True, metavar='N')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR')
    parser.add_argument('--seconds', type=positive, default=10.0)
    parser.add_argument('--place', choices=('road', 'yard'), default=None,
                        help='default: chosen by the seed')
    parser.add_argument('--conditions', type=_names, default=None, metavar='NAME,...',
                        help='shown one after another: day, dusk, night, smoke, glare, crossover '
                             '(default: one, chosen by the seed)')
    parser.add_argument('--format', type=_formats, default=('refrt', 'bag'), metavar='NAME,...',
                        help='refrt (folders DIR/train/...), bag (DIR/bag, rosbag2 mcap), video '
                             '(DIR/video); default: refrt,bag')
    parser.add_argument('--fps', type=int, default=30)
    parser.add_argument('--size', type=_size, default=(640, 480), metavar='WxH')
    parser.add_argument('--thermal-size', type=_size, default=(320, 240), metavar='WxH')
    parser.add_argument('--split', default='train', help='name of the split for refrt')
    faults = parser.add_argument_group('faults of the sensors, for bag')
    faults.add_argument('--jitter-ms', type=float, default=0.0, help='stamps off by up to this')
    faults.add_argument('--offset-ms', type=float, default=0.0, help='lag of thermal stamps')
    faults.add_argument('--drop-thermal', type=_span, action='append', default=[],
                        metavar='FROM-TO', help='seconds without thermal; may be repeated')
    faults.add_argument('--drop-rgb', type=_span, action='append', default=[], metavar='FROM-TO')
    faults.add_argument('--thermal-every', type=int, default=1, metavar='N',
                        help='record every n-th thermal image: 3 makes a 10 Hz camera of 30 Hz')


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(',') if name.strip())


def _formats(text: str) -> tuple[str, ...]:
    names = _names(text)
    if not names or not set(names) <= set(FORMATS):
        raise argparse.ArgumentTypeError(f"'{text}': choose from {', '.join(FORMATS)}")
    return names


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    if not (width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 16):
        raise argparse.ArgumentTypeError(f"'{text}': write it like 640x480, at least 16x16")
    return int(width), int(height)


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
    from rtrack_ros.commands.terminal import console
    from rtrack_ros.simulation import make_scene

    if args.fps < 1 or args.thermal_every < 1:
        raise CommandError('--fps and --thermal-every must be at least 1')
    try:
        scene = make_scene(args.seed, args.seconds, args.place, args.conditions, args.fps,
                           args.size, args.thermal_size)
    except ValueError as error:
        raise CommandError(str(error)) from error
    written = [_write(name, scene, args) for name in args.format]
    output = console()
    output.print(_expression_table(scene))
    for path in written:
        output.print(f'wrote {path}', soft_wrap=True)
    return 0


def _write(name: str, scene: 'Scene', args: argparse.Namespace) -> Path:
    """Write one format and return where it lies."""
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.data.rendering import render_frames

    frames = progress(render_frames(scene), name, len(scene))
    if name == 'refrt':
        from rtrack_ros.data.refrt import write_refrt
        return write_refrt(scene, args.out, split=args.split, frames=frames)[0].parent
    if name == 'video':
        from rtrack_ros.data.scene_video import write_video
        return write_video(args.out / 'video', scene, frames=frames)
    from rtrack_ros.data.scene_bag import write_bag
    write_bag(args.out / 'bag', scene, jitter_ms=args.jitter_ms, offset_ms=args.offset_ms,
              drop_thermal=args.drop_thermal, drop_rgb=args.drop_rgb,
              thermal_every=args.thermal_every, frames=frames)
    return Path(args.out / 'bag')


def _expression_table(scene: 'Scene') -> object:
    from rich.table import Table

    table = Table(title=f'{scene.place}, {len(scene)} frames, {", ".join(scene.conditions)}',
                  title_justify='left', header_style='bold')
    for name in ('sentence', 'kind'):
        table.add_column(name)
    table.add_column('frames with somebody', justify='right')
    for expression in scene.expressions:
        table.add_row(expression.text, expression.kind, str(sum(map(bool, expression.ids))))
    return table
