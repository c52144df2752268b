"""``rtrack benchmark pipeline``: the whole node where processor time is scarce."""

import argparse
from typing import TYPE_CHECKING, Final

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_parts, add_server
from rtrack_ros.commands.interruption import interrupted_by_sigterm
from rtrack_ros.commands.model import node_parameters
from rtrack_ros.commands.scratch import scratch_folder

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.pipeline.benchmark import Found, Plan

PARTS: Final = ('shares', 'tracks', 'model', 'soak')
WAYS: Final = ('ours', 'common')
_LEAST: Final = 5.0


def share(text: str) -> float:
    """Return a share from 0 to 1 of a number of percent, for ``argparse``."""
    value = float(text)
    if not _LEAST <= value <= 100:
        raise argparse.ArgumentTypeError(f'{text} is not between {_LEAST:g} and 100')
    return value / 100


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'pipeline', help='age of boxes, losses and scores where processor time is scarce',
        description='Play scenes at 30 Hz to the real node, which gets a share of every core '
                    'alone: the cameras and the recorder have no limit. Says for each play how '
                    'old the newest array is that a robot sees, how many images were dropped, '
                    'and streaming HOTA, beside the common ROS way (ApproximateTime and a model '
                    'that is waited for). shares: with the model, by share. tracks: true answers '
                    'half a second late in place of the model, by number of tracks and share. '
                    'model: without a limit, the model beside one that takes no time. soak: for '
                    'long under a share, with the memory. Every figure that was '
                    'to reach something is told with yes or NO. Ctrl-C keeps what was measured.')
    add_parts(parser, PARTS)
    parser.add_argument('--shares', nargs='+', type=share, default=[1.0, 0.6, 0.4],
                        metavar='PERCENT', help='shares of every core (default: 100 60 40)')
    add(parser, '--track-counts')
    parser.add_argument('--ways', nargs='+', choices=WAYS, default=list(WAYS),
                        help='the node, and the common way (default: both)')
    add(parser, '--seconds', default=20.0, help='length of each play (default: %(default)g)')
    add(parser, '--soak')
    parser.add_argument('--soak-share', type=share, default=0.6, metavar='PERCENT',
                        help='share of every core in the part soak (default: 60)')
    add(parser, '--engine', help='parameter engine.name of the node (default: %(default)s)')
    add(parser, '--model', help='parameter engine.model of the node, a folder or the URL of a '
                                'server (default: the model of the package)')
    add(parser, '--json')
    add(parser, '--plot')
    add_server(parser)
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure the chosen parts, print tables, write JSON and plot; returns the exit status."""
    from rtrack_ros.benchmarks.pipeline.benchmark import Found, Plan
    from rtrack_ros.evaluation.metrics.hota import require_trackeval
    from rtrack_ros.playback.play import require_ros
    from rtrack_ros.playback.processes import ProcessFailure

    found, stopped = Found(), False
    plan = Plan(args.parts, args.shares, args.track_counts, args.ways, args.seconds,
                args.soak * 60, args.soak_share, node_parameters(args))
    try:
        require_ros()
        require_trackeval()
        with interrupted_by_sigterm():
            _measure(plan, found)
    except ProcessFailure as error:
        if not found.plays:
            raise CommandError(str(error)) from error
        _report(args, found)
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        if not found.plays:
            raise
        stopped = True
    _report(args, found)
    return 130 if stopped or found.interrupted else 0


def _measure(plan: 'Plan', found: 'Found') -> None:
    from rtrack_ros.benchmarks.pipeline.benchmark import measure
    from rtrack_ros.commands.terminal import progress_bar

    with scratch_folder('pipeline', recordings=('scene', 'crowd')) as folder, \
            progress_bar() as bar:
        tasks = {}

        def tick(name: str, elapsed_s: float, length_s: float) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=length_s)
            bar.update(tasks[name], completed=elapsed_s)
        measure(plan, folder, found, tick)


def _report(args: argparse.Namespace, found: 'Found') -> None:
    from rtrack_ros.benchmarks.pipeline.benchmark import benchmark_record
    from rtrack_ros.benchmarks.pipeline.tables import play_table, soak_lines
    from rtrack_ros.commands.results import Results

    results = Results(args.json)
    for title, plays in (('with the model, by share of every core', found.shares),
                         ('true answers half a second late, by tracks', found.tracks),
                         ('without a limit', found.model),
                         ('soak', {} if found.soak is None else {'soak': found.soak})):
        if plays:
            results.show(play_table(f'{title}; ms', plays))
    if found.soak is not None:
        results.show(*soak_lines(found.soak, found.trend))
    results.show(*map(str, found.checks()))
    results.json(benchmark_record(found))
    if args.plot is not None and found.shares:
        from rtrack_ros.benchmarks.pipeline.plots import share_plot
        results.write(args.plot, share_plot(list(found.shares.values())))
