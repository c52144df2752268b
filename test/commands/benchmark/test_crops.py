"""``rtrack benchmark crops`` from the command line, on one scene."""

import json
from pathlib import Path

import pytest

from rtrack_ros.cli import main
from rtrack_ros.engines import registry
from rtrack_ros.engines.scripted import ScriptedEngine

COMMAND = ['benchmark', 'crops', '--scenes', '1', '--seed', '9400010', '--sentences', '4']


def test_the_table_compares_whole_images_with_crops_and_json_holds_both(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An engine that fills a crop with one box, and finds nothing in a whole image."""
    inside = '[{"bbox_2d": [0, 0, 1000, 1000], "label": "person"}]'
    monkeypatch.setattr(registry, 'load_engine', lambda name, model: ScriptedEngine(
        lambda images, prompt: '[]' if images[0].shape[:2] == (480, 640) else inside))
    path = tmp_path / 'made' / 'crops.json'
    assert main([*COMMAND, '--json', str(path)]) == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if 'mean IoU' in line)
    whole, crop = (float(cell) for cell in row.split() if cell[0].isdigit())
    assert whole == 0.0 < crop < 0.5
    assert '4 sentences about one pair' in shown and 'does not share' in shown
    figures = json.loads(path.read_text())
    views = figures['crops']['views']
    assert (views['whole']['mean_iou'], round(views['crop']['mean_iou'], 3)) == (whole, crop)
    assert figures['crops']['questions'] > 0
    assert figures['sharing']['answers'] == figures['sharing']['equal_answers'] == 4


def test_nothing_of_a_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['benchmark', 'crops', '--sentences', '0'])
    assert 'at least 1' in capsys.readouterr().err
