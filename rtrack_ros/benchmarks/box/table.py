"""The figures of ``run_boxes`` as a table for the terminal, and as rows for the page."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.benchmarks.box.benchmark import mean_of_conditions
from rtrack_ros.simulation import CONDITIONS


def box_rows(figures: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows: average overlap by clip and condition, then the costs."""
    overlap, cost = figures['overlap'], figures['cost']
    methods = list(cost)
    rows = [[group, *(f'{found[name]["ao"]:.2f}' for name in methods),
             str(found[methods[0]]['frames'])] for group, found in overlap.items()]
    scenes = [mean_of_conditions(overlap, CONDITIONS, name) for name in methods]
    if None not in scenes:
        frames = sum(overlap[name][methods[0]]['frames'] for name in CONDITIONS
                     if name in overlap)
        rows.append(['all scenes', *(f'{value:.2f}' for value in scenes), str(frames)])
    rows.append(['a frame, ms (median)', *(f'{cost[name]["median_ms"]:.1f}' for name in methods),
                 ''])
    rows.append(['a frame, ms (p99)', *(f'{cost[name]["p99_ms"]:.1f}' for name in methods), ''])
    return ['average overlap', *methods, 'frames'], rows


def box_table(figures: Mapping[str, Any]) -> Table:
    """Return the table for the terminal."""
    headings, rows = box_rows(figures)
    table = Table(box=SIMPLE_HEAD, title='One target from its first box', title_justify='left')
    table.add_column(headings[0])
    for heading in headings[1:]:
        table.add_column(heading, justify='right')
    for row in rows:
        table.add_row(*row)
    return table
