"""Options shared by the commands that replay recordings in virtual time."""

import argparse
from typing import TYPE_CHECKING

from rtrack_ros.commands import HELD_OUT_SEED, CommandError, positive

if TYPE_CHECKING:
    from rtrack_ros.evaluation.streaming.latency import LatencyProfile
    from rtrack_ros.evaluation.streaming.protocol import OwnCost

PROFILE = 'orin-qwen3vl-2b-int4'


def add_scene_arguments(parser: argparse.ArgumentParser, scenes: int) -> None:
    """Add which held-out simulated scenes to replay; ``scenes`` is the default number."""
    parser.add_argument('--scenes', type=int, default=scenes, help=f'default: {scenes}')
    parser.add_argument('--seed', type=int, default=HELD_OUT_SEED,
                        help='seed of the first scene; tune on seeds below the default')
    parser.add_argument('--seconds', type=positive, default=12.0, help='length of a scene')
    parser.add_argument('--sentences', type=int, default=3, help='per scene (default: 3)')


def add_own_cost(parser: 'argparse._ActionsContainer') -> None:
    """Add what the tracker's own work is charged with."""
    parser.add_argument('--own-cost-ms', type=float, default=None, metavar='MS',
                        help='charge every call of a method with this instead of the processor '
                             'time it takes, for results that are the same everywhere')


def own_cost(args: argparse.Namespace) -> 'OwnCost':
    """Return what ``--own-cost-ms`` says, measured processor time without it."""
    from rtrack_ros.evaluation.streaming.protocol import FixedTime, ProcessorTime

    return ProcessorTime() if args.own_cost_ms is None else FixedTime(args.own_cost_ms * 1e-3)


def read_profile(text: str) -> 'LatencyProfile':
    """Return the latency profile of ``--profile``.

    Raises:
        CommandError: there is none of this name; the message lists them.
    """
    from rtrack_ros.evaluation.streaming.latency import parse_profile

    try:
        return parse_profile(text)
    except ValueError as error:
        raise CommandError(f'--profile: {error}') from error
