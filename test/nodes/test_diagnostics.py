"""Rates, latencies and what they are called."""

import math
from types import SimpleNamespace

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.language.queries import Query
from rtrack_ros.nodes.diagnostics import (
    Activity,
    Health,
    LatencyWindow,
    RateMeter,
    diagnostic_array,
    status_message,
)
from rtrack_ros.parameters.values import defaults
from rtrack_ros.pipeline import PipelineStats

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


def make_health(thermal: bool = True, pairs: int = 60, queries: int = 1, answered: bool = True,
                last_error: str = '') -> Health:
    activity = Activity(pairs_in=pairs, arrays_out=pairs)
    rgb, warm = RateMeter(), RateMeter()
    for index in range(pairs):
        rgb.tick(index * SECOND // 30)
        activity.pair_rate.tick(index * SECOND // 30)
        activity.receive_to_publish.add(12.0)
    intake = SimpleNamespace(rgb_rate=rgb, thermal_rate=warm, rejected=3, offset_ms=None,
                             thermal_healthy=lambda: thermal)
    stats = PipelineStats(
        pairs=pairs, tracks=2, answers=5 * answered, answers_late=1, answers_stale_epoch=2,
        answers_invalid=3, engine_errors=4, answer_age_ms=200.0 if answered else None,
        answer_latency_ms=150.0 if answered else None, last_error=last_error, questions=19,
        questions_about_crops=7, deadlines_missed=3)
    return Health(2 * SECOND, activity, intake, stats,
                  Capabilities('openvino', 'rtrack-nano', 'CPU', 'int8', 'rel1000', (320, 256),
                               True),
                  tuple(Query(f'q{i}', f'sentence {i}', i) for i in range(queries)),
                  7, defaults())


def test_status_says_what_was_measured_and_nan_where_nothing_was() -> None:
    message = status_message(make_health(queries=2), Time(sec=9), 'camera')
    assert message.header.stamp.sec == 9 and message.header.frame_id == 'camera'
    assert message.query_ids == ['q0', 'q1'] and message.epoch == 7
    assert message.query_texts == ['sentence 0', 'sentence 1']
    assert message.rgb_rate_hz == pytest.approx(30.0, rel=0.01)
    assert math.isnan(message.thermal_rate_hz) and math.isnan(message.stamp_to_publish_ms)
    assert (message.pairs_in, message.arrays_out, message.frames_rejected) == (60, 60, 3)
    assert (message.answers, message.answers_late, message.answers_stale_epoch,
            message.answers_invalid, message.engine_errors) == (5, 1, 2, 3, 4)
    assert (message.engine, message.model) == ('openvino', 'rtrack-nano')
    assert message.message == ''


@pytest.mark.parametrize('health, names, complaint', [
    (make_health(), (b'\x00', b'\x00', b'\x00'), ''),
    (make_health(thermal=False), (b'\x01', b'\x00', b'\x00'), 'thermal/image_raw is silent'),
    (make_health(pairs=0), (b'\x02', b'\x00', b'\x00'), 'no readable images on rgb/image_raw'),
    (make_health(queries=0), (b'\x00', b'\x00', b'\x00'), 'publish a sentence'),
    (make_health(answered=False, last_error='EngineError: out of memory'),
     (b'\x00', b'\x01', b'\x02'), 'out of memory')],
    ids=['well', 'no thermal', 'no rgb', 'no query', 'no answers'])
def test_trouble_is_named(health: Health, names: tuple[bytes, ...], complaint: str) -> None:
    array = diagnostic_array(health, Time())
    assert [status.name for status in array.status] == [
        'rtrack: inputs', 'rtrack: inference', 'rtrack: model']
    assert tuple(status.level for status in array.status) == names
    assert complaint in status_message(health, Time(), '').message


def test_the_model_is_reported_with_what_it_was_asked() -> None:
    status = diagnostic_array(make_health(), Time()).status[2]
    facts = {value.key: value.value for value in status.values}
    assert (facts['questions'], facts['questions about crops'], facts['deadlines missed']) == (
        '19', '7', '3')


def test_late_arrays_warn() -> None:
    health = make_health()
    health.activity.receive_to_publish.add(5000.0)
    for _ in range(10):
        health.activity.receive_to_publish.add(400.0)
    status = diagnostic_array(health, Time()).status[1]
    assert status.level == DiagnosticStatus.WARN and 'late' in status.message
    assert {value.key: value.value for value in status.values}['arrays'] == '60'
