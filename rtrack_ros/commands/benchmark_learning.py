"""``rtrack benchmark learning``: what the methods of learning do, with and without each part."""

import argparse
import json
from pathlib import Path

from rtrack_ros.commands import positive

RATES = (0.03, 0.3, 1.0, 3.0)
SHOWN_RATE = 1.0


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'learning', help='what Clipped Advantage Scaling changes, with and without it',
        description='Reinforce a policy whose groups of answers all but tie, with the advantages '
                    'of GRPO and with both readings of Clipped Advantage Scaling, and compare '
                    'the largest gradient and the reward. The small policy takes a minute; '
                    '--model runs a stage on a model folder instead.')
    parser.add_argument('--part', choices=('cas',), default='cas')
    parser.add_argument('--seeds', type=int, default=3, help='default: 3')
    parser.add_argument('--steps', type=int, default=3000,
                        help='gradient steps of a run (default: 3000)')
    parser.add_argument('--rates', type=positive, nargs='+', default=list(RATES), metavar='RATE',
                        help='learning rates of the small policy')
    parser.add_argument('--model', type=Path, default=None, metavar='DIR',
                        help='a model folder, for example models/rtrack-nano')
    parser.add_argument('--config', type=Path, default=Path('config/training/nano_gspo.yaml'),
                        metavar='YAML', help='the stage that --model runs')
    parser.add_argument('--data', default='simulation', metavar='DIR',
                        help="with --model: 'simulation' or a folder in the RefRT layout")
    parser.add_argument('--out', type=Path, default=Path('build/benchmark/cas'), metavar='DIR',
                        help='curves, plots and, with --model, checkpoints')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Run, print and write; returns the exit status."""
    from rtrack_ros.commands.terminal import console
    from rtrack_ros.evaluation import cas_benchmark

    args.out.mkdir(parents=True, exist_ok=True)
    if args.model is None:
        result = cas_benchmark.run_small(args.seeds, args.rates, args.steps)
        title = f'small policy, {args.seeds} seeds, {args.steps} steps'
    else:
        result = cas_benchmark.run_on_model(args.config, args.model, args.data, args.out,
                                            args.seeds, args.steps)
        title = f'{args.model.name}, {args.seeds} seeds, {args.steps} steps'
    console().print(cas_benchmark.table(result, title))
    (args.out / 'cas.json').write_text(json.dumps(result) + '\n')
    rate = min(result['curves'], key=lambda value: abs(float(value) - SHOWN_RATE))
    for curve, label in (('gradient_norm', 'gradient norm'), ('reward', 'reward')):
        (args.out / f'{curve}.svg').write_text(
            cas_benchmark.plot(result['curves'][rate], curve, label))
    console().print(f'wrote cas.json, gradient_norm.svg and reward.svg to {args.out}',
                    soft_wrap=True)
    return 0
