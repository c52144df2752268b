"""The figures of the benchmark of cost as tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.benchmarks.cost.live import LiveCost
from rtrack_ros.benchmarks.cost.memory import memory_trend
from rtrack_ros.benchmarks.cost.pair_cost import STAGES, PathCost

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.cost.benchmark import Cell


def plain_table(title: str, first: str, names: Sequence[str]) -> Table:
    """Return an empty table whose columns of figures fit side by side."""
    # Fifteen columns fit into a pipe's 110 only with one space, the box's own, between them.
    table = Table(title=title, title_justify='left', header_style='bold', box=SIMPLE_HEAD,
                  padding=0)
    table.add_column(first, no_wrap=True)
    for name in names:
        table.add_column(name, justify='right', no_wrap=True)
    return table


def pair_table(cells: 'Sequence[Cell]') -> Table:
    """Return one row a workload: stages of our way, its whole, and the common way's whole."""
    table = plain_table('processor time per pair on one core, ms, median', 'tracks/queries',
                   [*STAGES, 'all', 'p95', 'answer', 'common', 'ratio'])
    for number, cell in enumerate(cells):
        load, ours = cell.workload, cell.ours
        common = ('-', '-') if cell.common is None else (
            f'{cell.common.total.p50:.2f}', f'{ours.total.p50 / cell.common.total.p50:.1f}')
        last = number + 1 == len(cells) or cells[number + 1].workload.size != load.size
        table.add_row(f'{load.size[0]}x{load.size[1]}  {load.tracks}/{load.queries}',
                      *(f'{ours.stages[name].p50:.2f}' for name in STAGES),
                      f'{ours.total.p50:.2f}', f'{ours.total.p95:.2f}', f'{ours.answer.p50:.1f}',
                      *common, end_section=last)
    return table


def live_table(plays: Mapping[str, LiveCost]) -> Table:
    """Return one row a play: delays, losses, how busy the engine was, memory."""
    table = plain_table(
        'stamp to publication through the node over DDS, 640x480 at 30 Hz', 'engine',
        ['p50 ms', 'p99 ms', 'max ms', 'lost', 'tracks', 'answers', 'failed', 'busy', 'node ms',
         'peak MiB', 'MiB/h'])
    for name, cost in plays.items():
        trend = memory_trend(list(cost.usage))
        peak = max((sample.rss_mib for sample in cost.usage), default=0.0)
        table.add_row(
            name, *(_number(cost.delay_ms(share)) for share in (50, 99, 100)),
            '-' if cost.interrupted else f'{cost.sent - cost.published}/{cost.sent}',
            f'{cost.tracks:.1f}', str(cost.answers), str(cost.failures), f'{cost.busy:.0%}',
            f'{cost.node_ms:.1f}', f'{peak:.0f}',
            '-' if trend is None else f'{trend.slope:+.1f}')
    return table


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'


def lines(cells: 'Sequence[Cell]', growths: Mapping[str, float],
          quality: Mapping[str, Mapping[str, float]], soak: LiveCost | None) -> list[str]:
    """Return in words what no table holds: equal parts, growth, pairing, memory, a missing way."""
    said = list(_like_for_like(cells))
    said += [f'growth {name}: {value:.2f} times' for name, value in growths.items()]
    said += [f'{name}: {shares["ours_published"]:.0%} of RGB images go on '
             f'({shares["ours_with_thermal"]:.0%} with thermal), by ApproximateTime '
             f'{shares["common_published"]:.0%}' for name, shares in quality.items()]
    said += _memory(soak)
    if any(cell.common is None for cell in cells):
        said.append("the common way was left out; install ByteTrack in the folder of rtrack_ros: "
                    "pip install '.[bytetrack]'")
    return said


def _like_for_like(cells: 'Sequence[Cell]') -> Iterator[str]:
    """Yield what both ways do: pairing with conversion, and association, by image size.

    The common way has no flow and pays for a detector instead, which is not measured here.
    """
    for size in dict.fromkeys(cell.workload.size for cell in cells):
        known = [(cell.ours, cell.common) for cell in cells
                 if cell.workload.size == size and cell.common is not None]
        if known:
            ours, common = (float(np.median([_intake_ms(cost) for cost in costs]))
                            for costs in zip(*known, strict=True))
            yield (f'{size[0]}x{size[1]}: intake {ours:.2f} ms, the common way '
                   f'{common:.2f} ms ({ours / common:.2f} times)')


def _intake_ms(cost: PathCost) -> float:
    return cost.stages['intake'].p50


def _memory(soak: LiveCost | None) -> list[str]:
    trend = None if soak is None else memory_trend(list(soak.usage))
    if soak is None or trend is None:
        return []
    return [f'memory over {soak.played_s / 60:.1f} min: {trend.first_mib:.1f} MiB after '
            f'{trend.warm_up_s:.0f} s of warm-up, {trend.last_mib:.1f} MiB at the end, '
            f'{trend.slope:+.2f} MiB/h (95 %: {trend.low:+.2f} to {trend.high:+.2f})'
            + (', interrupted' if soak.interrupted else '')]
