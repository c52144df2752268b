"""The benchmark of engines, on scripted ones whose figures are known."""

from pathlib import Path

import pytest

from rtrack_ros.benchmarks.engine.benchmark import _fits, run_engines
from rtrack_ros.benchmarks.engine.plot import engine_figure
from rtrack_ros.benchmarks.engine.table import engine_table
from rtrack_ros.benchmarks.engine.worker import Candidate, EngineWorker
from rtrack_ros.engines.base import EngineError
from rtrack_ros.frames import FramePair
from rtrack_ros.simulation import make_scene

SEED = 9_400_010
ONE = '[{"bbox_2d": [100, 100, 300, 300], "label": "person"}]'
SHIFTED = '[{"bbox_2d": [100, 100, 300, 200], "label": "person"}]'


def scripted(label: str, text: str, delay_s: float = 0.0) -> Candidate:
    return Candidate(label, 'scripted', Path('none'), {'script': [text], 'delay_s': delay_s})


@pytest.fixture(scope='module')
def result():
    return run_engines([Candidate('broken', 'openvino', Path('nowhere')), scripted('one', ONE),
                        scripted('same', ONE, 0.08), scripted('half', SHIFTED)], 6, SEED)


def test_the_first_that_works_is_the_reference_and_others_say_why_they_do_not(result):
    assert result['reference'] == 'one'
    assert list(result['engines']) == ['one', 'same', 'half']
    assert 'nowhere is not there' in result['refused']['broken']


def test_agreement_is_that_of_the_boxes(result):
    engines = result['engines']
    assert [engines[name]['same_text'] for name in ('one', 'same', 'half')] == [1.0, 1.0, 0.0]
    assert [engines[name]['mean_iou'] for name in ('one', 'same', 'half')] == [1.0, 1.0, 0.5]
    assert [engines[name]['same_boxes'] for name in ('one', 'same', 'half')] == [1.0, 1.0, 0.0]
    assert engines['one']['boxes'] == 6


def test_times_are_those_of_an_answer_and_of_all_sentences_about_a_pair(result):
    slow, quick = result['engines']['same'], result['engines']['one']
    assert 80 <= slow['ms_p50'] <= slow['ms_p95'] and quick['ms_p50'] < 80
    assert slow['sentences_ms']['4'] >= 4 * 80 and slow['sentences_ms']['10'] >= 10 * 80
    assert slow['cpu_ms'] < 80  # it sleeps


def test_the_table_has_a_row_for_each(result):
    table = engine_table(result)
    assert table.row_count == 3
    assert list(table.columns[-1].cells) == ['1.000', '1.000', '0.500']


def test_the_plot_has_a_row_for_each_engine_and_a_bar_for_each_number_of_sentences(result):
    left, right = engine_figure(result).axes
    assert [label.get_text() for label in left.get_yticklabels()] == [
        'one none', 'same none', 'half none']
    assert [bar.get_width() for bar in left.patches] == [
        one['ms_p50'] for one in result['engines'].values()]
    drawn = [bar.get_width() for bar in right.patches]
    assert drawn == [one['sentences_ms'][number] for number in ('1', '4', '10')
                     for one in result['engines'].values()]


def test_where_no_engine_works_every_reason_is_told():
    with pytest.raises(EngineError, match=r'no engine works here\. broken: nowhere is not there'):
        run_engines([Candidate('broken', 'openvino', Path('nowhere'))], 1, SEED)


def test_a_worker_answers_in_the_order_of_the_sentences():
    frame = make_scene(SEED, 1.0).frame(0)
    worker = EngineWorker(Candidate('two', 'scripted', Path('none'), {'script': [ONE, SHIFTED]}))
    heard = worker.ask(FramePair(frame.stamp_ns, frame.rgb, None), ('a', 'b'))
    worker.close()
    assert [said.text for said in heard.answers] == [ONE, SHIFTED]
    assert heard.answers[0].ms <= heard.answers[1].ms <= heard.ms


@pytest.mark.parametrize('boxes, fits', [
    ([(0, 0, 10, 10)], [1.0]), ([], [0.0]), ([(0, 0, 10, 10), (50, 50, 60, 60)], [1.0, 0.0])])
def test_a_box_without_a_partner_counts_as_one_that_does_not_fit(boxes, fits):
    assert _fits([(0, 0, 10, 10)], boxes) == fits
