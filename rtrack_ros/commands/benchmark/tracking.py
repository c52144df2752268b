"""``rtrack benchmark tracking``: our tracker and its baselines, streamed, on held-out scenes."""

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError, add_refine
from rtrack_ros.commands.virtual_time import (
    PROFILE,
    add_own_cost,
    add_scene_arguments,
    own_cost,
    read_profile,
)

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from rtrack_ros.benchmarks.tracking.plan import Plan
    from rtrack_ros.benchmarks.tracking.results import Summary, TrialFolder
    from rtrack_ros.evaluation.streaming.trials import Trial
    from rtrack_ros.scheduling.worker import GroundsQueries


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'tracking', help='streaming HOTA against baselines on the same answers',
        description='Replay held-out simulated scenes in virtual time: the engine takes as long '
                    'as the latency profile says, and every frame is scored against the newest '
                    'boxes published by then. All methods get the same answers. Needs the '
                    'package trackers for ByteTrack. Interrupt at will and go on with --resume.')
    add_scene_arguments(parser, scenes=20)
    parser.add_argument('--profile', default=PROFILE,
                        help=f'latency profile of the engine: a name, seconds, or measured for '
                             f'--answers nano (default: {PROFILE})')
    parser.add_argument('--answers', choices=('oracle', 'nano', 'both'), default='oracle',
                        help='who answers: the truth with seeded faults, or the model')
    parser.add_argument('--draws', type=int, default=1, metavar='N',
                        help='times that the faults of the oracle are drawn anew on every scene, '
                             'all pooled: more for scores that scatter less (default: 1)')
    parser.add_argument('--engine', default='auto', help='engine of the model')
    parser.add_argument('--model', type=Path, default=None, metavar='DIR')
    add_refine(parser, 'never')
    parser.add_argument('--model-scenes', type=int, default=4, metavar='N',
                        help='scenes that the model answers about (default: 4)')
    parser.add_argument('--sweep-scenes', type=int, default=4, metavar='N',
                        help='scenes of the sweep over engine delays (default: 4; 0 for none)')
    parser.add_argument('--methods', type=_names, default=None, metavar='NAME,...',
                        help='only these rows of the table')
    add_own_cost(parser)
    parser.add_argument('--frames', type=Path, default=None, metavar='DIR',
                        help='keep drawn frames there, 400 MB a scene, for the next run')
    parser.add_argument('--out', type=Path, default=Path('build/benchmark/tracking'),
                        metavar='DIR', help='results of every scene, table as JSON, plot')
    parser.add_argument('--resume', action='store_true',
                        help='take finished scenes from --out instead of beginning anew')
    parser.set_defaults(measure=run)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(',') if name.strip())


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write JSON and plot; returns the exit status."""
    from rtrack_ros.benchmarks.tracking.results import TrialFolder, summarise
    from rtrack_ros.commands.terminal import console
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
            _run_scenes(plan, models, folder, args.frames, finished)
        except KeyboardInterrupt:
            status = 130
    if not finished:
        return status
    summary = summarise(plan, finished)
    console().print(*_tables(plan, summary, len(finished)))
    _write(plan, summary, len(finished), args.out)
    if status:
        console().print(f'stopped after {len(finished)} of {plan.scenes} scenes; go on with '
                        '--resume')
    return status


def _plan(args: argparse.Namespace) -> 'Plan':
    from rtrack_ros.benchmarks.tracking.plan import Plan
    from rtrack_ros.evaluation.streaming.bytetrack import ByteTrack
    from rtrack_ros.evaluation.streaming.latency import Measured
    from rtrack_ros.evaluation.streaming.trials import BYTETRACK, METHODS

    profile = read_profile(args.profile)
    if isinstance(profile, Measured) and args.answers != 'nano':
        raise CommandError('--profile measured times a model; add --answers nano')
    methods = args.methods or tuple(METHODS)
    unknown = sorted(set(methods) - set(METHODS))
    if unknown:
        raise CommandError(f"--methods: no method '{unknown[0]}'; choose from "
                           f"{', '.join(METHODS)}")
    if min(args.scenes, args.sentences, args.draws) < 1:
        raise CommandError('--scenes, --sentences and --draws must be at least 1')
    if BYTETRACK in methods:
        ByteTrack()  # says what to install before hours of work, not after
    return Plan(profile, args.scenes, args.seed, args.seconds, sentences=args.sentences,
                methods=methods, sweep_scenes=args.sweep_scenes,
                model_scenes=args.model_scenes, draws=args.draws, cost=own_cost(args))


def _run_scenes(plan: 'Plan', models: 'dict[str, GroundsQueries | None]',
                folder: 'TrialFolder', frames: Path | None,
                finished: 'list[list[Trial]]') -> None:
    """Run or load every scene, appending its trials to ``finished``."""
    from rich.console import Console
    from rich.progress import Progress

    error = Console(stderr=True)
    with Progress(console=error, disable=not error.is_terminal, transient=True) as bar:
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
    """Return who answers by name, None for the oracle; engines close with the stack."""
    from rtrack_ros.engines.registry import default_model, load_engine
    from rtrack_ros.language.refine import make_grounder

    models: dict[str, GroundsQueries | None] = {}
    if args.answers in ('oracle', 'both'):
        models['oracle'] = None
    if args.answers in ('nano', 'both'):
        model = args.model or default_model()
        engine = load_engine(args.engine, model)
        stack.callback(engine.close)
        models[model.name] = make_grounder(engine, refine=args.refine)
    return models


def _tables(plan: 'Plan', summary: 'Summary', scenes: int) -> 'list[Table]':
    from rtrack_ros.benchmarks.tracking.table import sweep_table, tracking_table

    answers = list(dict.fromkeys(row.answers for row in summary.rows))
    tables = [tracking_table(plan, summary, name, scenes) for name in answers]
    return [*tables, sweep_table(summary)] if summary.sweep else tables


def _write(plan: 'Plan', summary: 'Summary', scenes: int, folder: Path) -> None:
    """Write what the table shows, and the plot of the sweep if there is one."""
    from rtrack_ros.benchmarks.tracking.delay_plot import write_delay_plot
    from rtrack_ros.benchmarks.tracking.results import as_json
    from rtrack_ros.commands.terminal import console

    written = [folder / 'tracking.json']
    folder.mkdir(parents=True, exist_ok=True)
    written[0].write_text(json.dumps(as_json(plan, summary, scenes), indent=2) + '\n')
    if summary.sweep:
        written.append(write_delay_plot(summary.sweep, folder / 'delay.svg'))
    for path in written:
        console().print(f'wrote {path}', soft_wrap=True)
