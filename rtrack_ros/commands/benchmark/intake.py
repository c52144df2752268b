"""``rtrack benchmark intake``: which thermal image a pair gets, how old, and at what cost."""

import argparse
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands.arguments import add

if TYPE_CHECKING:
    from rich.table import Table


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'intake', help='pairs, age of thermal and cost for cameras of other rates and clocks',
        description='Play two cameras by a clock of the benchmark: equal rates, a thermal camera '
                    'of 9 Hz, one that delivers late, stamps that are off, dropped images, '
                    'jitter. Told are the pairs with thermal, the true age of their thermal '
                    'image, the wait of RGB images, and the processor time of a pair, beside '
                    'ApproximateTime of message_filters.')
    add(parser, '--seconds', default=20.0,
                        help='length of every play (default: %(default)g)')
    add(parser, '--seed', '--json')
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON if asked; returns the exit status."""
    from rtrack_ros.benchmarks.intake import run_intake
    from rtrack_ros.commands.results import Results

    figures = run_intake(max(args.seconds, 2.0), args.seed)
    results = Results(args.json)
    results.show(_table(figures))
    results.json(figures)
    return 0


def _table(figures: dict[str, Any]) -> 'Table':
    from rich.table import Table

    table = Table('cameras', 'way', 'published', 'with thermal', 'of its instant',
                  'age ms p50/p95', 'wait ms p50/p95', 'CPU ms')
    for row in figures['rows']:
        table.add_row(row['situation'], row['way'], *(
            f'{row[name]:.0%}' for name in ('published', 'with_thermal', 'fresh')),
            f'{_number(row["age_ms_p50"])} / {_number(row["age_ms_p95"])}',
            f'{_number(row["wait_ms_p50"])} / {_number(row["wait_ms_p95"])}',
            _number(row['cpu_ms'], 2))
    return table


def _number(value: float | None, digits: int = 0) -> str:
    return '-' if value is None else f'{value:.{digits}f}'
