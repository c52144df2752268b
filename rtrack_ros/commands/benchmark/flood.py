"""``rtrack benchmark flood``: a played scene beside strangers who send everything at once."""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SCENE_S: Final = 20.0


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'flood', help='a played scene beside strangers who flood the node',
        description='Play a scene to the node alone, then again beside strangers who change 50 '
                    'sentences at 5 Hz, call describe_track at 10 Hz and initialize_track at 5 '
                    'Hz, and send an image bomb a second and malformed images at 20 Hz. Says '
                    'whether arrays still come at camera rate, the own sentence is answered at '
                    'least half as often, memory grows by less than a third, and the log stays '
                    'small. Ends '
                    'with 1 where one of these fails.')
    add(parser, '--seconds', default=1800.0,
        help='length of each of the two plays, in scenes of 20 s (default: %(default)g)')
    add(parser, '--engine', help='parameter engine.name of the node (default: %(default)s)')
    add(parser, '--json')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from dataclasses import asdict
    from functools import partial

    from rtrack_ros.benchmarks.cost.flood import lines, prepare, run_flood, verdict
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress_bar
    from rtrack_ros.playback.play import require_ros
    from rtrack_ros.playback.processes import ProcessFailure

    folder = Path(tempfile.mkdtemp(prefix='rtrack-flood-'))
    parameters = {'engine.name': args.engine} if args.engine else {}
    try:
        require_ros()
        bag = prepare(folder, min(SCENE_S, args.seconds))
        plays = []
        for name in ('alone', 'flooded'):
            with progress_bar() as bar:
                moved = partial(_move, bar, bar.add_task(name, total=args.seconds))
                plays.append(run_flood(
                    bag, min(SCENE_S, args.seconds), folder / name, parameters, args.seconds,
                    name == 'flooded', moved))
    except ProcessFailure as error:
        raise CommandError(str(error)) from error
    alone, flooded = plays
    results = Results(args.json)
    results.show(*lines(alone, flooded))
    results.json({'alone': asdict(alone), 'flooded': asdict(flooded)})
    shutil.rmtree(folder)
    return int(not all(holds for *_, holds in verdict(alone, flooded)))


def _move(bar: 'Progress', task: 'TaskID', elapsed: float) -> None:
    bar.update(task, completed=elapsed)
