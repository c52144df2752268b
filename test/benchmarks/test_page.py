from pathlib import Path

import pytest

from rtrack_ros.benchmarks.crops import run_crops, run_sharing
from rtrack_ros.benchmarks.engine.benchmark import run_engines
from rtrack_ros.benchmarks.engine.worker import Candidate
from rtrack_ros.benchmarks.grounding import run_grounding
from rtrack_ros.benchmarks.page import SECTIONS, page
from rtrack_ros.benchmarks.record import Record, RecordError
from rtrack_ros.benchmarks.result_tables import tables_of
from rtrack_ros.engines.scripted import ScriptedEngine

ROOT = Path(__file__).parents[2]

P50 = {'p50': 1.25, 'p95': 2.0}
PLAY = {'played_s': 600.0, 'sent': 90, 'published': 89, 'answers': 33, 'engine_busy': 0.72,
        'stamp_to_publish_ms': {'p50': 17.2, 'p95': 20.0, 'p99': 32.8, 'p100': 34.1},
        'node_cpu_ms_per_image': 21.3,
        'memory': {'first_mib': 466.0, 'last_mib': 472.0, 'slope': 1.5}}
ROW = {'answers': 'oracle', 'idsw': 19, 'idsw_per_1000': 0.91, 'delay_s': 0.37, 'pair_ms': 5.06,
       'deta': 54.3, 'assa': 64.0, 'idf1': 72.1}
OVERLAP = {'ao': 0.62, 'sr50': 0.76, 'static': {'ao': 0.21, 'sr50': 0.2}, 'tracked': {'ao': 0.8}}
WORDS = dict.fromkeys(('category_right', 'motion_right', 'upper_right', 'lower_right',
                       'all_right'), 0.54)
ARM = {name: {'mean': 0.75, 'lowest': 0.7, 'highest': 0.8}
       for name in ('steps', 'f1', 'precision', 'recall', 'false_when_nobody', 'hota')}


def shown(command, result):
    return '\n'.join(tables_of(Record('mine', command, '2026-11-29', 'a processor', result)))


def test_the_page_is_what_its_records_say():
    written = (ROOT / 'docs' / 'benchmarks.md').read_text(encoding='utf-8')
    assert written == page(ROOT / 'docs' / 'benchmarks'), (
        'run python -m rtrack_ros.benchmarks.page > docs/benchmarks.md')


def test_every_section_without_a_record_says_how_to_measure_it(tmp_path):
    text = page(tmp_path)
    for section in SECTIONS:
        assert f'Not recorded yet. To measure it: `{section.command}`' in text


def test_a_record_is_shown_with_command_date_commit_processor_and_note(tmp_path):
    Record('grounding_mine', 'rtrack benchmark grounding --mine', '2026-12-24', 'a processor',
           {'tables': [{'columns': ['F1'], 'rows': [['0.84']]}]}, 'abc1234', 'A note.'
           ).write(tmp_path)
    text = page(tmp_path)
    section = text[text.index('## Finding'):text.index('## Tasks')]
    for part in ('`rtrack benchmark grounding --mine`', '2026-12-24, commit abc1234',
                 'Processor: a processor. A note.', '| F1 |\n| --- |\n| 0.84 |'):
        assert part in section


def test_a_record_that_no_section_names_is_shown_all_the_same(tmp_path):
    Record('weight', 'weigh it', '2026-12-24', 'scales', {'grams': {'net': 7}, 'all': [1, 2]}
           ).write(tmp_path)
    assert '| grams.net | 7 |' in page(tmp_path).split('## Other records')[1]


def test_a_result_of_another_shape_asks_to_be_run_again():
    with pytest.raises(RecordError, match='run it again'):
        shown('rtrack benchmark grounding', {'views': {}})


def test_engines_as_they_are_written_are_shown():
    scripted = Candidate('one', 'scripted', Path('none'), {'script': ['[]']})
    text = shown('rtrack benchmark engine', {**run_engines([scripted], 1, 9_400_000),
                                             'threads': 1})
    assert '| one none | ' in text and '1 / 4 / 10 sentences ms' in text
    assert '1 unseen frame pairs, 1 thread an engine' in text and 'compared with one' in text


def test_grounding_as_it_is_written_is_shown():
    result = run_grounding(ScriptedEngine(image_size=(256, 192)), 1, 9_400_000, 2, 1.0, 'never')
    text = shown('rtrack benchmark grounding', result)
    assert '| **all** | 0.00 | 0.00 | 0.00 |' in text
    assert '| false answers when nobody is meant | 0.00 | 0.00 | 0.00 |' in text
    assert '1 scenes, 36 answers' in text


def test_crops_as_they_are_written_are_shown():
    engine = ScriptedEngine(image_size=(256, 192))
    text = shown('rtrack benchmark crops', {'crops': run_crops(engine, 1, 9_400_000, 2),
                                            'sharing': run_sharing(engine, 1, 9_400_000, 2)})
    assert '| F1 at IoU 0.5 | 0.00 | 0.00 |' in text
    assert '2 of 2 answers are equal' in text


