"""``rtrack demo``: a simulated scene, or two videos, tracked over ROS 2, scored and shown."""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_server
from rtrack_ros.commands.detecting import add_detector, detector_parameters
from rtrack_ros.commands.interruption import interrupted_by_sigterm
from rtrack_ros.commands.model import node_parameters

if TYPE_CHECKING:
    from rtrack_ros.data.truth import SceneTruth
    from rtrack_ros.evaluation.run import Run, RunQuery
    from rtrack_ros.playback.play import Playback

DEFAULT_SEED = 20_261_131
"""A yard with four people, a cyclist and a car, seen by a camera that pans; never trained on."""
_SHIPPED: Final = True
WRITTEN = ('scene', 'recording', 'logs', 'commands.json', 'stamps.json', 'tracks.txt',
           'truth.txt', 'overlay.mp4', 'report.html', 'metrics.json')
"""What the demonstration leaves; what it made of these is removed before the next one."""


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'demo', help='track a simulated scene, or two videos, over ROS 2 and show the result',
        description='Write a scene with day, night and smoke as a bag, and play it over DDS to '
                    'the tracker node at camera rate. Ask for a colour, for a class and for an '
                    'object that is not there. Record what the node publishes, and leave '
                    'overlay.mp4, report.html and metrics.json. With --rgb, do the same on '
                    'videos, without scores.')
    add(parser, '--out', default=Path('build/demo'),
        help='folder for the results (default: %(default)s)')
    add(parser, '--seed', default=DEFAULT_SEED,
        help='seed of the simulated scene (default: %(default)s)')
    add(parser, '--seconds', default=30.0,
        help='length of the scene; of videos, only this much is played (default: %(default)g)')
    add(parser, '--rgb', help='a video, a folder of images, or a bag that holds both cameras '
                              '(default: a simulated scene)')
    add(parser, '--thermal')
    add(parser, '--query', help='the one sentence that says what to follow (default: several for '
                                'a simulated scene, "the people" for videos)')
    add(parser, '--engine', help='parameter engine.name of the node (default: %(default)s)')
    add(parser, '--model', help='parameter engine.model of the node, a folder or the URL of a '
                                'server (default: the model of the package)')
    add_detector(parser)
    add_server(parser)
    parser.add_argument('--serve', type=Path, nargs='?', const=_SHIPPED, metavar='FOLDER',
                        help='start the server of a model as rtrack serve does, let the node ask '
                             'it, and end it; without FOLDER llama.cpp with the model of the '
                             'package, after rtrack compile --engine llamacpp')


def run(args: argparse.Namespace) -> int:
    """Run the demonstration; returns the exit status."""
    from rtrack_ros.output_folder import OutputFolder
    from rtrack_ros.playback.play import play, require_ros
    from rtrack_ros.playback.processes import ProcessFailure

    if args.thermal is not None and args.rgb is None:
        raise CommandError('--thermal needs --rgb, the video of the same scene in colour')
    if args.serve is not None and (args.model is not None or args.engine != 'auto'):
        raise CommandError('--serve names the model and its engine; leave --model and --engine '
                           'out')
    clock = _Clock()
    folder = args.out.resolve()
    _check_input(args, folder)
    try:
        require_ros()
        with OutputFolder(folder, 'rtrack demo', WRITTEN):
            with clock.stage('writing the scene'):
                playback, truth = _prepare(args, folder)
            with interrupted_by_sigterm(), _serving(args, folder) as asked, clock.stage(
                    f'playing {playback.seconds:.0f} s over DDS'):
                play(replace(playback, parameters=playback.parameters | asked))
            with clock.stage('overlay, scores, report'):
                finished = _finish(playback, truth, folder, args)
    except ProcessFailure as error:
        raise CommandError(str(error)) from error
    _print(finished, folder, clock)
    return 0


@contextmanager
def _serving(args: argparse.Namespace, folder: Path) -> Iterator[dict[str, str]]:
    """Yield the parameters of the node that ask the server of ``--serve``, while it runs."""
    from rtrack_ros.commands.serving import Wanted, model_served
    from rtrack_ros.engines.registry import default_model

    if args.serve is None:
        yield {}
        return
    source = default_model() if args.serve is _SHIPPED else args.serve
    with model_served(Wanted(source, 'llamacpp' if args.serve is _SHIPPED else None,
                             logs=folder / 'logs', self_test='warn')) as serving:
        yield serving.parameters


