"""The table of ``rtrack benchmark engine``."""

from typing import Any

from rich.table import Table

from rtrack_ros.benchmarks.engine.benchmark import SENTENCES

_COLUMNS = ('engine', 'start', 'MiB', 'p50', 'p95', 'CPU', 'first', 'token/s', 'kB',
            ' / '.join(map(str, SENTENCES)), 'same', 'IoU')


def engine_table(result: dict[str, Any]) -> Table:
    """Return the result of ``benchmark.run_engines`` as a table, one row an engine."""
    table = Table(title=f"{result['frames']} unseen frame pairs, the engines in turn. Seconds to "
                        'start; milliseconds of an answer, of its processor time, to its first '
                        'text; kB of a question as it is sent to a server; milliseconds '
                        f"of {', '.join(map(str, SENTENCES))} sentences about one pair; "
                        f"same text and IoU of boxes with {result['reference']}")
    for column in _COLUMNS:
        table.add_column(column, justify='left' if column == 'engine' else 'right',
                         no_wrap=True)
    for label, one in result['engines'].items():
        several = (f"{one['sentences_ms'][str(number)]:.0f}" for number in SENTENCES)
        table.add_row(
            name_of(label, one), f"{one['start_s']:.1f}", str(one['memory_mib']),
            *(f'{one[name]:.0f}' for name in ('ms_p50', 'ms_p95', 'cpu_ms', 'first_ms_p50')),
            str(one['tokens_per_s'] or '-'), sent(one), ' / '.join(several),
            f"{one['same_text']:.2f}",
            '-' if one['mean_iou'] is None else f"{one['mean_iou']:.3f}")
    return table


def name_of(label: str, figures: dict[str, Any]) -> str:
    """Return how an engine is called: its label, with its precision."""
    precision = str(figures['precision'])
    return label if precision in label else f'{label} {precision}'


def sent(figures: dict[str, Any]) -> str:
    """Return the size of a question in kB, '-' where none goes to a server."""
    return f"{figures['sent_kb']:.0f}" if figures.get('sent_kb') else '-'


def machine_line(result: dict[str, Any], processor: str) -> str:
    """Return on what it ran, and how busy that was."""
    return (f"{processor}; load {result['load_before']} before and {result['load_after']} after "
            '(processes that wanted a core, the engines included)')


def refused_lines(result: dict[str, Any]) -> list[str]:
    """Return a line for each engine that does not work here."""
    return [f'{label} does not work here: {reason}'
            for label, reason in result['refused'].items()]
