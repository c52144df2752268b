"""``rtrack benchmark tracking``: our tracker and its baselines, streamed, on held-out scenes."""

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import (
    add,
    add_scenes,
    add_server,
    count,
    own_cost,
    read_methods,
    read_profile,
)

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from rtrack_ros.benchmarks.tracking.plan import Plan
    from rtrack_ros.benchmarks.tracking.results import Summary, TrialFolder
    from rtrack_ros.commands.results import Results
    from rtrack_ros.evaluation.streaming.trials import Trial
    from rtrack_ros.scheduling.putting import GroundsQueries


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'tracking', help='streaming HOTA against baselines on the same answers',
        description='Replay held-out simulated scenes in virtual time: the engine takes as long '
                    'as the latency profile says, and every frame is scored against the newest '
                    'boxes published by then. All methods get the same answers. ByteTrack needs '
                    'the package trackers. Ctrl-C keeps the scenes that were finished; --resume '
                    'goes on with the next one.')
    add_scenes(parser, scenes=20)
    add(parser, '--profile', help='how long the engine takes to answer: the name of a device with '
                                  'a model, seconds, or with --answers model also measured '
                                  '(default: %(default)s)')
    add(parser, '--answers', choices=('oracle', 'model', 'both'),
        help='where answers come from: the model, oracle (the truth with seeded faults), or both '
             '(default: %(default)s)')
    parser.add_argument('--draws', type=count, default=1, metavar='N',
                        help='how often the faults of the oracle are drawn on every scene; more '
                             'draws make the scores scatter less (default: %(default)s)')
    add(parser, '--engine', '--model')
    add(parser, '--refine', default='never')
    parser.add_argument('--model-scenes', type=int, default=4, metavar='N',
                        help='scenes that the model is asked about (default: %(default)s)')
    parser.add_argument('--sweep-scenes', type=int, default=4, metavar='N',
                        help='scenes of the sweep over engine delays; 0 leaves it out '
                             '(default: %(default)s)')
    add(parser, '--methods', '--own-cost-ms')
    parser.add_argument('--frames-dir', type=Path, default=None, metavar='DIR',
                        help='keep drawn frames in this folder for the next run, 400 MB a scene')
    add(parser, '--out', default=Path('build/benchmark/tracking'),
        help='folder for the results of every scene, the table as JSON and the plot '
             '(default: %(default)s)')
    parser.add_argument('--resume', action='store_true',
                        help='take finished scenes from --out instead of beginning again')
    add_server(parser)
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write JSON and plot; returns the exit status."""
    from rtrack_ros.benchmarks.tracking.results import TrialFolder, summarise
    from rtrack_ros.commands.results import Results
    from rtrack_ros.evaluation.metrics.hota import require_trackeval

    plan = _plan(args)
    require_trackeval()
    finished: list[list[Trial]] = []
    status = 0
    with ExitStack() as stack:
        models = _models(args, stack)
        folder = TrialFolder(args.out, plan, list(models))
        if not args.resume:
            folder.clear()
        try:
            _run_scenes(plan, models, folder, args.frames_dir, finished)
        except KeyboardInterrupt:
            status = 130
    if not finished:
        return status
    summary, results = summarise(plan, finished), Results()
    results.show(*_tables(plan, summary, len(finished)))
    _write(plan, summary, len(finished), args.out, results)
    if status:
        results.show(f'stopped after {len(finished)} of {plan.scenes} scenes; go on with '
                     '--resume')
    return status


def _plan(args: argparse.Namespace) -> 'Plan':
    from rtrack_ros.benchmarks.tracking.plan import Plan
    from rtrack_ros.evaluation.streaming.bytetrack import ByteTrack
    from rtrack_ros.evaluation.streaming.latency import Measured
    from rtrack_ros.evaluation.streaming.trials import BYTETRACK

    profile, methods = read_profile(args.profile), read_methods(args.methods)
    if isinstance(profile, Measured) and args.answers != 'model':
        raise CommandError('--profile measured times a model; add --answers model')
    if BYTETRACK in methods:
        ByteTrack()  # says what to install before hours of work, not after
    return Plan(profile, args.scenes, args.seed, args.seconds, sentences=args.sentences,
                methods=methods, sweep_scenes=args.sweep_scenes,
                model_scenes=args.model_scenes, draws=args.draws, cost=own_cost(args))


def _run_scenes(plan: 'Plan', models: 'dict[str, GroundsQueries | None]',
                folder: 'TrialFolder', frames: Path | None,
                finished: 'list[list[Trial]]') -> None:
    """Run or load every scene, appending its trials to ``finished``."""
    from rtrack_ros.commands.terminal import progress_bar

    with progress_bar() as bar:
        all_scenes = bar.add_task('scenes', total=plan.scenes)
        for number in range(plan.scenes):
            trials = folder.load(number)
            if trials is None:
                trials = _run_scene(plan, number, models, frames, bar)
                folder.save(number, trials)
            finished.append(trials)
            bar.advance(all_scenes)


def _run_scene(plan: 'Plan', number: int, models: 'dict[str, GroundsQueries | None]',
               frames: Path | None, bar: 'Progress') -> 'list[Trial]':
    """Draw one scene and run everything on it; its frames are let go of at the end."""
    from rtrack_ros.benchmarks.tracking.drawn_scenes import draw
    from rtrack_ros.benchmarks.tracking.plan import run_scene
    from rtrack_ros.data.rendering import render_frames

    scene = plan.scene(number)
    task = bar.add_task(f'drawing scene {number + 1}', total=len(scene))
    kept = None if frames is None else frames / '_'.join(
        (str(scene.seed), str(len(scene)), *scene.conditions))
    drawn = draw(scene, bar.track(render_frames(scene), task_id=task), kept)
    bar.update(task, total=None, description=f'tracking scene {number + 1}')
    trials = []
    for trial in run_scene(plan, number, drawn, models):
        bar.update(task, description=f'scene {number + 1}: {trial.method}, {trial.profile}')
        trials.append(trial)
    bar.remove_task(task)
    return trials


def _models(args: argparse.Namespace, stack: ExitStack) -> 'dict[str, GroundsQueries | None]':
    """Return what answers by name, None for the oracle; engines close with the stack."""
    from rtrack_ros.commands.model import model_name, opened_grounder

    models: dict[str, GroundsQueries | None] = {}
    if args.answers in ('oracle', 'both'):
        models['oracle'] = None
    if args.answers in ('model', 'both'):
        models[model_name(args)] = stack.enter_context(opened_grounder(args))
    return models


def _tables(plan: 'Plan', summary: 'Summary', scenes: int) -> 'list[Table]':
    from rtrack_ros.benchmarks.tracking.table import sweep_table, tracking_table

    answers = list(dict.fromkeys(row.answers for row in summary.rows))
    tables = [tracking_table(plan, summary, name, scenes) for name in answers]
    return [*tables, sweep_table(summary)] if summary.sweep else tables


def _write(plan: 'Plan', summary: 'Summary', scenes: int, folder: Path, results: 'Results'
           ) -> None:
    """Write what the table shows, and the plot of the sweep if there is one."""
    from rtrack_ros.benchmarks.tracking.delay_plot import write_delay_plot
    from rtrack_ros.benchmarks.tracking.results import as_json

    results.write(folder / 'tracking.json',
                  json.dumps(as_json(plan, summary, scenes), indent=2) + '\n')
    if summary.sweep:
        results.wrote(write_delay_plot(summary.sweep, folder / 'delay.svg'))
