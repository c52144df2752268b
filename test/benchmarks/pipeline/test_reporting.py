"""Checks, tables, plot and record of plays."""

import json

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip('rosbags', reason='recordings need the bag extra')

from rtrack_ros.benchmarks.cost.memory import Usage
from rtrack_ros.benchmarks.pipeline.benchmark import Found, benchmark_record
from rtrack_ros.benchmarks.pipeline.plays import PlayResult
from rtrack_ros.benchmarks.pipeline.processor_share import ShareReport
from rtrack_ros.benchmarks.pipeline.tables import play_table, share_checks, soak_lines
from rtrack_ros.benchmarks.record import Record
from rtrack_ros.benchmarks.result_tables import tables_of


def play(way='ours', share=1.0, age=50.0, delay=20.0, hota=40.0, behind=10.0, **more):
    known = {'way': way, 'share': ShareReport('cgroup v2', share, share - 0.01, 0.5),
             'played_s': 20.0, 'sent': 570, 'published': 560,
             'ages_ms': np.full(100, age), 'delays_ms': np.full(100, delay), 'superseded': 10,
             'behind_ms': behind, 'boxes': 3.0, 'answers': 90, 'answer_ms': 80.0, 'hota': hota,
             'used': 0.4, 'usage': ()}
    return PlayResult(**(known | more))


@pytest.mark.parametrize(('age', 'behind', 'hota', 'held'), [
    (119.0, 60.0, 33.0, [True, True, True]), (121.0, 60.0, 33.0, [False, True, True]),
    (119.0, 70.0, 33.0, [True, False, True]), (119.0, 60.0, 31.0, [True, True, False])])
def test_what_is_asked_of_the_least_share_is_asked_of_our_way_alone(age, behind, hota, held):
    plays = [play(), play('common', age=900.0, hota=5.0), play('common', 0.4, 2000.0, hota=1.0),
             play(share=0.4, age=age, behind=behind, hota=hota)]
    assert [check.holds for check in share_checks(plays)] == held


def test_a_node_that_publishes_nothing_at_the_least_share_fails_the_check():
    silent = play(share=0.4, ages_ms=np.zeros(0), delays_ms=np.zeros(0), hota=0.0)
    checks = list(share_checks([play(), silent]))
    assert not checks[0].holds and any('HOTA' in check.what and not check.holds
                                       for check in checks)


def test_the_busy_model_is_held_to_its_spread_and_to_the_idle_one():
    busy = play(delays_ms=np.concatenate([np.full(97, 20.0), np.full(3, 45.0)]))
    checks = list(Found(model={'busy': busy, 'idle': play(delay=31.0)}).checks())
    assert [round(check.value, 2) for check in checks] == [2.25, 1.45]
    assert [check.holds for check in checks] == [False, True]


def soak(minutes: int, slope_mib_h: float, **more) -> PlayResult:
    usage = tuple(Usage(float(second), 300.0 + (100.0 if second < 300 else 0.0)
                        + slope_mib_h * second / 3600, 0.0) for second in range(minutes * 60))
    return play(share=0.6, usage=usage, **more)


@pytest.mark.parametrize(('minutes', 'warm_up'), [(30, 600), (10, 200)])
def test_memory_counts_from_minute_ten_on_or_from_a_third(minutes, warm_up):
    # What falls in the first five minutes would hide the growth: of ten, a part of it counts.
    found = Found(soak=soak(minutes, 7.0))
    assert found.trend is not None and found.trend.warm_up_s == pytest.approx(warm_up, abs=1)
    if minutes == 30:
        oldest, memory = found.checks()
        assert oldest.holds and not memory.holds and memory.value == pytest.approx(7.0)
        assert next(iter(Found(soak=soak(30, 4.0)).checks())).holds


def test_one_array_too_old_fails_the_soak_and_is_told():
    found = Found(soak=soak(30, 0.0, delays_ms=np.array([20.0] * 99 + [201.0])))
    assert not next(iter(found.checks())).holds
    assert any('1 of 560 arrays were older than 200 ms' in line
               for line in soak_lines(found.soak, found.trend))


def test_every_play_is_a_row_that_fits_a_pipe():
    console = Console(width=120, file=None, record=True)
    console.print(play_table('with the model', {'common 100%': play('common', behind=None),
                                                'ours 40%': play(share=0.4, hota=None)}))
    text = console.export_text()
    assert 'common 100%' in text and '10/570' in text and '…' not in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_record_holds_every_part_and_what_was_stopped():
    found = Found({'ours 100%': play()}, {'10 ours 40%': play(share=0.4)}, {}, soak(30, 0.0))
    record = benchmark_record(found)
    assert record['shares']['ours 100%']['age_ms']['p99'] == 50.0
    assert record['tracks']['10 ours 40%']['share']['asked'] == 0.4
    assert len(record['soak']['usage']) <= 500 and record['memory']['warm_up_s'] > 0
    assert [check['holds'] for check in record['checks']] == [True, True]


def test_age_and_score_of_both_ways_are_drawn_over_the_share_that_was_got():
    pytest.importorskip('matplotlib', reason='plots need the eval extra')
    from rtrack_ros.benchmarks.pipeline.plots import share_figure, share_plot
    plays = [play(share=share, age=age) for share, age in ((1.0, 40.0), (0.4, 90.0))]
    plays += [play('common', share, 600.0, hota=None) for share in (1.0, 0.4)]
    ages, scores = share_figure(plays).axes
    assert len(ages.lines) == 4 and len(scores.lines) == 1
    assert [list(line.get_xdata()) for line in scores.lines] == [[pytest.approx(39), 99]]
    assert share_plot(plays).startswith('<?xml')


def test_the_page_of_figures_shows_a_record_of_it():
    found = Found({'ours 100%': play()}, {'10 ours 40%': play(share=0.4)}, {}, soak(30, 0.0))
    record = Record('pipeline', 'rtrack benchmark pipeline', '2026-11-30', 'a processor',
                    json.loads(json.dumps(benchmark_record(found))))
    text = '\n'.join(tables_of(record))
    assert '| ours 100% | 99% | 50 / 50 | 20 / 20 | 560 for 570 | 3.0 | 80 | 40.0 |' in text
    assert '| 10 ours 40% |' in text and 'MiB an hour' in text and '| at most 200 | yes |' in text
