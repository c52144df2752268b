"""``rtrack benchmark tasks``: find a target again, check a sentence on it, describe it."""

import argparse
import json
from pathlib import Path
from typing import Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_server, names


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'tasks', help='find a target again, check a sentence on it, describe it',
        description='Measure three tasks on held-out simulated scenes of all conditions. locate: '
                    'follow targets by the answers of the model alone, ten a second (AO and SR '
                    'as GOT-10k counts them, beside a box that stays where it was). verify: '
                    'check true and false sentences, as many of each. describe: describe objects '
                    '(share of right words, beside the most frequent ones).')
    add(parser, '--model', '--engine')
    parser.add_argument('--tasks', type=names, default='locate,verify,describe',
                        metavar='NAME,...', help='tasks to measure (default: %(default)s)')
    add(parser, '--scenes-per-condition', default=6,
        help='scenes of each condition in which up to two targets are followed '
             '(default: %(default)s)')
    add(parser, '--seconds', default=4.0, help='length of these scenes (default: %(default)g)')
    add(parser, '--scenes', default=12,
        help='scenes for verify and describe; the model is asked about one frame of each '
             'condition (default: %(default)s)')
    add(parser, '--negations', '--split-sentences')
    add(parser, '--seed', '--deadline', '--json')
    add(parser, '--report',
        help='write a page that compares this run with those of --beside')
    parser.add_argument('--beside', type=Path, action='append', default=[], metavar='FILE',
                        help='what --json wrote for another checkpoint; the file name is its '
                             'name; may be repeated')
    add_server(parser)
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.tasks.benchmark import TaskPlan, run_tasks
    from rtrack_ros.commands.model import model_name, opened_engine
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.evaluation.report.task_table import tasks_table

    others = {path.stem: _read(path) for path in args.beside}
    plan = TaskPlan(_tasks(args.tasks), args.seed, args.scenes_per_condition, args.seconds,
                    args.scenes, deadline_s=args.deadline, negations=args.negations,
                    split_sentences=args.split_sentences)
    with opened_engine(args) as engine:
        figures = run_tasks(engine, plan, progress)
    results = Results(args.json)
    results.show(tasks_table(figures))
    results.json(figures)
    if args.report is not None:
        from rtrack_ros.evaluation.report.comparison import write_task_comparison
        write_task_comparison(args.report, 'Tasks about one object',
                              {**others, model_name(args): figures},
                              [f'Held-out simulated scenes from seed {args.seed}.'])
        results.wrote(args.report)
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise CommandError(f'--beside {path}: {error}; give what --json wrote') from error
    if not isinstance(content, dict) or 'first_seed' not in content:
        raise CommandError(f'--beside {path} holds no figures of this benchmark; give what --json '
                           'wrote')
    return content


def _tasks(chosen: tuple[str, ...]) -> tuple[str, ...]:
    from rtrack_ros.benchmarks.tasks.benchmark import OBJECT_TASKS

    if not chosen or not set(chosen) <= set(OBJECT_TASKS):
        raise CommandError(f'--tasks {",".join(chosen)}: choose from {", ".join(OBJECT_TASKS)}')
    return chosen
