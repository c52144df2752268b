"""What ``~/status`` and ``/diagnostics`` say of the node."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.intake.evidence import EvidenceCounts
from rtrack_ros.intake.rates import RateMeter
from rtrack_ros.intake.receiving import IntakeCounts
from rtrack_ros.intake.thermal_state import ThermalState, ThermalStatus
from rtrack_ros.language.queries import Query
from rtrack_ros.nodes.activity import Activity
from rtrack_ros.nodes.diagnostics import (
    NO_CLOCK,
    Health,
    diagnostic_array,
    failure_array,
    status_message,
)
from rtrack_ros.parameters.values import defaults
from rtrack_ros.pipeline_stats import PipelineStats

SECOND = 1_000_000_000


def make_health(thermal: ThermalState = ThermalState.PAIRED, pairs: int = 60,
                queries: int = 1, answered: bool = True, last_error: str = '',
                unanswered: int = 0) -> Health:
    activity = Activity(pairs_in=pairs, arrays_out=pairs)
    rgb, warm = RateMeter(), RateMeter()
    for index in range(pairs):
        rgb.tick(index * SECOND // 30)
        activity.pair_rate.tick(index * SECOND // 30)
        activity.receive_to_publish.add(12.0)
    intake = SimpleNamespace(rgb_rate=rgb, thermal_rate=warm, frames_rejected=3,
                             thermal_is_clock=False,
                             thermal_offset_ms=None, thermal_delay_ms=4.0,
                             thermal_stamp_offset_ms=0.0,
                             evidence=EvidenceCounts(thermal_repeated=6),
                             superseded_rate=RateMeter(),
                             counts=IntakeCounts(rgb_superseded=8),
                             thermal_status=lambda now_ns: ThermalStatus(thermal, 'do this'))
    stats = PipelineStats(
        pairs=pairs, tracks_alive=2, answers=5 * answered, answers_late=1, answers_stale_epoch=2,
        answers_invalid=3, engine_errors=4, answer_age_ms=200.0 if answered else None,
        answer_latency_ms=150.0 if answered else None, last_error=last_error, questions=19,
        questions_about_crops=7, deadlines_missed=3, questions_unanswered=unanswered)
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
    (make_health(ThermalState.SILENT), (b'\x01', b'\x00', b'\x00'), 'has fallen silent'),
    (make_health(ThermalState.STARTING), (b'\x01', b'\x00', b'\x00'), 'waiting for thermal'),
    (make_health(pairs=0), (b'\x02', b'\x00', b'\x00'), 'no readable images on rgb/image_raw'),
    (make_health(queries=0), (b'\x00', b'\x00', b'\x00'), 'publish a sentence'),
    (make_health(answered=False, last_error='EngineError: out of memory'),
     (b'\x00', b'\x01', b'\x02'), 'out of memory'),
    (make_health(last_error='EngineError: takes no connections', unanswered=3),
     (b'\x00', b'\x00', b'\x02'), 'the model does not answer: EngineError: takes no connections'),
    (make_health(last_error='EngineError: takes no connections', unanswered=2),
     (b'\x00', b'\x00', b'\x00'), ''),
    (make_health(queries=0, last_error='EngineError: takes no connections', unanswered=9),
     (b'\x00', b'\x00', b'\x00'), 'publish a sentence')],
    ids=['well', 'no thermal', 'starting', 'no rgb', 'no query', 'no answers',
         'no answers any more', 'single failures', 'failures before the last query went'])
def test_trouble_is_named(health: Health, names: tuple[bytes, ...], complaint: str) -> None:
    array = diagnostic_array(health, Time())
    assert [status.name for status in array.status] == [
        'rtrack: inputs', 'rtrack: inference', 'rtrack: model']
    assert tuple(status.level for status in array.status) == names
    assert complaint in status_message(health, Time(), '').message


def test_the_model_is_reported_with_what_it_was_asked() -> None:
    status = diagnostic_array(make_health(), Time()).status[2]
    facts = {value.key: value.value for value in status.values}
    assert (facts['questions'], facts['questions_about_crops'], facts['deadlines_missed']) == (
        '19', '7', '3')


def test_a_quantity_has_one_name_and_one_value_in_status_and_diagnostics() -> None:
    health = make_health()
    status = status_message(health, Time(), '')
    facts = {item.key: item.value
             for part in diagnostic_array(health, Time()).status for item in part.values}
    shared = set(facts) & set(status.get_fields_and_field_types())
    assert {'rgb_rate_hz', 'pairs_in', 'frames_rejected', 'tracks', 'arrays_out',
            'answers_stale_epoch', 'engine_errors', 'answer_age_ms', 'engine'} <= shared
    for name in shared:
        value = getattr(status, name)
        assert facts[name] == (f'{value:.1f}' if isinstance(value, float) else str(value)), name
    assert all(key.isidentifier() for key in facts)


def test_late_arrays_warn() -> None:
    health = make_health()
    health.activity.receive_to_publish.add(5000.0)
    for _ in range(10):
        health.activity.receive_to_publish.add(400.0)
    status = diagnostic_array(health, Time()).status[1]
    assert status.level == DiagnosticStatus.WARN and 'late' in status.message
    assert {value.key: value.value for value in status.values}['arrays_out'] == '60'


def test_two_trackers_have_diagnostics_of_their_own() -> None:
    health = replace(make_health(queries=0), name='front/eye',
                     query_topic='/front/referring_query')
    message = diagnostic_array(health, Time())
    assert [status.name for status in message.status] == [
        'front/eye: inputs', 'front/eye: inference', 'front/eye: model']
    assert {status.hardware_id for status in message.status} == {'front/eye'}
    assert status_message(health, Time(), '').message.endswith('on /front/referring_query')


@pytest.mark.parametrize('pairs, level', [
    (60, DiagnosticStatus.WARN), (0, DiagnosticStatus.ERROR)])
def test_a_simulated_time_that_does_not_come_is_told_first(pairs: int, level: bytes) -> None:
    health = replace(make_health(pairs=pairs), clock_silent=True)
    inputs = diagnostic_array(health, Time()).status[0]
    assert (inputs.level, inputs.message) == (level, NO_CLOCK)
    assert status_message(health, Time(), '').message == NO_CLOCK


def test_a_failed_configure_is_an_error_of_the_model() -> None:
    status, = failure_array('front/eye', 'no such model; give a folder', Time(sec=3)).status
    assert (status.name, status.level, status.hardware_id) == (
        'front/eye: model', DiagnosticStatus.ERROR, 'front/eye')
    assert status.message == 'cannot configure: no such model; give a folder'


def test_images_passed_over_and_a_replay_that_falls_behind_are_told() -> None:
    health = make_health()
    assert status_message(health, Time(), '').frames_superseded == 8
    assert diagnostic_array(health, Time()).status[0].level == DiagnosticStatus.OK
    health.activity.behind_ms = 2300.0
    late = diagnostic_array(health, Time()).status[0]
    assert late.level == DiagnosticStatus.WARN and 'fallen behind by 2.3 s' in late.message
    for index in range(30):
        health.intake.superseded_rate.tick(index * SECOND // 15)
    fast = diagnostic_array(health, Time()).status[0]
    assert fast.level == DiagnosticStatus.WARN and '15.0 of 30.0 a second' in fast.message
    assert status_message(health, Time(), '').message == fast.message
