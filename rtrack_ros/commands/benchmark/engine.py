"""``rtrack benchmark engine``: what each engine costs on this machine, and what it says."""

import argparse
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, count, names

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.engine.roofline import DerivedFigure


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'engine', help='start-up, memory, time and agreement of all engines that work here',
        description='Load every engine that works on this machine, each in a process of its own, '
                    'and ask all of them in turn about the same frames of held-out simulated '
                    'scenes: start-up, memory, time of an answer and of its first text, several '
                    'sentences about one pair, the size of a question as it is sent, and how '
                    'far the boxes agree.')
    add(parser, '--model')
    parser.add_argument('--engines', type=names, metavar='NAME,...', default=(),
                        help='engines to measure, the first is the reference: openvino, '
                             'transformers, llamacpp f16, llamacpp q8_0 (default: all)')
    add(parser, '--frames', default=60, help='number of frames (default: %(default)s)')
    add(parser, '--seed')
    parser.add_argument('--threads', type=count, metavar='N', default=1,
                        help='inference threads of each engine (default: %(default)s)')
    parser.add_argument('--roofline', type=names, nargs='?', const=(), metavar='MODEL,...',
                        help='set beside what models are expected to need on other devices, '
                             'derived and marked as that (default without a name: Qwen3-VL 2B '
                             'and 4B)')
    add(parser, '--out', help='folder for a plot, engine.svg (default: none)')
    add(parser, '--json')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.engine.benchmark import candidates, run_engines
    from rtrack_ros.benchmarks.engine.roofline import as_json, roofline_table, source_lines
    from rtrack_ros.benchmarks.engine.table import engine_table, machine_line, refused_lines
    from rtrack_ros.benchmarks.record import processor_name
    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress

    derived = _derived(args.roofline)
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
    if derived:
        results.show(roofline_table(derived), *source_lines(derived))
        figures['roofline'] = as_json(derived)
    if args.out is not None:
        from rtrack_ros.benchmarks.engine.plot import engine_plot
        results.write(args.out / 'engine.svg', engine_plot(figures))
    results.json(figures)
    return 0


def _derived(models: 'tuple[str, ...] | None') -> 'list[DerivedFigure]':
    """Return the figures of ``--roofline``; looked up before anything is measured."""
    from rtrack_ros.benchmarks.engine.roofline import MODELS, derived_figures

    return [] if models is None else derived_figures(models or MODELS)
