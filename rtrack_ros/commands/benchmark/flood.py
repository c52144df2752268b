"""``rtrack benchmark flood``: a played scene beside strangers who send everything at once."""

import argparse
import json
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add
from rtrack_ros.commands.scratch import scratch_folder

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.cost.flood import FloodRun
    from rtrack_ros.commands.results import Results

SCENE_S: Final = 20.0
_SAID_EVERY_S: Final = 30.0
_COMMAND: Final = 'rtrack benchmark flood'


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'flood', help='a played scene beside strangers who flood the node',
        description='Play a scene to the node alone, then again beside strangers who change 50 '
                    'sentences at 5 Hz, call describe_track at 10 Hz and initialize_track at 5 '
                    'Hz, and send an image bomb a second and malformed images at 20 Hz. Says '
                    'whether arrays still come at camera rate, the own sentence is answered at '
                    'least half as often, memory grows by less than a third, and the log stays '
                    'small. Ends with 1 where one of these fails. A line every 30 s says how far '
                    'it is; after Ctrl-C the tables show what was seen until then. With --out a '
                    'play that was finished is not played again.')
    add(parser, '--seconds', default=1800.0,
        help='length of the play with strangers, in scenes of 20 s (default: %(default)g)')
    parser.add_argument('--alone-seconds', type=float, metavar='S',
                        help='length of the play without (default: as long, at most 300)')
    parser.add_argument('--strangers-nice', type=int, default=19, metavar='N',
                        help='niceness of the strangers, who are on other machines in truth: with '
                             '19 they take what the node leaves, with 0 they fight it for the '
                             'processor (default: %(default)s)')
    add(parser, '--engine', help='parameter engine.name of the node (default: %(default)s)')
    add(parser, '--out', metavar='DIR', type=Path,
        help='keep recordings, logs and results of each play here')
    add(parser, '--json')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.commands.results import Results
    from rtrack_ros.playback.play import require_ros
    from rtrack_ros.playback.processes import ProcessFailure

    results = Results(args.json)
    plays: dict[str, FloodRun] = {}
    try:
        require_ros()
        # The nodes run in folders of their own.
        with nullcontext(args.out) if args.out else scratch_folder('flood', ('scene',)) as folder:
            _play_both(args, folder.absolute(), plays)
    except ProcessFailure as error:
        _show(plays, results)
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        _show(plays, results)
        raise
    return _show(plays, results)


def _play_both(args: argparse.Namespace, folder: Path, plays: 'dict[str, FloodRun]') -> None:
    """Play without strangers, then with them; what is seen goes into ``plays`` all the time."""
    from rtrack_ros.benchmarks.cost.flood import FloodPlay, FloodRun, prepare
    from rtrack_ros.output_folder import OutputFolder

    alone_s = args.alone_seconds or min(args.seconds, 300.0)
    bag: Path | None = None
    for name, seconds, niceness in (('alone', alone_s, None),
                                    ('flooded', args.seconds, args.strangers_nice)):
        kept, asked = folder / f'{name}.json', [seconds, niceness, args.engine]
        known = _kept(kept)
        if known and known['asked'] == asked:
            plays[name] = FloodRun(**known['run'])
            continue
        scene_s = min(SCENE_S, args.seconds)
        if bag is None:
            with OutputFolder(folder / 'scene', _COMMAND, ('drawn',)) as scene:
                (scene.path / 'drawn').mkdir()
                bag = prepare(scene.path / 'drawn', scene_s)
        with OutputFolder(folder / name, _COMMAND, ('play',)) as made:
            play = FloodPlay(bag, scene_s, made.path / 'play', {
                'engine.name': args.engine} if args.engine else {}, seconds, niceness)
            plays[name] = play.run(_Teller(name, plays))
        kept.write_text(json.dumps({'asked': asked, 'run': asdict(plays[name])}))


class _Teller:
    """Keeps what a play has shown so far, and says it now and then."""

    def __init__(self, name: str, plays: 'dict[str, FloodRun]') -> None:
        self._name, self._plays, self._said = name, plays, time.monotonic()

    def __call__(self, so_far: 'FloodRun') -> None:
        from rtrack_ros.benchmarks.cost.flood_verdict import line
        self._plays[self._name] = so_far
        if time.monotonic() - self._said >= _SAID_EVERY_S:
            self._said = time.monotonic()
            print(line(self._name, so_far), file=sys.stderr, flush=True)


def _kept(path: Path) -> dict[str, Any] | None:
    """Return what an earlier run found; None where there is nothing readable."""
    try:
        return dict(json.loads(path.read_text(encoding='utf-8')))
    except (OSError, ValueError):
        return None


def _show(plays: 'dict[str, FloodRun]', results: 'Results') -> int:
    """Show what was seen; returns the exit status, 1 where a promise fails or a play lacks."""
    from rtrack_ros.benchmarks.cost.flood_verdict import line, tables, verdict

    results.json({name: asdict(run) for name, run in plays.items()})
    if len(plays) < 2:
        results.show(*(line(name, run) for name, run in plays.items()))
        return 1
    alone, flooded = plays['alone'], plays['flooded']
    results.show(*tables(alone, flooded))
    return int(not (flooded.whole and all(item.holds for item in verdict(alone, flooded))))
