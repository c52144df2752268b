"""``rtrack benchmark engine`` from the command line."""

import json
from pathlib import Path

import pytest

from rtrack_ros.benchmarks.engine import benchmark
from rtrack_ros.cli import main


def test_an_engine_that_is_none_is_refused_with_those_there_are(
        capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['benchmark', 'engine', '--engines', 'tensorrt']) == 2
    assert '--engines: there is no tensorrt; choose from transformers, openvino, ' in (
        capsys.readouterr().err)


def test_what_was_measured_is_shown_and_written(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
        ) -> None:
    figures = {'engine': 'transformers', 'precision': 'float32', 'start_s': 21.0,
               'memory_mib': 160,
               'ms_p50': 270.4, 'ms_p95': 290.0, 'cpu_ms': 168.0, 'first_ms_p50': 250.0,
               'tokens_per_s': 1500, 'sent_kb': 397.2,
               'sentences_ms': {'1': 170.0, '4': 1150.0, '10': 3300.0},
               'same_text': 1.0, 'mean_iou': 0.994}

    def run(found, frames, seed, progress):
        assert [one.label for one in found] == ['openvino']
        assert found[0].options == {'threads': 2} and frames == 3
        return {'frames': frames, 'reference': 'openvino', 'load_before': 0.5, 'load_after': 1.5,
                'engines': {'openvino': figures}, 'refused': {'other': 'it is not there'}}
    monkeypatch.setattr(benchmark, 'run_engines', run)
    path = tmp_path / 'engine.json'
    assert main(['benchmark', 'engine', '--engines', 'openvino', '--frames', '3', '--threads', '2',
                 '--json', str(path), '--out', str(tmp_path), '--roofline',
                 'Qwen/Qwen3-VL-2B-Instruct']) == 0
    shown = capsys.readouterr().out
    assert 'openvino float32' in shown and '170 / 1150 / 3300' in shown
    assert '397' in shown and 'DERIVED, not measured here' in shown
    assert 'load 0.5 before and 1.5 after' in shown
    assert 'other does not work here: it is not there' in shown
    written = json.loads(path.read_text())
    assert written['threads'] == 2 and written['roofline']['kind'] == 'derived, not measured'
    assert (tmp_path / 'engine.svg').read_text().startswith('<?xml')
