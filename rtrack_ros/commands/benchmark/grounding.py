"""``rtrack benchmark grounding``: how well a model answers, and what each sensor is worth."""

import argparse
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_server

if TYPE_CHECKING:
    from pathlib import Path


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'grounding', help='F1 of single answers, with both sensors and with each one blanked',
        description='Ask the model about frames of held-out simulated scenes and score its boxes '
                    'at IoU 0.5, by condition and by kind of sentence. Then do the same with the '
                    'thermal image blanked, and with the RGB image blanked.')
    add(parser, '--model', '--engine')
    add(parser, '--scenes', default=40, help='simulated scenes; the model is asked about one '
                                             'frame of each condition (default: %(default)s)')
    add(parser, '--seed')
    add(parser, '--sentences', default=2, help='sentences for each frame (default: %(default)s)')
    add(parser, '--refine', '--deadline', '--json')
    add(parser, '--negations', '--split-sentences')
    parser.add_argument('--write-accuracy', action='store_true',
                        help='write how far the answers can be trusted into rtrack.json of the '
                             'model, for the tracker; measure it as the model will be asked')
    add_server(parser)
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.grounding import grounding_table, latency_line, run_grounding
    from rtrack_ros.commands.model import opened_engine
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress

    folder = _accuracy_folder(args) if args.write_accuracy else None
    with opened_engine(args) as engine:
        figures = run_grounding(engine, args.scenes, args.seed, args.sentences, args.deadline,
                                args.refine, progress, args.negations, args.split_sentences)
    results = Results(args.json)
    results.show(grounding_table(figures), latency_line(figures))
    results.json(figures)
    if folder is not None:
        results.wrote(_write_accuracy(folder, figures))
    return 0


def _accuracy_folder(args: argparse.Namespace) -> 'Path':
    """Return the folder with the rtrack.json of the model that is measured."""
    from rtrack_ros.commands.model import is_served, model_folder

    if is_served(args) and args.manifest is None:
        raise CommandError('--write-accuracy has nowhere to write for a server; give a folder '
                           'with an rtrack.json of its model as --manifest')
    return args.manifest if is_served(args) else model_folder(args)


def _write_accuracy(folder: 'Path', figures: dict[str, Any]) -> 'Path':
    from dataclasses import replace

    from rtrack_ros.accuracy import AnswerAccuracy
    from rtrack_ros.engines.families import read_manifest
    from rtrack_ros.engines.manifest import MANIFEST_NAME

    if 'accuracy' not in figures:
        raise CommandError('too few boxes were right to measure the accuracy; nothing was '
                           'written. Give more --scenes')
    manifest = read_manifest(folder)
    replace(manifest, accuracy=AnswerAccuracy(**figures['accuracy'])).write(folder)
    return folder / MANIFEST_NAME
