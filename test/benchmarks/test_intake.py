"""The benchmark of the intake tells a right pairing from a wrong one."""

import pytest

from rtrack_ros.benchmarks.intake import SITUATIONS, Situation, arrivals, run_intake
from rtrack_ros.benchmarks.record import Record
from rtrack_ros.benchmarks.result_tables import tables_of


@pytest.fixture(scope='module')
def figures() -> dict:
    return run_intake(seconds=4.0, size=(64, 48))


def row(figures: dict, situation: str, way: str = 'rtrack_ros') -> dict:
    return next(item for item in figures['rows']
                if item['situation'] == situation and item['way'].startswith(way))


def told(figures: dict, situation: str) -> dict:
    return row(figures, situation, 'rtrack_ros, ')


def test_every_situation_has_a_row_of_ours_and_one_of_the_common_way(figures: dict) -> None:
    for situation in SITUATIONS:
        ours = row(figures, situation.name)
        assert ours['published'] >= 0.98 and ours['with_thermal'] >= 0.9
        assert ours['cpu_ms'] > 0 and ours['wait_ms_p95'] <= 31
        row(figures, situation.name, 'ApproximateTime')


def test_a_slow_camera_accompanies_all_rgb_images(figures: dict) -> None:
    ours, common = row(figures, '30/9'), row(figures, '30/9', 'ApproximateTime')
    assert ours['with_thermal'] >= 0.97 > 0.35 > common['with_thermal']
    assert ours['fresh'] == pytest.approx(0.3, abs=0.03) and ours['age_ms_p95'] <= 112


def test_late_delivery_pairs_with_the_parameter_that_the_status_names(figures: dict) -> None:
    name = '30/9, 100 ms late'
    assert row(figures, name)['fresh'] == 0
    assert 'raise sync.max_wait_ms to 1' in row(figures, name)['status']
    assert told(figures, name)['fresh'] >= 0.2
    assert told(figures, name)['age_ms_p50'] < row(figures, name)['age_ms_p50'] - 60


def test_wrong_stamps_are_seen_in_the_true_age_and_named(figures: dict) -> None:
    name = '30/30, stamps 120 ms ahead'
    assert row(figures, name)['age_ms_p50'] == pytest.approx(120, abs=20)
    assert 'set sync.thermal_offset_ms to 1' in row(figures, name)['status']
    assert told(figures, name)['age_ms_p95'] == 0 and told(figures, name)['fresh'] >= 0.98


def test_dropped_and_jittering_images_cost_few_pairs(figures: dict) -> None:
    for name in ('30/30, 20 % dropped', '30/30, jitter 15 ms'):
        ours, common = row(figures, name), row(figures, name, 'ApproximateTime')
        assert ours['with_thermal'] >= common['with_thermal'] + 0.08


def test_the_play_is_the_same_on_every_machine_and_as_described() -> None:
    situation = Situation('mine', 9, 100, 120, 0.2, 15)
    images = arrivals(situation, 4.0, 3)
    assert images == arrivals(situation, 4.0, 3) != arrivals(situation, 4.0, 4)
    assert [image.at_ms for image in images] == sorted(image.at_ms for image in images)
    assert 0.6 * 156 < len(images) < 0.95 * 156


def test_the_result_has_a_table(figures: dict) -> None:
    table, = tables_of(Record('intake', 'rtrack benchmark intake', '2026-11-29', 'a processor',
                              figures))
    assert len(table.splitlines()) == 2 + len(figures['rows'])
    assert '| 30/9 | ApproximateTime | 3' in table
