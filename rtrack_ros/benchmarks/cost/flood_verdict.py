"""What a flood did to the node, beside the same play without: figures, bounds, and a table."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table

from rtrack_ros.benchmarks.cost.flood import FloodRun
from rtrack_ros.benchmarks.cost.strangers import PROMISED_HZ


@dataclass(frozen=True)
class Finding:
    """One promise: what was measured, its bound, and whether it holds."""

    what: str
    value: float
    bound: float
    at_least: bool

    @property
    def holds(self) -> bool:
        """Whether the value keeps the bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def verdict(alone: FloodRun, flooded: FloodRun) -> list[Finding]:
    """Return all that is promised.

    The own sentence is judged three times. By the clock: what a user sees, and what strangers on
    the same machine take with their own work is part of it. By the processor time that the model
    got: what the node itself gives away. By the model's time: how turns are shared.
    """
    def share(part: float, whole: float) -> float:
        return part / whole if whole else 0.0

    def answers(run: FloodRun, of: float) -> float:
        return share(run.own_answers, of)
    by_clock = share(answers(flooded, flooded.seconds), answers(alone, alone.seconds))
    by_processor = share(answers(flooded, flooded.model_cpu_s), answers(alone, alone.model_cpu_s))
    calls = min(share(flooded.tally.get(f'{name} answered', 0), flooded.tally.get(name, 0))
                for name in ('describe', 'initialize'))
    delivered = min(share(flooded.tally.get(name, 0), rate * flooded.tally.get('seconds', 0))
                    for name, rate in PROMISED_HZ.items())
    return [
        Finding('arrays, of those without strangers', share(
            share(flooded.published, flooded.sent), share(alone.published, alone.sent)), 0.98,
                at_least=True),
        Finding('own answers a second, of those without', by_clock, 0.5, at_least=True),
        Finding("own answers a second of the model's processor time, likewise", by_processor, 0.5,
                at_least=True),
        Finding("own sentence's share of the model's time", share(
            flooded.settled_s, flooded.settled_s + flooded.guest_s), 0.5, at_least=True),
        Finding('memory, of that without', share(flooded.peak_mib, alone.peak_mib), 1.3,
                at_least=False),
        Finding('log, MiB', flooded.log_mib, 5.0, at_least=False),
        # Those of the last moment are under way.
        Finding('calls that were answered', calls, 0.97, at_least=True),
        Finding('flood that was sent, of what was promised', delivered, 0.9, at_least=True)]


def tables(alone: FloodRun, flooded: FloodRun) -> Iterator[Table]:
    """Yield the outcome: both plays, and the promises."""
    plays = Table(title='Plays')
    for name in ('', 'alone', 'flooded'):
        plays.add_column(name, justify='right' if name else 'left')
    first, second = dict(_figures(alone)), dict(_figures(flooded))
    for name in first:
        plays.add_row(name, first[name], second[name])
    for name, count in sorted(flooded.tally.items()):
        plays.add_row(f'strangers: {name}', '', f'{count:.0f}')
    yield plays
    promises = Table(title='Promises')
    for name in ('promise', 'value', 'bound', ''):
        promises.add_column(name)
    for finding in verdict(alone, flooded):
        promises.add_row(finding.what, f'{finding.value:.2f}',
                         f'{"at least" if finding.at_least else "at most"} {finding.bound:g}',
                         'holds' if finding.holds else 'FAILS')
    yield promises


def line(name: str, run: FloodRun) -> str:
    """Return one line about a play under way."""
    return (f'{name}: {run.seconds:.0f} s, {run.published} of {run.sent} arrays, '
            f'{run.own_answers} own answers, model {run.settled_s:.0f} s own and '
            f'{run.guest_s:.0f} s guests, {run.peak_mib:.0f} MiB, log {run.log_mib:.2f} MiB')


def _figures(run: FloodRun) -> Iterator[tuple[str, str]]:
    seconds = max(run.seconds, 1e-9)
    yield 'played, s', f'{run.seconds:.0f}{"" if run.whole else " (interrupted)"}'
    yield 'arrays of images', f'{run.published} of {run.sent}'
    yield 'own answers a second', f'{run.own_answers / seconds:.2f}'
    yield ("own answers a second of the model's processor time",
           f'{run.own_answers / max(run.model_cpu_s, 1e-9):.2f}')
    yield "model's turns, own and guests", f'{run.settled_turns} and {run.guest_turns}'
    yield "model's time, own and guests, s", f'{run.settled_s:.0f} and {run.guest_s:.0f}'
    yield 'processor, model and node, cores', (f'{run.model_cpu_s / seconds:.2f} and '
                                               f'{run.node_cpu_s / seconds:.2f}')
    yield 'largest memory, MiB', f'{run.peak_mib:.0f}'
    yield 'log, MiB', f'{run.log_mib:.2f}'
