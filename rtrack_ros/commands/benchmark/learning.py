"""``rtrack benchmark learning``: what the methods of learning do, with and without each part."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands.arguments import (
    HELD_OUT_SEED,
    add,
    add_parts,
    add_server,
    count,
    positive,
)
from rtrack_ros.training.configs import find_config

if TYPE_CHECKING:
    from rich.table import Table

PARTS = ('cas', 'thermal', 'reinforcement')
RATES = (0.03, 0.3, 1.0, 3.0)
SHOWN_RATE = 1.0
SHARDS, SHARD_FRAMES, SHARD_SEED = 8, 200, 3_000_000
"""Frames that the arms of ``reinforcement`` learn from, and the first scene they come from."""


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'learning', help='what reinforcement, Advantage Scaling and thermal images give',
        description='Three parts. cas: reinforce a policy whose groups of answers nearly tie, '
                    'with the advantages of GRPO and with both readings of Clipped Advantage '
                    'Scaling. thermal: track held-out scenes with both sensors and with RGB '
                    'alone. reinforcement: from the same weights, supervised training continued '
                    'against GSPO with CAS, with equal processor time. The last two parts keep '
                    'what is finished in --out; give the same command again to go on.')
    add_parts(parser, PARTS)
    add(parser, '--out', default=Path('build/benchmark/learning'),
        help='a folder for each part: tables as JSON, plots, frames, and what is finished '
             '(default: %(default)s)')
    parser.add_argument('--seeds', type=count, default=3, metavar='N',
                        help='number of seeds of cas and reinforcement (default: %(default)s)')
    add(parser, '--model', help='folder of the model, for thermal also the URL of a server; cas '
                                'trains a small policy where no model is named (default: the '
                                'model of the package)')
    _add_cas(parser.add_argument_group('cas'))
    _add_held_out(parser.add_argument_group('thermal and reinforcement'))
    _add_reinforcement(parser.add_argument_group('reinforcement'))
    add_server(parser)
    parser.set_defaults(measure=run)


def _add_cas(group: 'argparse._ArgumentGroup') -> None:
    add(group, '--steps', default=3000, help='optimisation steps of a run (default: %(default)s)')
    group.add_argument('--rates', type=positive, nargs='+', default=list(RATES), metavar='RATE',
                       help='learning rates of the small policy '
                            f'(default: {" ".join(map(str, RATES))})')


def _add_held_out(group: 'argparse._ArgumentGroup') -> None:
    add(group, '--scenes-per-condition', default=3)
    add(group, '--seconds', default=6.0)
    add(group, '--sentences', default=3)
    add(group, '--engine', help='engine that runs the model for thermal (default: %(default)s)')


def _add_reinforcement(group: 'argparse._ArgumentGroup') -> None:
    group.add_argument('--compute-s', type=positive, default=300.0, metavar='SECONDS',
                       help='processor time of training for each arm (default: %(default)g)')
    add(group, '--config', default='nano_gspo',
        help='the stage of reinforcement, a file or a name that rtrack train config knows; cas '
             '--model runs it with and without CAS (default: %(default)s)')
    add(group, '--data', default=None, help='frames to learn from: DIR/data/train of rtrack train '
                                            'nano --out DIR (default: frames are drawn)')
    group.add_argument('--supervised', type=Path, default='nano_sft', metavar='YAML',
                       help='the stage of supervision (default: %(default)s)')
    add(group, '--scenes', default=40, help='scenes for single questions (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Run, print and write; returns the exit status."""
    measures = {'cas': _run_cas, 'thermal': _run_thermal, 'reinforcement': _run_reinforcement}
    for part in args.parts:
        folder = args.out / part
        folder.mkdir(parents=True, exist_ok=True)
        measures[part](args, folder)
    return 0


