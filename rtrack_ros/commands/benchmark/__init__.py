"""``rtrack benchmark``: measure what the README claims, with baselines in the same run."""

import argparse
import json
from pathlib import Path

from rtrack_ros.commands import (
    HELD_OUT_SEED,
    add_refine,
    positive,
)
from rtrack_ros.commands.benchmark import calibration, clip, cost, crops, learning, tasks, tracking


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser('benchmark', help='measure the model on held-out scenes')
    subjects = parser.add_subparsers(dest='subject', metavar='SUBJECT', required=True)
    _add_grounding(subjects)
    for module in (tracking, clip, cost, learning, crops, calibration, tasks):
        module.add_parser(subjects)


def _add_grounding(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    grounding = subjects.add_parser(
        'grounding', help='F1 of single answers, with both sensors and with each one blanked',
        description='Ask the model about frames of held-out simulated scenes and score its boxes '
                    'at IoU 0.5, by condition and kind of sentence; then again with the thermal '
                    'and with the RGB image blanked.')
    grounding.add_argument('--model', type=Path, default=None, metavar='DIR',
                           help='model folder (default: the model of the package)')
    grounding.add_argument('--engine', default='auto')
    grounding.add_argument('--scenes', type=int, default=40, help='default: 40')
    grounding.add_argument('--seed', type=int, default=HELD_OUT_SEED)
    grounding.add_argument('--sentences', type=int, default=2,
                           help='sentences per frame, one frame per condition and scene')
    add_refine(grounding)
    grounding.add_argument('--deadline', type=positive, default=30.0, metavar='S')
    grounding.add_argument('--json', type=Path, default=None, metavar='FILE')
    grounding.set_defaults(measure=_run_grounding)


def run(args: argparse.Namespace) -> int:
    """Measure the chosen subject; returns the exit status."""
    return int(args.measure(args))


def _run_grounding(args: argparse.Namespace) -> int:
    from rtrack_ros.benchmarks.grounding import run_grounding, show_grounding
    from rtrack_ros.engines.registry import default_model, load_engine

    engine = load_engine(args.engine, args.model or default_model())
    try:
        result = run_grounding(engine, args.scenes, args.seed, args.sentences, args.deadline,
                               args.refine)
    finally:
        engine.close()
    show_grounding(result)
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=2) + '\n')
        print(f'wrote {args.json}')
    return 0
