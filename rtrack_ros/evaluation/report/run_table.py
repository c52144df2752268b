"""The figures of a run that are no scores, as a table for a terminal."""

from collections.abc import Mapping

from rich.table import Table

SHOWN = ('pairs_in', 'arrays_out', 'stamp_to_publish_ms_p50', 'stamp_to_publish_ms_p99', 'answers',
         'answer_age_ms_p50')


def run_table(metrics: Mapping[str, object]) -> Table:
    """Return how many pairs and arrays there were, and how late arrays and answers came.

    Args:
        metrics: What ``run_metrics`` returns.
    """
    table = Table(show_header=False, box=None)
    for name in SHOWN:
        table.add_row(name, str(metrics[name]))
    return table
