"""The table of ``rtrack benchmark engine``."""

from typing import Any

from rich.table import Table

from rtrack_ros.benchmarks.engine.benchmark import SENTENCES

_COLUMNS = ('engine', 'start', 'MiB', 'p50', 'p95', 'CPU', 'first', 'token/s',
            ' / '.join(map(str, SENTENCES)), 'same', 'IoU')


def engine_table(result: dict[str, Any]) -> Table:
    """Return the result of ``benchmark.run_engines`` as a table, one row an engine."""
    table = Table(title=f"{result['frames']} unseen frame pairs, the engines in turn. Seconds to "
                        'start; milliseconds of an answer, of its processor time, to its first '
                        f"text, and of {', '.join(map(str, SENTENCES))} sentences about one pair; "
                        f"same text and IoU of boxes with {result['reference']}")
    for column in _COLUMNS:
        table.add_column(column, justify='left' if column == 'engine' else 'right',
                         no_wrap=True)
    for one in result['engines'].values():
        several = (f"{one['sentences_ms'][str(number)]:.0f}" for number in SENTENCES)
        table.add_row(
            f"{one['engine']} {one['precision']}", f"{one['start_s']:.1f}",
            str(one['memory_mib']),
            *(f'{one[name]:.0f}' for name in ('ms_p50', 'ms_p95', 'cpu_ms', 'first_ms_p50')),
            str(one['tokens_per_s'] or '-'), ' / '.join(several), f"{one['same_text']:.2f}",
            '-' if one['mean_iou'] is None else f"{one['mean_iou']:.3f}")
    return table


def machine_line(result: dict[str, Any], processor: str) -> str:
    """Return on what it ran, and how busy that was."""
    return (f"{processor}; load {result['load_before']} before and {result['load_after']} after "
            '(processes that wanted a core, the engines included)')


def refused_lines(result: dict[str, Any]) -> list[str]:
    """Return a line for each engine that does not work here."""
    return [f'{label} does not work here: {reason}'
            for label, reason in result['refused'].items()]
