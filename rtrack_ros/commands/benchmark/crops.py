"""``rtrack benchmark crops``: what crops and shared encodings are worth to a model."""

import argparse
from typing import Final

from rtrack_ros.commands.arguments import add, add_server

TUNING_SEED: Final = 9_400_000
"""First scene seed: the outcome decides on settings, so that held-out scenes stay untouched."""


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'crops', help='whether a model gains from crops, and an engine from shared encodings',
        description='Ask the model about whole images and about crops around the objects that a '
                    'sentence means, and score both on the whole image. Then ask several '
                    'sentences about one pair, each with images of its own and all with one '
                    'encoding. The result says whether "crops": true belongs into rtrack.json of '
                    'the model. Times are processor times.')
    add(parser, '--model', '--engine')
    add(parser, '--scenes', default=8)
    add(parser, '--seed', default=TUNING_SEED,
        help='seed of the first scene; not a held-out one, because the result decides on a '
             'setting (default: %(default)s)')
    add(parser, '--sentences', default=4, help='sentences for each frame (default: %(default)s)')
    add(parser, '--json')
    add_server(parser)
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.crops import crops_table, run_crops, run_sharing, sharing_line
    from rtrack_ros.commands.model import opened_engine
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress

    with opened_engine(args) as engine:
        crops = run_crops(engine, args.scenes, args.seed, args.sentences, progress)
        sharing = run_sharing(engine, args.scenes, args.seed, args.sentences, progress)
    results = Results(args.json)
    results.show(crops_table(crops), sharing_line(sharing))
    results.json({'crops': crops, 'sharing': sharing})
    return 0
