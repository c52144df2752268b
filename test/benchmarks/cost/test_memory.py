"""The trend of memory: exact on a line, deaf to a step in the warm-up, and of a real process."""

import os

import numpy as np
import pytest

from rtrack_ros.benchmarks.cost.memory import Usage, memory_trend, usage_of


def samples(minutes: float, slope: float, noise: float = 0.0, load: float = 0.0) -> list[Usage]:
    """Return a sample a second: a line in MiB/h with noise, after ``load`` MiB of loading."""
    rng = np.random.default_rng(5)
    times = np.arange(0.0, minutes * 60, 1.0)
    memory = 400 + slope * times / 3600 + rng.normal(0, noise, len(times)) - load * (times < 30)
    return [Usage(float(at), float(rss), 0.0) for at, rss in zip(times, memory, strict=True)]


def test_a_leak_is_found_to_the_megabyte() -> None:
    trend = memory_trend(samples(10, slope=60))
    assert trend is not None and trend.slope == pytest.approx(60)
    assert trend.warm_up_s == pytest.approx(0.2 * 599)
    assert trend.last_mib - trend.first_mib == pytest.approx(60 * (0.8 * 0.9 * 10) / 60, rel=0.02)


def test_noise_is_not_a_leak() -> None:
    trend = memory_trend(samples(10, slope=0, noise=0.5))
    assert trend is not None
    assert trend.low < 0 < trend.high and abs(trend.slope) < 2


def test_ups_and_downs_of_minutes_are_not_a_leak() -> None:
    swinging = [Usage(time_s, 500 + time_s % 330 / 33, 0.0) for time_s in range(0, 1800, 4)]
    trend = memory_trend(swinging, 1 / 3, 600)
    assert trend is not None and trend.low < 0 < trend.high


def test_loading_during_the_warm_up_does_not_count() -> None:
    trend = memory_trend(samples(10, slope=0, load=300))
    assert trend is not None and trend.slope == pytest.approx(0)


def test_the_warm_up_of_a_long_soak_is_five_minutes() -> None:
    trend = memory_trend(samples(40, slope=1))
    assert trend is not None and trend.warm_up_s == 300


def test_too_few_samples_say_nothing() -> None:
    assert memory_trend([]) is None
    assert memory_trend(samples(1.2, slope=1)) is None


def test_a_process_shows_what_it_takes() -> None:
    before = usage_of(os.getpid(), 0.0)
    block = np.ones(40 << 20, np.uint8)
    after = usage_of(os.getpid(), 1.0)
    assert 30 < after.rss_mib - before.rss_mib < 60, block.nbytes
    assert after.cpu_s >= before.cpu_s > 0
