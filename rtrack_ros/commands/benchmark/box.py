"""``rtrack benchmark box``: one target from its first box, beside a still box and MIL."""

import argparse
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_server

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.box.sequences import BoxSequence


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'box', help='one target from its first box, beside a still box and MIL',
        description='Follow one target at a time from its first box, as the service '
                    'initialize_track does: on held-out simulated scenes, and on real clips with '
                    'a box per frame. Beside a box that stays where it is, the MIL tracker of '
                    'OpenCV, and rtrack_ros without a model. Average overlap as GOT-10k counts '
                    'it, and the processor time of a frame without that of the model.')
    add(parser, '--clips',
        help='folder with videos of one camera, which stands for both, and beside '
             'each NAME.gt.txt with left,top,width,height per frame')
    add(parser, '--rgb', help='a further clip, by its RGB video or folder of images')
    add(parser, '--thermal')
    add(parser, '--truth', help='its boxes, left,top,width,height per frame')
    add(parser, '--fps')
    add(parser, '--frames', default=200, help='most frames of a clip (default: %(default)s)')
    add(parser, '--scenes-per-condition', default=2,
        help='scenes of each condition in which up to two targets are followed '
             '(default: %(default)s)')
    parser.add_argument('--no-scenes', action='store_true', help='follow targets in clips only')
    add(parser, '--seconds', default=4.0, help='length of a scene (default: %(default)g)')
    parser.add_argument('--no-model', action='store_true',
                        help='leave out the column with the model')
    add(parser, '--model', '--engine', '--seed', '--json')
    add_server(parser)
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Follow, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.box.benchmark import run_boxes
    from rtrack_ros.benchmarks.box.followers import makers
    from rtrack_ros.benchmarks.box.table import box_table
    from rtrack_ros.commands.model import opened_engine
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.language.locator import Locator

    sequences = _sequences(args)
    shown = progress(sequences, 'targets', len(sequences))
    if args.no_model:
        figures = run_boxes(shown, makers(None))
    else:
        with opened_engine(args) as engine:
            figures = {'model': engine.capabilities().model,
                       **run_boxes(shown, makers(Locator(engine)))}
    results = Results(args.json)
    results.show(box_table(figures))
    results.json(figures)
    return 0


def _sequences(args: argparse.Namespace) -> 'list[BoxSequence]':
    from rtrack_ros.benchmarks.box.sequences import clip_sequence, clips_in, held_out_targets

    if (args.rgb is None) != (args.truth is None):
        raise CommandError('a clip needs both, --rgb and --truth')
    found = [] if args.clips is None else clips_in(args.clips, args.frames)
    if args.rgb is not None:
        found.append(clip_sequence(args.rgb, args.thermal, args.truth, args.frames, args.fps))
    if not args.no_scenes:
        found += held_out_targets(args.scenes_per_condition, args.seed, args.seconds)
    if not found:
        raise CommandError('--no-scenes leaves nothing to follow; give clips with --clips')
    return found
