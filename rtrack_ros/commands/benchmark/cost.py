"""``rtrack benchmark cost``: processor time, delay and memory, beside the common ROS way."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_parts, add_server, count, image_size
from rtrack_ros.commands.model import node_parameters
from rtrack_ros.commands.scratch import scratch_folder

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.cost.benchmark import Cell
    from rtrack_ros.benchmarks.cost.live import LiveCost, Scene

PARTS = ('pairs', 'live', 'soak')
LIVE_SCENE_S = 20.0
"""Seconds of the scene that is played over and over; a bag of it takes 0.6 GB."""


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'cost', help='processor time per pair, stamp-to-publish delay, memory over a soak',
        description='Three parts. pairs: processor time of one pair by stage, on one core, by '
                    'image size, tracks and queries, beside the common ROS way (ApproximateTime, '
                    'cv_bridge, ByteTrack on every frame) on the same frames. live: time from '
                    'image stamp to published array through the real node over DDS at 30 Hz, '
                    'with the model that answers all the time and with a scripted one. soak: the '
                    'same for a long time, with the memory of the node. Ctrl-C keeps what was '
                    'measured.')
    add_parts(parser, PARTS)
    add(parser, '--soak')
    parser.add_argument('--sizes', nargs='+', type=image_size, default=[(640, 480), (1280, 720)],
                        metavar='WxH', help='sizes of the images (default: 640x480 1280x720)')
    add(parser, '--track-counts')
    parser.add_argument('--query-counts', nargs='+', type=count, default=[1, 3, 10],
                        metavar='N', help='numbers of active sentences (default: 1 3 10)')
    add(parser, '--frames', default=120,
        help='frame pairs for each combination; the first 20 warm up (default: %(default)s)')
    add(parser, '--seconds', default=40.0,
        help='length of each play of the part live (default: %(default)g)')
    add(parser, '--engine', help='parameter engine.name of the node (default: %(default)s)')
    add(parser, '--model', help='parameter engine.model of the node, a folder or the URL of a '
                                'server (default: the model of the package)')
    add(parser, '--json')
    add(parser, '--plot')
    add_server(parser)
    parser.set_defaults(measure=measure)


def measure(args: argparse.Namespace) -> int:
    """Measure the chosen parts, print tables, write JSON and plot if asked."""
    from rtrack_ros.playback.play import require_ros
    from rtrack_ros.playback.processes import ProcessFailure

    cells: list[Cell] = []
    plays: dict[str, LiveCost] = {}
    stopped = False
    try:
        require_ros()
        _measure_all(args, cells, plays)
    except ProcessFailure as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        if not cells and not plays:
            raise
        stopped = True
    stopped = stopped or any(cost.interrupted for cost in plays.values())
    _report(args, cells, plays, plays.pop('soak', None))
    return 130 if stopped else 0


def _report(args: argparse.Namespace, cells: 'list[Cell]', plays: 'dict[str, LiveCost]',
            soak: 'LiveCost | None') -> None:
    from rtrack_ros.benchmarks.cost.benchmark import benchmark_record, growth, pairing_quality
    from rtrack_ros.benchmarks.cost.tables import lines, live_table, pair_table
    from rtrack_ros.commands.results import Results

    results = Results(args.json)
    if cells:
        results.show(pair_table(cells))
    shown = plays if soak is None else plays | {'soak': soak}
    if shown:
        results.show(live_table(shown))
    results.show(*lines(cells, growth(cells), pairing_quality() if cells else {}, soak))
    if args.json is not None:
        results.json(benchmark_record(cells, plays, soak))
    if args.plot is not None:
        from rtrack_ros.benchmarks.cost.plots import cost_plot
        results.write(args.plot, cost_plot(cells, plays, soak))


def _measure_all(args: argparse.Namespace, cells: 'list[Cell]', plays: 'dict[str, LiveCost]'
                 ) -> None:
    """Measure the chosen parts into ``cells`` and ``plays``, which keep it when interrupted."""
    if 'pairs' in args.parts:
        for cell in _cells(args):
            cells.append(cell)
    wanted = [('model', args.seconds), ('scripted', args.seconds)] if 'live' in args.parts else []
    if 'soak' in args.parts and args.soak > 0:
        wanted.append(('soak', args.soak * 60))
    if wanted:
        _play_all(args, wanted, plays)


def _cells(args: argparse.Namespace) -> 'Iterator[Cell]':
    from rtrack_ros.benchmarks.cost.benchmark import measure_cells
    from rtrack_ros.benchmarks.cost.pair_cost import WARM_UP
    from rtrack_ros.commands.terminal import progress

    if args.frames <= WARM_UP:
        raise CommandError(f'--frames must be above {WARM_UP}, which warm up')
    cells = measure_cells(args.sizes, args.track_counts, args.query_counts, args.frames)
    total = len(args.sizes) * len(args.track_counts) * len(args.query_counts)
    return progress(cells, 'pairs', total)


def _play_all(args: argparse.Namespace, wanted: list[tuple[str, float]],
              plays: 'dict[str, LiveCost]') -> None:
    """Play for each (name, seconds) in turn; an interrupted play is the last one."""
    from rtrack_ros.benchmarks.cost.live import prepare_scene, scripted_answers

    with scratch_folder('cost', recordings=('scene',)) as folder:
        shortest = min(seconds for _, seconds in wanted)
        scene = prepare_scene(folder / 'scene', min(LIVE_SCENE_S, shortest))
        for name, seconds in wanted:
            parameters = (scripted_answers(folder / 'answers.json') if name == 'scripted'
                          else node_parameters(args))
            plays[name] = _play(scene, folder / name, parameters, seconds, name)
            if plays[name].interrupted:
                break


def _play(scene: 'Scene', folder: Path, parameters: dict[str, str], seconds: float, what: str
          ) -> 'LiveCost':
    from rtrack_ros.benchmarks.cost.live import measure_live
    from rtrack_ros.commands.terminal import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(what, total=seconds)
        return measure_live(scene, folder, parameters, seconds,
                            lambda elapsed: bar.update(task, completed=elapsed))
