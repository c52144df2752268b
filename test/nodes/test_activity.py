"""Rates and latencies of the last seconds."""

import math

import pytest

from rtrack_ros.intake.rates import RateMeter
from rtrack_ros.nodes.activity import LatencyWindow

SECOND = 1_000_000_000


def test_a_rate_is_that_of_the_last_seconds() -> None:
    meter = RateMeter(window_s=3.0)
    assert math.isnan(meter.rate_hz(0))
    for index in range(120):
        meter.tick(index * SECOND // 30)
    assert meter.rate_hz(4 * SECOND) == pytest.approx(30.0, rel=0.01)
    assert meter.rate_hz(20 * SECOND) == 0.0


def test_percentiles_of_latencies() -> None:
    window = LatencyWindow(size=100)
    assert math.isnan(window.newest) and math.isnan(window.percentile(99))
    for value in range(1000):
        window.add(float(value))
    assert window.newest == 999.0
    assert window.percentile(50) == pytest.approx(949.5)