def _run_cas(args: argparse.Namespace, out: Path) -> None:
    from rtrack_ros.benchmarks.learning import cas
    from rtrack_ros.commands.model import model_folder

    if args.model is None:
        result = cas.run_small(args.seeds, args.rates, args.steps)
        title = f'small policy, {args.seeds} seeds, {args.steps} steps'
    else:
        model = model_folder(args)
        result = cas.run_on_model(find_config(args.config), model, _training_data(args, out), out,
                                  args.seeds, args.steps)
        title = f'{model.name}, {args.seeds} seeds, {args.steps} steps'
    rate = min(result['curves'], key=lambda value: abs(float(value) - SHOWN_RATE))
    curves = result['curves'][rate]
    _report(out, 'cas', result, cas.table(result, title),
            {f'{name}.svg': cas.plot(curves, name, label) for name, label in (
                ('gradient_norm', 'gradient norm'), ('reward', 'reward'))})


def _run_thermal(args: argparse.Namespace, out: Path) -> None:
    from rtrack_ros.benchmarks.learning import thermal
    from rtrack_ros.benchmarks.learning.streaming_score import ScenePlan
    from rtrack_ros.commands.model import opened_engine
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.evaluation.metrics.hota import require_trackeval
    from rtrack_ros.language.grounder import Grounder

    require_trackeval()
    plan = ScenePlan(args.scenes_per_condition, seconds=args.seconds, sentences=args.sentences)
    with opened_engine(args) as engine:
        grounder, name = Grounder(engine), engine.capabilities().model
        numbers = range(len(plan.scenes()))
        trials = [trial for number in progress(numbers, 'thermal', len(numbers)) for trial in
                  thermal.finished_scene(out, plan, name, number, grounder)]
    rows = thermal.summarise(trials)
    title = f'{name}, {len(numbers)} held-out scenes of {plan.seconds:g} s'
    _report(out, 'thermal', {'rows': rows, 'asked': thermal.ASKED},
            thermal.thermal_table(rows, title), {'thermal.svg': thermal.thermal_plot(rows)})


def _run_reinforcement(args: argparse.Namespace, out: Path) -> None:
    from dataclasses import asdict

    from rtrack_ros.benchmarks.learning import reinforcement as arms
    from rtrack_ros.benchmarks.learning.held_out import HeldOut
    from rtrack_ros.benchmarks.learning.streaming_score import ScenePlan
    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.evaluation.metrics.hota import require_trackeval
    from rtrack_ros.training.stages.settings import read_stages

    require_trackeval()
    model, source = model_folder(args), _training_data(args, out)
    plan = ScenePlan(args.scenes_per_condition, seconds=args.seconds, sentences=args.sentences)
    held_out = HeldOut(args.scenes, HELD_OUT_SEED, plan, out / 'scenes')
    stages = {arms.SUPERVISED: read_stages(find_config(args.supervised))[0],
              arms.REINFORCED: read_stages(find_config(args.config))[0]}
    course = arms.Course(model, source, out, held_out.measure, {
        'model': str(model), 'data': source, 'plan': asdict(plan),
        'question_scenes': args.scenes})
    planned = list(arms.arms(stages, arms.Budget(args.compute_s, args.seeds)))
    runs = [course.start(), *(course.run(method, stage) for method, stage
                              in progress(planned, 'arms', len(planned)))]
    summary = arms.summarise(runs)
    title = f'{model.name}: {args.compute_s:g} CPU s of training for each arm'
    _report(out, 'reinforcement', {**summary, 'runs': runs},
            arms.reinforcement_table(summary, title),
            {'reinforcement.svg': arms.reinforcement_plot(runs)}, arms.verdict(summary))


def _training_data(args: argparse.Namespace, out: Path) -> str:
    """Return the folder of frames to learn from, drawn where none is named."""
    if args.data is not None:
        return str(args.data)
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.training.models.nano import IMAGE_SIZE
    from rtrack_ros.training.shards.frames import write_shard

    folder = out / 'data'
    for number in progress(range(SHARDS), 'drawing', SHARDS):
        write_shard(folder, number, SHARD_SEED, SHARD_FRAMES, IMAGE_SIZE)
    return str(folder)


def _report(out: Path, name: str, figures: dict[str, Any], table: 'Table',
            plots: dict[str, str], *lines: str) -> None:
    """Print the table; write the figures and the plots; print the lines."""
    from rtrack_ros.commands.results import Results

    results = Results()
    results.show(table)
    for file, text in {f'{name}.json': json.dumps(figures) + '\n', **plots}.items():
        results.write(out / file, text)
    results.show(*lines)
