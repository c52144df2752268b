"""``rtrack benchmark engine``: what each engine costs on this machine, and what it says."""

import argparse

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, count, names


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'engine', help='start-up, memory, time and agreement of all engines that work here',
        description='Load every engine that works on this machine, each in a process of its own, '
                    'and ask all of them in turn about the same frames of held-out simulated '
                    'scenes: start-up, memory, time of an answer and of its first text, several '
                    'sentences about one pair, and how far the boxes agree.')
    add(parser, '--model')
    parser.add_argument('--engines', type=names, metavar='NAME,...', default=(),
                        help='engines to measure, the first is the reference: openvino, '
                             'transformers, llamacpp f16, llamacpp q8_0 (default: all)')
    add(parser, '--frames', default=60, help='number of frames (default: %(default)s)')
    add(parser, '--seed')
    parser.add_argument('--threads', type=count, metavar='N', default=1,
                        help='inference threads of each engine (default: %(default)s)')
    add(parser, '--json')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.engine.benchmark import candidates, run_engines
    from rtrack_ros.benchmarks.engine.table import engine_table, machine_line, refused_lines
    from rtrack_ros.benchmarks.record import processor_name
    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress

    with candidates(model_folder(args), args.threads) as found:
        known = {candidate.label: candidate for candidate in found}
        if unknown := set(args.engines) - set(known):
            raise CommandError(f'--engines: there is no {", ".join(sorted(unknown))}; choose from '
                               f'{", ".join(known)}')
        chosen = [known[label] for label in args.engines or known]
        figures = run_engines(chosen, args.frames, args.seed, progress)
    figures['threads'] = args.threads
    figures['processor'] = processor_name()
    results = Results(args.json)
    results.show(engine_table(figures), machine_line(figures, figures['processor']),
                 *refused_lines(figures))
    results.json(figures)
    return 0
