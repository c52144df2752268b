"""``rtrack benchmark outage``: a played scene whose detector dies, returns, and is resized."""

import argparse

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add
from rtrack_ros.commands.scratch import scratch_folder


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'outage', help='a played scene whose detector dies, returns, and is resized',
        description='Play a scene to the real node with a detector beside it that is well, dies, '
                    'comes back, and at last looks at an image of twice the size. Then without a '
                    'detector. Scores of each phase, and what the node said.')
    add(parser, '--seconds', default=32.0, help='length of the scene (default: %(default)g)')
    add(parser, '--seed', '--engine', '--json')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.outage import as_dict, outage_table, run_outage
    from rtrack_ros.commands.results import Results
    from rtrack_ros.evaluation.metrics.hota import require_trackeval
    from rtrack_ros.playback.play import require_ros
    from rtrack_ros.playback.processes import ProcessFailure

    require_trackeval()
    parameters = {'engine.name': args.engine} if args.engine else {}
    try:
        require_ros()
        with scratch_folder('outage') as folder:
            found = run_outage(folder, args.seconds, args.seed, parameters)
    except ProcessFailure as error:
        raise CommandError(str(error)) from error
    results = Results(args.json)
    results.show(outage_table(found))
    results.json(as_dict(found))
    return 0
