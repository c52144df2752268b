"""``rtrack benchmark calibration``: whether boxes are right as often as their scores say."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.virtual_time import (
    PROFILE,
    add_own_cost,
    add_scene_arguments,
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
        description='Run the tracker over held-out simulated scenes in virtual time, with the '
                    'truth with seeded faults as answers, and compare the score of every '
                    'published box with how often such boxes overlap the truth of their own '
                    'frame by half. Ctrl-C keeps the scenes that were finished.')
    add_scene_arguments(parser, scenes=6)
    parser.add_argument('--profile', default=PROFILE,
                        help=f'latency profile of the engine: a name, or seconds '
                             f'(default: {PROFILE})')
    parser.add_argument('--bins', type=int, default=10, help='of the curve (default: 10)')
    add_own_cost(parser)
    parser.add_argument('--out', type=Path, default=Path('build/benchmark/scores'),
                        metavar='DIR', help='scores.json and reliability.svg')
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

    if min(args.scenes, args.sentences, args.bins) < 1:
        raise CommandError('--scenes, --sentences and --bins must be at least 1')
    profile = read_profile(args.profile)
    if isinstance(profile, Measured):
        raise CommandError('--profile measured times a model, and the truth answers here; give '
                           f'seconds or a device such as {PROFILE}')
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
        report_scores,
        score_table,
    )
    from rtrack_ros.commands.terminal import console

    report = report_scores(finished, bins)
    console().print(score_table(report, f'rtrack_ros, oracle answers, engine {plan.profile.name}, '
                                        f'{len(finished)} of {plan.scenes} scenes'))
    folder.mkdir(parents=True, exist_ok=True)
    result = {'plan': plan.as_dict(), 'scenes': len(finished), **report.as_dict()}
    written = {'scores.json': json.dumps(result, indent=2) + '\n',
               'reliability.svg': reliability_plot(report)}
    for name, text in written.items():
        (folder / name).write_text(text, encoding='utf-8')
        console().print(f'wrote {folder / name}', soft_wrap=True)
