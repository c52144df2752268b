"""The figures of the benchmark of the pipeline for a terminal, and what they were to be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from rtrack_ros.benchmarks.cost.memory import MemoryTrend
from rtrack_ros.benchmarks.cost.tables import plain_table
from rtrack_ros.benchmarks.pipeline.plays import OURS, PlayResult

LEAST_SHARE: Final = 0.4
AGE_MS: Final = 120.0
HOTA_KEPT: Final = 0.8
QUEUED_MS: Final = 66.7
"""Two periods of a camera of 30 Hz."""
BUSY_RATIO: Final = 1.5
SPREAD: Final = 2.0
OLDEST_MS: Final = 200.0
GROWTH_MIB_H: Final = 5.0


@dataclass(frozen=True)
class Check:
    """A figure beside what it was to be.

    Attributes:
        what: In words, with the unit.
        value: What was measured.
        bound: The limit.
        at_least: Whether the value must reach the limit; otherwise it must not exceed it.
    """

    what: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is as it was to be."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = 'at least' if self.at_least else 'at most'
        return (f'{"yes" if self.holds else "NO "}  {self.what}: {self.value:.2f} '
                f'({sign} {self.bound:g})')


def play_table(title: str, plays: Mapping[str, PlayResult]) -> Table:
    """Return one row a play."""
    table = plain_table(title, 'play', [
        'share', 'got', 'held', 'used', 'age p50', 'p99', 'max', 'pub p50', 'p99', 'max', 'lost',
        'queue', 'boxes', 'answer', 'HOTA'])
    for name, play in plays.items():
        table.add_row(name, *_cells(play))
    return table


def _cells(play: PlayResult) -> Iterator[str]:
    yield f'{play.share.asked:.0%}'
    yield f'{play.share.got:.0%}'
    yield '-' if play.share.held_back is None else f'{play.share.held_back:.0%}'
    yield f'{play.used:.0%}'
    for value in (*(play.age_ms(percent) for percent in (50, 99, 100)),
                  *(play.delay_ms(percent) for percent in (50, 99, 100))):
        yield _number(value)
    yield '-' if play.interrupted else f'{play.sent - play.published}/{play.sent}'
    yield _number(play.behind_ms)
    yield f'{play.boxes:.1f}'
    yield _number(play.answer_ms)
    yield _number(play.hota)


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'


def share_checks(plays: Sequence[PlayResult]) -> Iterator[Check]:
    """Yield what is asked of our way at the least share and without a limit."""
    ours = {round(play.share.asked, 2): play for play in plays if play.way == OURS}
    scarce, free = ours.get(LEAST_SHARE), ours.get(1.0)
    if scarce is not None:
        yield Check(f'age of the newest array at {LEAST_SHARE:.0%}, p99 ms',
                    scarce.age_ms(99) or float('inf'), AGE_MS)
        if scarce.behind_ms is not None:
            yield Check(f'longest time in the queue at {LEAST_SHARE:.0%}, ms', scarce.behind_ms,
                        QUEUED_MS)
    if scarce is not None and free is not None and scarce.hota is not None and free.hota:
        yield Check(f'HOTA at {LEAST_SHARE:.0%} over that without a limit',
                    scarce.hota / free.hota, HOTA_KEPT, at_least=True)


def model_checks(busy: PlayResult, idle: PlayResult) -> Iterator[Check]:
    """Yield what is asked of the model beside the tracker."""
    slow, quick, middle = busy.delay_ms(99), idle.delay_ms(99), busy.delay_ms(50)
    if slow and quick and middle:
        yield Check('stamp to publish with the model busy, p99 over p50', slow / middle, SPREAD)
        yield Check('p99 with the model busy over p99 with a model that takes no time',
                    slow / quick, BUSY_RATIO)


def soak_checks(soak: PlayResult, trend: MemoryTrend | None) -> Iterator[Check]:
    """Yield what is asked of a long play."""
    oldest = soak.delay_ms(100)
    if oldest is not None:
        yield Check('oldest array when it was published, ms', oldest, OLDEST_MS)
    if trend is not None:
        yield Check(f'memory after {trend.warm_up_s:.0f} s, MiB an hour', trend.slope,
                    GROWTH_MIB_H)


def soak_lines(soak: PlayResult, trend: MemoryTrend | None) -> list[str]:
    """Return in words what the long play was, and what no check says."""
    late = int((soak.delays_ms > OLDEST_MS).sum())
    said = [f'played {soak.played_s / 60:.1f} min' + (', stopped early' if soak.interrupted
                                                      else ''),
            f'{late} of {soak.published} arrays were older than {OLDEST_MS:g} ms when published']
    if trend is None:
        return [*said, 'too short for a trend of the memory: it needs a minute after the warm-up']
    return [*said, f'memory {trend.first_mib:.1f} MiB after the warm-up, {trend.last_mib:.1f} '
            f'MiB at the end, {trend.slope:+.2f} MiB/h (95 %: {trend.low:+.2f} to '
            f'{trend.high:+.2f})']
