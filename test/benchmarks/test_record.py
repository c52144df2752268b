import json
import sys

import pytest

from rtrack_ros.benchmarks.record import Record, RecordError, main, processor_in_words, wrap

WRITES = 'import json, sys; json.dump({"f1": 0.5, "curve": [1, 2]}, open(sys.argv[-1], "w"))'


def test_a_command_is_run_with_a_file_for_its_result_and_kept_with_what_it_ran_on(tmp_path):
    status = main(['mine', '--year', '2021', '--folder', str(tmp_path), '--note', 'A note.', '--',
                   sys.executable, '-c', WRITES])
    record = Record.read(tmp_path / 'mine.json')
    assert status == 0
    assert record.result == {'f1': 0.5, 'curve': [1, 2]}
    assert '--json' not in record.command and record.command.startswith(sys.executable)
    assert 'of 2021' in record.processor and 'cores' in record.processor
    assert record.note == 'A note.'


def test_a_finished_run_is_recorded_from_the_file_it_left(tmp_path):
    (tmp_path / 'left.json').write_text('{"hota": 1.5}')
    status = main(['mine', '--year', '2021', '--folder', str(tmp_path / 'records'), '--finished',
                   '--result', str(tmp_path / 'left.json'), '--', 'no-such-program', '--slow'])
    assert status == 0
    assert Record.read(tmp_path / 'records' / 'mine.json').command == 'no-such-program --slow'


def test_nothing_is_recorded_of_a_command_that_fails(tmp_path, capsys):
    status = main(['mine', '--year', '2021', '--folder', str(tmp_path), '--',
                   sys.executable, '-c', 'raise SystemExit(3)'])
    assert status == 2
    assert 'ended with status 3' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_command_that_writes_elsewhere_is_told_how_to_say_where(tmp_path, capsys):
    status = main(['mine', '--year', '2021', '--folder', str(tmp_path), '--',
                   sys.executable, '-c', ''])
    assert status == 2
    assert '--result' in capsys.readouterr().err


def test_what_is_left_out_of_a_result_is_gone_everywhere_and_said():
    record = wrap('mine', ['rtrack', 'benchmark', 'cost'],
                  {'usage': [1], 'live': [{'usage': [2], 'sent': 3}]}, 2021, without=['usage'])
    assert record.result == {'live': [{'sent': 3}]}
    assert 'usage' in record.note


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = Record('mine', 'rtrack benchmark cost', '2026-11-29', 'a processor', {'a': 1},
                    'abc1234', 'A note.')
    assert Record.read(record.write(tmp_path)) == record


def test_a_file_that_is_no_record_names_the_remedy(tmp_path):
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps({'command': 'rtrack', 'result': {}}))
    with pytest.raises(RecordError, match='rtrack_ros.benchmarks.record'):
        Record.read(path)


def test_the_processor_is_named_with_its_vector_instructions(tmp_path, monkeypatch):
    facts = tmp_path / 'cpuinfo'
    facts.write_text('processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n'
                     'flags\t\t: fpu avx2 sse2\n\nprocessor\t: 1\nmodel name\t: another\n')
    monkeypatch.setattr('rtrack_ros.benchmarks.record.CPU_FACTS', facts)
    monkeypatch.setattr('os.cpu_count', lambda: 2)
    assert processor_in_words(2022) == (
        'AMD EPYC (family 25, model 17), of 2022, 2 cores, AVX2')
