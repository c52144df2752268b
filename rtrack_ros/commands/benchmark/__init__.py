"""``rtrack benchmark``: measure what the README claims, with baselines in the same run."""

import argparse

from rtrack_ros.commands.benchmark import (
    box,
    calibration,
    clip,
    cost,
    crops,
    engine,
    flood,
    grounding,
    intake,
    learning,
    outage,
    pipeline,
    tasks,
    tracking,
)


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'benchmark', help='measure model and tracker',
        description='Measure the model and the tracker, each time beside baselines.')
    subjects = parser.add_subparsers(dest='subject', metavar='SUBJECT', required=True)
    for module in (grounding, engine, intake, tracking, clip, box, cost, learning, crops,
                   calibration, tasks, flood, outage, pipeline):
        module.add_parser(subjects)


def run(args: argparse.Namespace) -> int:
    """Measure the chosen subject; returns the exit status."""
    return int(args.measure(args))