class _Clock:
    """Times the stages and says on the terminal what goes on."""

    def __init__(self) -> None:
        from rtrack_ros.commands.terminal import console

        self.console = console()
        self._started = time.monotonic()

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        begin = time.monotonic()
        with self.console.status(what):
            yield
        self.console.print(f'  {what}: {time.monotonic() - begin:.1f} s')

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def _check_input(args: argparse.Namespace, folder: Path) -> None:
    for source in (args.rgb, args.thermal):
        if source is not None and source.resolve().is_relative_to(folder):
            raise CommandError(f'{source} lies in --out {folder}, which is written anew; choose '
                               'another folder')


def _prepare(args: argparse.Namespace, folder: Path) -> 'tuple[Playback, SceneTruth | None]':
    """Write the bag; returns what to play and its truth, if it has one."""
    from rtrack_ros.playback.play import Playback

    parameters = (node_parameters(args) | detector_parameters(args.detector)
                  | {'engine.self_test': 'warn'})
    if args.rgb is None:
        queries, truth = _simulate(args, folder / 'scene')
        return Playback(folder / 'scene', args.seconds, queries, folder, parameters), truth
    queries, seconds = _record_videos(args, folder / 'scene')
    return Playback(folder / 'scene', seconds, queries, folder, parameters), None


def _simulate(args: argparse.Namespace, bag: Path
              ) -> 'tuple[Sequence[RunQuery], SceneTruth | None]':
    from rtrack_ros.data.rendering import render_frames
    from rtrack_ros.data.scene_bag import write_bag
    from rtrack_ros.evaluation.metrics.hota import require_trackeval
    from rtrack_ros.evaluation.run import RunQuery
    from rtrack_ros.playback.script import CONDITIONS, write_script
    from rtrack_ros.simulation import make_scene

    require_trackeval()
    scene = make_scene(args.seed, args.seconds, conditions=CONDITIONS)
    queries = write_script(scene.expressions, len(scene), scene.fps)
    if args.query:
        queries = (RunQuery(args.query, 0.0),)
    # Stamps of real cameras are neither even nor equal.
    truth = write_bag(bag, scene, jitter_ms=2.0, offset_ms=4.0, frames=render_frames(scene))
    known = {expression.text for expression in truth.expressions}
    return queries, truth if all(query.text in known for query in queries) else None


def _record_videos(args: argparse.Namespace, bag: Path) -> 'tuple[Sequence[RunQuery], float]':
    from rtrack_ros.commands.terminal import console
    from rtrack_ros.data.bag_writing import record_pairs
    from rtrack_ros.data.videos import open_pairs
    from rtrack_ros.evaluation.run import RunQuery

    pairs = open_pairs(args.rgb, args.thermal)
    _, length_s = record_pairs(bag, pairs, args.seconds)
    for line in (pairs.tally.sentence, *pairs.tally.notes):
        console().print(f'  {line}', soft_wrap=True, markup=False)
    return (RunQuery(args.query or 'the people', 0.0),), length_s + 1.0 / pairs.fps


def _finish(playback: 'Playback', truth: 'SceneTruth | None', folder: Path,
            args: argparse.Namespace) -> 'tuple[Run, Any]':
    """Write everything that is left to the user; returns the run and its scores."""
    from rtrack_ros.data.bag import read_pairs
    from rtrack_ros.evaluation.report.writing import write_report
    from rtrack_ros.evaluation.run import run_metrics, score_run
    from rtrack_ros.playback.outcome import recorded_run, write_metrics, write_pictures, write_rows

    title = 'rtrack demo: ' + (f'simulated scene {args.seed}' if args.rgb is None
                               else args.rgb.stem)
    recorded = recorded_run(playback, truth, title)
    scores = score_run(recorded) if recorded.has_truth else None
    pairs = read_pairs(playback.bag)
    pictures = write_pictures(folder / 'overlay.mp4', recorded, pairs, round(pairs.fps, 2))
    write_report(folder / 'report.html', recorded, scores, pictures)
    write_rows(folder, recorded)
    write_metrics(folder / 'metrics.json', run_metrics(recorded, scores))
    return recorded, scores


def _print(finished: 'tuple[Run, Any]', folder: Path, clock: _Clock) -> None:
    from rtrack_ros.evaluation.report.run_table import run_table
    from rtrack_ros.evaluation.report.score_table import run_score_table
    from rtrack_ros.evaluation.run import run_metrics

    recorded, scores = finished
    if scores is not None:
        clock.console.print(run_score_table(f'{recorded.title}, percent', scores))
    clock.console.print(run_table(run_metrics(recorded, scores)))
    for name in ('overlay.mp4', 'report.html', 'metrics.json'):
        clock.console.print(str(folder / name), soft_wrap=True)
    clock.console.print(f'{clock.seconds:.0f} s in all; logs in {folder / "logs"}',
                        soft_wrap=True)
