"""Tracking a whole data set on several processes or machines, for the commands that do."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands.arguments import add

if TYPE_CHECKING:
    from rtrack_ros.data.annotated import AnnotatedSequence


def add_spreading(parser: 'argparse._ActionsContainer') -> None:
    """Add the options that say where a set is tracked."""
    add(parser, '--workers', help='processes that track the pairs of a set, each with a model of '
                                  'its own in memory (default: %(default)s)')
    add(parser, '--ray')


def track_all(args: argparse.Namespace, sequences: 'Sequence[AnnotatedSequence]', sensors: str,
              folder: Path) -> dict[str, str]:
    """Track the pairs of a set that have no tracks yet; return what failed, by name of the pair.

    Raises:
        CommandError: options of a server are given, and no server.
        EngineError: the model cannot be loaded, or there is no such cluster.
        ProvenanceError: the folder holds tracks from other inputs.
    """
    from rtrack_ros.commands.model import model_place, server_options
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.evaluation.sets.spread import open_pool, spread
    from rtrack_ros.evaluation.sets.workers import TrackingJob

    place = model_place(args)
    job = TrackingJob(place if isinstance(place, str) else place.resolve(), args.engine,
                      server_options(args), args.refine, sensors)
    ticks = iter(progress(range(len(sequences)), sensors, len(sequences)))
    failed = spread(sequences, job, args.set, folder,
                    partial(open_pool, workers=args.workers, ray=args.ray),
                    lambda: next(ticks, None))
    next(ticks, None)  # the bar ends
    return failed


def failures_as_text(failed: dict[str, str], of: int) -> list[str]:
    """Return lines that name the pairs without tracks, none where there are all."""
    if not failed:
        return []
    return [f'{len(failed)} of {of} pairs failed; the same command tries them again:',
            *(f'  {name}: {" ".join(why.split())[:300]}' for name, why in failed.items())]
