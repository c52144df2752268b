"""``rtrack benchmark grounding`` from the command line, on one scene."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rtrack_ros.benchmarks.grounding import cases
from rtrack_ros.cli import main
from rtrack_ros.engines import registry
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.evaluation.metrics import answer_accuracy
from rtrack_ros.language.answers import Box
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.grammar import render_answer

SEED = 9_400_010
COMMAND = ['benchmark', 'grounding', '--scenes', '1', '--seed', str(SEED), '--sentences', '2',
           '--refine', 'never']


def written(truth: tuple[Box, ...], size: tuple[int, int] = (640, 480)) -> str:
    """Return what a model would write that knows the truth."""
    return render_answer([(model_from_pixels(box, 'rel1000', size, size), 'person')
                          for box in truth])


@pytest.fixture
def knows_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer every question with its truth, and with nothing where RGB is blanked."""
    texts = []
    for case in cases(SEED, 2):
        truth = written(case.truth)
        texts += [truth, truth, '[]']
    monkeypatch.setattr(registry, 'load_engine', lambda name, model: ScriptedEngine(texts))


def test_the_table_has_every_view_and_the_file_the_same_figures(
        knows_the_truth: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'made' / 'grounding.json'
    assert main([*COMMAND, '--json', str(path)]) == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if ' all ' in line)
    assert [cell for cell in row.split() if cell[0].isdigit()] == ['1.000', '1.000', '0.000']
    assert 'thermal only' in shown and '36 answers' in shown and f'wrote {path}' in shown
    figures = json.loads(path.read_text())
    assert {view: scores['all']['f1'] for view, scores in figures['views'].items()} == {
        'both': 1.0, 'rgb only': 1.0, 'thermal only': 0.0}
    assert (figures['model'], figures['first_seed'], figures['refine']) == ('script', SEED,
                                                                            'never')
    assert set(figures['views']['both']['by_condition']) == {
        'day', 'dusk', 'night', 'smoke', 'glare', 'crossover'}


def test_json_on_standard_output_is_alone_there(
        knows_the_truth: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, '--json', '-']) == 0
    assert json.loads(capsys.readouterr().out)['answers'] == 36


def test_the_shipped_model_finds_objects(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('openvino_genai', reason='the shipped model runs on OpenVINO')
    assert main(['benchmark', 'grounding', '--scenes', '1', '--seed', str(SEED), '--sentences',
                 '1', '--refine', 'never', '--json', '-']) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures['model'], figures['engine']) == ('rtrack-nano', 'openvino')
    assert figures['views']['both']['all']['f1'] > 0.3


def test_a_model_that_is_not_there_names_the_remedy(tmp_path: Path,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, '--model', str(tmp_path / 'none'), '--engine', 'openvino']) == 2
    assert capsys.readouterr().err.startswith('rtrack benchmark: ')


def test_the_accuracy_goes_into_the_manifest_and_nothing_else_changes(
        knows_the_truth: None, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_accuracy, '_MIN_MATCHES', 3)
    manifest = ModelManifest('some', 'rel1000', (320, 256), ('person',), 'brief', 7)
    manifest.write(tmp_path)
    assert main([*COMMAND, '--model', str(tmp_path), '--write-accuracy']) == 0
    assert f'wrote {tmp_path / "rtrack.json"}' in capsys.readouterr().out
    written = ModelManifest.read(tmp_path)
    assert written.accuracy.detection_probability == 0.99
    assert written.accuracy.false_alarm_probability == 0.01
    assert replace(written, accuracy=None) == manifest


def test_too_few_right_boxes_write_nothing(knows_the_truth: None, tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_accuracy, '_MIN_MATCHES', 1000)
    ModelManifest('some', 'rel1000', (320, 256)).write(tmp_path)
    before = (tmp_path / 'rtrack.json').read_bytes()
    assert main([*COMMAND, '--model', str(tmp_path), '--write-accuracy']) == 2
    assert 'Give more --scenes' in capsys.readouterr().err
    assert (tmp_path / 'rtrack.json').read_bytes() == before
