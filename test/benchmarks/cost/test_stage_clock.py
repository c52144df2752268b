"""Stages are exclusive, add up, and leave no trace in the code they were timed in."""

import pytest

from rtrack_ros.benchmarks.cost.stage_clock import OTHER, StageClock


class Ticks:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns

    def pass_ms(self, milliseconds: float) -> None:
        self.now_ns += int(milliseconds * 1e6)


class Worker:
    """Something with methods to be timed."""

    def __init__(self, ticks: Ticks) -> None:
        self.ticks = ticks
        self.name = 'worker'

    def outer(self) -> int:
        self.ticks.pass_ms(2)
        self.inner()
        self.ticks.pass_ms(3)
        return 7

    def inner(self) -> None:
        self.ticks.pass_ms(10)


def test_what_runs_inside_a_stage_is_not_counted_twice() -> None:
    ticks = Ticks()
    clock = StageClock(ticks)
    inner = clock.timed('b', Worker(ticks))
    with clock.whole() as spent:
        ticks.pass_ms(1)
        with clock.stage('a'):
            ticks.pass_ms(5)
            inner.inner()
        inner.inner()
    assert spent == pytest.approx({'a': 5, 'b': 20, OTHER: 1})


def test_one_pair_does_not_carry_over_into_the_next() -> None:
    ticks = Ticks()
    clock = StageClock(ticks)
    with clock.whole() as first, clock.stage('a'):
        ticks.pass_ms(4)
    ticks.pass_ms(100)
    with clock.whole() as second:
        ticks.pass_ms(1)
    assert first == pytest.approx({'a': 4, OTHER: 0})
    assert second == pytest.approx({OTHER: 1})


def test_a_stage_ends_with_an_exception() -> None:
    ticks = Ticks()
    clock = StageClock(ticks)
    with clock.whole() as spent:
        with pytest.raises(KeyError), clock.stage('a'):
            ticks.pass_ms(4)
            raise KeyError
        ticks.pass_ms(2)
    assert spent == pytest.approx({'a': 4, OTHER: 2})


def test_a_timed_object_answers_as_the_object_does() -> None:
    ticks = Ticks()
    clock, worker = StageClock(ticks), Worker(ticks)
    timed = clock.timed('work', worker)
    with clock.whole() as spent:
        assert timed.outer() == 7
        assert timed.name == 'worker'
    assert spent == pytest.approx({'work': 15, OTHER: 0})