def test_tracking_is_shown_with_what_late_answers_are_compared_with():
    profile = 'orin'
    text = shown('rtrack benchmark tracking --sentences 2', {
        'plan': {'profile': profile, 'sentences': 2, 'draws': 3}, 'scenes': 20, 'sweep_scenes': 4,
        'rows': [{**ROW, 'method': 'rtrack_ros', 'profile': profile, 'hota': 58.94},
                 {**ROW, 'method': 'rtrack_ros', 'profile': 'orin, answers at once', 'hota': 62.1},
                 {**ROW, 'method': 'rtrack_ros', 'profile': '0 s', 'hota': 77.0}],
        'sweep': [{'method': 'ByteTrack', 'profile': '1 s', 'hota': 9.0},
                  {'method': 'rtrack_ros', 'profile': '1 s, answers at once', 'hota': 50.0}]})
    assert '| rtrack_ros | 58.9 | 54.3 | 64.0 | 72.1 | 19 | 0.9 | 0.37 | 5.1 |' in text
    assert '| rtrack_ros, same answers without delay | 62.1 |' in text
    assert '| rtrack_ros, an engine that takes no time | 77.0 |' in text
    assert ('|  | 1 s |\n| --- | --- |\n| ByteTrack | 9.0 |\n| rtrack_ros, no delay | 50.0 |'
            in text)


@pytest.mark.parametrize('command', ['rtrack benchmark cost',
                                     'rtrack benchmark cost --parts pairs live'])
def test_cost_is_shown_with_stages_delays_and_memory(command):
    cell = {'size': [640, 480], 'tracks': 10, 'queries': 3, 'common': None,
            'rtrack_ros': {'stages': {'flow': P50}, 'total': P50, 'answer': P50}}
    beside = {**cell, 'common': {'total': {'p50': 0.5}}, 'ours_over_common': 2.5}
    text = shown(command, {'pairs': [cell, beside], 'live': {'model': PLAY},
                           'soak': {**PLAY, 'memory': None}})
    assert '| 640x480 | 10 | 3 | 1.25 | 1.2 | 1.2 | - | - |' in text
    assert '| 640x480 | 10 | 3 | 1.25 | 1.2 | 1.2 | 0.5 | 2.5 |' in text
    assert '| model | 17 | 33 | 34 | 89 for 90 | 33 | 72% | 21.3 |' in text
    assert '(model): 466 MiB after the warm-up, 472 MiB at the end, +1.5 MiB an hour.' in text


@pytest.mark.parametrize(('command', 'result', 'line'), [
    ('rtrack benchmark clip --rgb x', {
        'clip': 'x.mp4', 'views': {'both': {'followed': 0.91, 'covered': 0.95, 'mean_iou': 0.7,
                                            'answers': 12, 'boxes': 46}},
        'answers': {'the people': {'both': {'recall': 0.9, 'spurious': 17, 'frames': 30}}}},
     '| "the people" | both | 0.90 | 0.57 | 30 |'),
    ('rtrack benchmark calibration', {
        'bins': [{'score': 0.18, 'right': 0.2, 'boxes': 5}], 'mean_score': 0.44,
        'share_right': 0.61, 'boxes': 74, 'error': 0.27, 'brier': 0.18, 'brier_of_constant': 0.24,
        'scenes': 6, 'plan': {'profile': 'orin'}}, '| **0.44** | **0.61** | **74** |'),
    ('rtrack benchmark tasks', {'model': 'nano', 'locate': {'all': OVERLAP}},
     '| locate in the tracker, average overlap | 0.80 |  |'),
    ('rtrack benchmark tasks', {'model': 'nano', 'describe': {'all': WORDS, 'usual_words': WORDS}},
     '| describe: every word | 0.54 | 0.54 (usual words) |'),
    ('rtrack benchmark tasks', {'model': 'nano', 'verify': {
        'all': {'accuracy': 0.95, 'always_no': 0.5}}},
     '| verify, accuracy | 0.95 | 0.50 (always No) |'),
    ('rtrack benchmark learning --parts cas', {'summary': {'1.0': {'none': {
        'gradient_largest': 1.24, 'reward_final': 0.966, 'reward_final_lowest': 0.96,
        'near_ties': None}}}}, '| 1.0 | none | 1.24 | 0.966 | 0.960 | - |'),
    ('rtrack benchmark learning --part thermal', {'rows': {'night': {
        'both': {'hota': 50.0, 'truth_boxes': 8}, 'rgb only': {'hota': 25.0}, 'gain': 1.0}}},
     '| night | 50.0 | 25.0 | +100 % | 8 |'),
    ('rtrack benchmark learning --part=reinforcement', {'rows': {'start': ARM}},
     '| start | 1 | 0.750 (0.700 to 0.800) | 0.750 | 0.750 | 0.750 | 0.8 (0.7 to 0.8) |'),
    ('rtrack demo --out build/demo', {name: 7 for name in (
        'hota', 'deta', 'assa', 'idf1', 'pairs_in', 'arrays_out', 'stamp_to_publish_ms_p50',
        'stamp_to_publish_ms_p99', 'answers', 'answer_age_ms_p50')}, '| answers | 7 |')])
def test_what_a_benchmark_wrote_is_shown(command, result, line):
    assert line in shown(command, result)
