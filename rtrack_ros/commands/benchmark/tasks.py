"""``rtrack benchmark tasks``: find a target again, check a sentence on it, describe it."""

import argparse
import json
from pathlib import Path
from typing import Any

from rtrack_ros.commands import HELD_OUT_SEED, CommandError, positive


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'tasks', help='find a target again, check a sentence on it, describe it',
        description='On held-out simulated scenes of all conditions: follow targets by locate '
                    'alone at ten answers a second (AO and SR as GOT-10k counts them, beside a '
                    'box that stays where it was); check true and false sentences, as many of '
                    'each; describe objects (share of right words, beside the most frequent '
                    'ones).')
    parser.add_argument('--model', type=Path, default=None, metavar='DIR',
                        help='model folder (default: the model of the package)')
    parser.add_argument('--engine', default='auto')
    parser.add_argument('--tasks', default='locate,verify,describe', metavar='NAMES',
                        help='which of locate, verify and describe, with commas (default: all)')
    parser.add_argument('--runs', type=int, default=6,
                        help='scenes of each condition in which up to two targets are followed '
                             '(default: 6)')
    parser.add_argument('--seconds', type=positive, default=4.0,
                        help='length of these scenes (default: 4)')
    parser.add_argument('--scenes', type=int, default=12,
                        help='scenes of which one frame of every condition is asked about '
                             '(default: 12)')
    parser.add_argument('--seed', type=int, default=HELD_OUT_SEED)
    parser.add_argument('--deadline', type=positive, default=30.0, metavar='S')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE')
    parser.add_argument('--report', type=Path, default=None, metavar='FILE',
                        help='page that compares this run with those of --beside')
    parser.add_argument('--beside', type=Path, action='append', default=[], metavar='FILE',
                        help='what --json wrote for another checkpoint, named by the file')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.tasks.benchmark import TaskPlan, run_tasks
    from rtrack_ros.commands.terminal import console, progress
    from rtrack_ros.engines.registry import default_model, load_engine
    from rtrack_ros.evaluation.report.task_table import tasks_table

    if args.runs < 1 or args.scenes < 1:
        raise CommandError('--runs and --scenes must be at least 1')
    others = {path.stem: _read(path) for path in args.beside}
    plan = TaskPlan(_tasks(args.tasks), args.seed, args.runs, args.seconds, args.scenes,
                    deadline_s=args.deadline)
    engine = load_engine(args.engine, args.model or default_model())
    try:
        result = run_tasks(engine, plan, progress)
    finally:
        engine.close()
    console().print(tasks_table(result))
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=2) + '\n')
        print(f'wrote {args.json}')
    if args.report is not None:
        from rtrack_ros.evaluation.report.comparison import write_task_comparison
        write_task_comparison(args.report, 'Tasks about one object',
                              {**others, (args.model or default_model()).name: result},
                              [f'Held-out simulated scenes from seed {args.seed}.'])
        print(f'wrote {args.report}')
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


def _tasks(text: str) -> tuple[str, ...]:
    from rtrack_ros.benchmarks.tasks.benchmark import OBJECT_TASKS

    named = tuple(name.strip() for name in text.split(',') if name.strip())
    unknown = sorted(set(named) - set(OBJECT_TASKS))
    if unknown or not named:
        raise CommandError(f'--tasks {text}: choose among {", ".join(OBJECT_TASKS)}')
    return named
