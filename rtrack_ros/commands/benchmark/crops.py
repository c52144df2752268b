"""``rtrack benchmark crops``: what crops and shared encodings are worth to a model."""

import argparse
import json
from pathlib import Path

from rtrack_ros.commands import CommandError

TUNING_SEED = 9_400_000
"""First scene seed: the outcome decides on settings, so that held-out scenes stay untouched."""


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'crops', help='whether a model gains from crops, and an engine from shared encodings',
        description='Ask about whole images and about crops around what is meant, and score both '
                    'on the whole image; then ask several sentences about one pair, apart and '
                    'with one encoding. Says whether "crops": true belongs into rtrack.json of '
                    'the model. Times are processor times.')
    parser.add_argument('--model', type=Path, default=None, metavar='DIR',
                        help='model folder (default: the model of the package)')
    parser.add_argument('--engine', default='auto')
    parser.add_argument('--scenes', type=int, default=8, help='default: 8')
    parser.add_argument('--seed', type=int, default=TUNING_SEED)
    parser.add_argument('--sentences', type=int, default=4,
                        help='sentences per frame (default: 4)')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.crops import run_crops, run_sharing, show_asking
    from rtrack_ros.engines.registry import default_model, load_engine

    if args.scenes < 1 or args.sentences < 1:
        raise CommandError('--scenes and --sentences must be at least 1')
    engine = load_engine(args.engine, args.model or default_model())
    try:
        crops = run_crops(engine, args.scenes, args.seed, args.sentences)
        sharing = run_sharing(engine, args.scenes, args.seed, args.sentences)
    finally:
        engine.close()
    show_asking(crops, sharing)
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({'crops': crops, 'sharing': sharing}, indent=2) + '\n')
        print(f'wrote {args.json}')
    return 0
