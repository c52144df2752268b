"""``rtrack benchmark cost``: processor time, delay and memory, beside the common ROS way."""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError, positive

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
                    'with the model answering all the time and with a scripted one. soak: the '
                    'same for long, with the memory of the node; Ctrl-C keeps what was measured.')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=list(PARTS))
    parser.add_argument('--soak', type=float, default=30.0, metavar='MINUTES',
                        help='length of the soak, 0 skips it (default: 30)')
    parser.add_argument('--sizes', nargs='+', type=_size, default=[(640, 480), (1280, 720)],
                        metavar='WxH', help='default: 640x480 1280x720')
    parser.add_argument('--tracks', nargs='+', type=_count, default=[1, 10, 50], metavar='N')
    parser.add_argument('--queries', nargs='+', type=_count, default=[1, 3, 10], metavar='N')
    parser.add_argument('--frames', type=_count, default=120, metavar='N',
                        help='pairs for each combination, the first 20 to warm up (default: 120)')
    parser.add_argument('--seconds', type=positive, default=40.0,
                        help='length of each play of the part live (default: 40)')
    parser.add_argument('--engine', default='auto', help='parameter engine.name of the node')
    parser.add_argument('--model', default='', metavar='DIR', help='engine.model of the node')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE')
    parser.add_argument('--plot', type=Path, default=None, metavar='SVG')
    parser.set_defaults(measure=measure)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    return _count(width), _count(height)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'{text} is below 1')
    return value


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
    from rtrack_ros.commands.terminal import console

    out = console()
    if cells:
        out.print(pair_table(cells))
    shown = plays if soak is None else plays | {'soak': soak}
    if shown:
        out.print(live_table(shown))
    for line in lines(cells, growth(cells), pairing_quality() if cells else {}, soak):
        out.print(line)
    if any(cell.common is None for cell in cells):
        out.print("the common way was left out: pip install 'rtrack_ros[bytetrack]'", markup=False)
    _write(args.json, lambda: json.dumps(benchmark_record(cells, plays, soak), indent=2) + '\n')
    _write(args.plot, lambda: _plot(cells, plays, soak))


def _plot(cells: 'list[Cell]', plays: 'dict[str, LiveCost]', soak: 'LiveCost | None') -> str:
    from rtrack_ros.benchmarks.cost.plots import cost_plot

    return cost_plot(cells, plays, soak)


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), encoding='utf-8')
        print(f'wrote {path}')


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
    cells = measure_cells(args.sizes, args.tracks, args.queries, args.frames)
    total = len(args.sizes) * len(args.tracks) * len(args.queries)
    return progress(cells, 'pairs', total)


def _play_all(args: argparse.Namespace, wanted: list[tuple[str, float]],
              plays: 'dict[str, LiveCost]') -> None:
    """Play for each (name, seconds) in turn; an interrupted play is the last one."""
    from rtrack_ros.benchmarks.cost.live import prepare_scene, scripted_answers

    model = {'engine.name': args.engine}
    if args.model:
        model['engine.model'] = str(Path(args.model).resolve())
    folder = Path(tempfile.mkdtemp(prefix='rtrack-pipeline-'))
    try:
        shortest = min(seconds for _, seconds in wanted)
        scene = prepare_scene(folder / 'scene', min(LIVE_SCENE_S, shortest))
        for name, seconds in wanted:
            parameters = (scripted_answers(folder / 'answers.json') if name == 'scripted'
                          else model)
            plays[name] = _play(scene, folder / name, parameters, seconds, name)
            if plays[name].interrupted:
                break
        shutil.rmtree(folder)
    finally:
        # After a failure only the logs stay: its message names them.
        shutil.rmtree(folder / 'scene', ignore_errors=True)


def _play(scene: 'Scene', folder: Path, parameters: dict[str, str], seconds: float, what: str
          ) -> 'LiveCost':
    from rtrack_ros.benchmarks.cost.live import measure_live

    with _bar(what, seconds) as tick:
        return measure_live(scene, folder, parameters, seconds, tick)


@contextmanager
def _bar(what: str, seconds: float) -> Iterator[Callable[[float], None]]:
    """Show how far a play is, on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    error = Console(stderr=True)
    with Progress(console=error, disable=not error.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=seconds)
        yield lambda elapsed: bar.update(task, completed=elapsed)
