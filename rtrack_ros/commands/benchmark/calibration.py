"""``rtrack benchmark calibration``: whether boxes are right as often as their scores say."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import (
    DEFAULT_PROFILE,
    add,
    add_scenes,
    count,
    own_cost,
    read_profile,
)

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.tracking.calibration import SceneScores
    from rtrack_ros.benchmarks.tracking.plan import Plan


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'calibration', help='whether scores mean what they say: a reliability curve',
        description='Run the tracker over held-out simulated scenes in virtual time. The truth '
                    'with seeded faults serves as answers. Compare the score of every published '
                    'box with how often such boxes overlap the truth of their own frame by '
                    'half. Ctrl-C keeps the scenes that were finished.')
    add_scenes(parser, scenes=6)
    add(parser, '--profile')
    parser.add_argument('--bins', type=count, default=10, metavar='N',
                        help='bins of the curve (default: %(default)s)')
    add(parser, '--own-cost-ms')
    add(parser, '--out', default=Path('build/benchmark/calibration'),
        help='folder for calibration.json and reliability.svg (default: %(default)s)')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write JSON and curve; returns the exit status."""
    plan = _plan(args)
    finished: list[SceneScores] = []
    status = 0
    try:
        for number in range(plan.scenes):
            finished.append(_run_scene(plan, number))
    except KeyboardInterrupt:
        status = 130
    if finished:
        _show(plan, finished, args.bins, args.out)
    return status


def _plan(args: argparse.Namespace) -> 'Plan':
    from rtrack_ros.benchmarks.tracking.plan import Plan
    from rtrack_ros.evaluation.streaming.latency import Measured
    from rtrack_ros.evaluation.streaming.trials import OURS

    profile = read_profile(args.profile)
    if isinstance(profile, Measured):
        raise CommandError('--profile measured times a model, and the truth answers here; give '
                           f'seconds or a device such as {DEFAULT_PROFILE}')
    return Plan(profile, args.scenes, args.seed, args.seconds, sentences=args.sentences,
                methods=(OURS,), sweep_scenes=0, model_scenes=0,
                cost=own_cost(args))


def _run_scene(plan: 'Plan', number: int) -> 'SceneScores':
    """Draw one scene and track it sentence by sentence; its frames are let go of at the end."""
    from rtrack_ros.benchmarks.tracking.calibration import follow_scene, judge_scene
    from rtrack_ros.benchmarks.tracking.drawn_scenes import draw
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.data.rendering import render_frames

    scene = plan.scene(number)
    of = f'{number + 1}/{plan.scenes}'
    drawn = draw(scene, progress(render_frames(scene), f'drawing {of}', len(scene)))
    return judge_scene(scene.seed, list(progress(follow_scene(plan, drawn), f'tracking {of}',
                                                 plan.sentences)))


def _show(plan: 'Plan', finished: 'list[SceneScores]', bins: int, folder: Path) -> None:
    """Print the table; write what it shows and the curve."""
    from rtrack_ros.benchmarks.tracking.calibration import (
        reliability_plot,
        reliability_table,
        report_scores,
    )
    from rtrack_ros.commands.results import Results

    report, results = report_scores(finished, bins), Results()
    results.show(reliability_table(report, 'rtrack_ros, oracle answers, engine '
                                   f'{plan.profile.name}, {len(finished)} of {plan.scenes} '
                                   'scenes'))
    figures = {'plan': plan.as_dict(), 'scenes': len(finished), **report.as_dict()}
    results.write(folder / 'calibration.json', json.dumps(figures, indent=2) + '\n')
    results.write(folder / 'reliability.svg', reliability_plot(report))
