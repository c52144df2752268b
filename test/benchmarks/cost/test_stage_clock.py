"""Stages are exclusive, add up, and leave no trace in the code they were timed in."""

import pytest

from rtrack_ros import boxes
from rtrack_ros.benchmarks.cost.stage_clock import OTHER, Method, StageClock
from rtrack_ros.intake import thermal


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

    def outer(self) -> int:
        self.ticks.pass_ms(2)
        self.inner()
        self.ticks.pass_ms(3)
        return 7

    def inner(self) -> None:
        self.ticks.pass_ms(10)

    @classmethod
    def made(cls, ticks: Ticks) -> 'Worker':
        ticks.pass_ms(5)
        return cls(ticks)


def test_what_runs_inside_a_stage_is_not_counted_twice() -> None:
    ticks = Ticks()
    clock, worker = StageClock(ticks), Worker(ticks)
    with clock.installed({'a': [Method(Worker, 'outer')], 'b': [Method(Worker, 'inner')]}), \
            clock.whole() as spent:
        ticks.pass_ms(1)
        assert worker.outer() == 7
        worker.inner()
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


def test_class_methods_keep_their_class() -> None:
    ticks = Ticks()
    clock = StageClock(ticks)
    with clock.installed({'made': [Method(Worker, 'made')]}), clock.whole() as spent:
        assert isinstance(Worker.made(ticks), Worker)
    assert spent['made'] == pytest.approx(5)


def test_a_function_is_timed_under_every_name_and_put_back() -> None:
    from rtrack_ros.tracking.motion import field

    clock, original = StageClock(), boxes.iou
    with clock.installed({'iou': [boxes.iou], 'warp': [thermal.register_thermal]}):
        assert boxes.iou is not original
        changed = [name for name, value in vars(field).items() if value is original]
        assert not changed
    assert boxes.iou is original
