"""Derived figures say that they are, and where they come from."""

import pytest

from rtrack_ros.benchmarks.engine.roofline import (
    as_json,
    derived_figures,
    roofline_table,
    source_lines,
)
from rtrack_ros.engines.targets.devices import DEVICES


@pytest.fixture(scope='module')
def figures():
    return derived_figures()


def test_every_device_with_a_gpu_is_there_with_every_model(figures):
    assert [one.device for one in figures] == [
        name for name in DEVICES if name != 'cpu' for _ in range(2)]


def test_vendor_rates_are_taken_to_our_question(figures):
    orin = next(one for one in figures if one.device == 'jetson-orin' and '2B' in one.model)
    # 600 visual tokens, 80 of words and 39 of the answer, at the rates for Orin.
    assert orin.answer_ms == pytest.approx(
        36.2 * 600 / 265 + 45.7 * 680 / 292 + 39 / 98.9 * 1e3)
    assert orin.memory_gb == pytest.approx(4.554) and 'Edge-LLM' in orin.sources[1]


def test_without_a_rate_the_roof_is_bandwidth_over_the_bytes_of_a_token(figures):
    ada = next(one for one in figures if one.device == 'rtx-40' and '4B' in one.model)
    # FP8: 3.63 GB of layers and the head at 16 bit, read at 70 % of 1008 GB/s.
    rate = 1008.0 * 0.7 / (3.63 + 2 * 0.389)
    assert ada.answer_ms == pytest.approx(39 / rate * 1e3, rel=0.02)
    assert 'no figure for the images before' in ada.covers
    assert ada.sources[1].startswith('derived: ')


def test_what_is_written_is_marked_as_derived(figures):
    assert as_json(figures)['kind'] == 'derived, not measured'
    assert 'DERIVED' in str(roofline_table(figures).title)
    assert all(line.startswith('derived figure, source: ') for line in source_lines(figures))
