"""``rtrack benchmark tracking`` and ``clip`` from the command line, on a third of a second."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.benchmarks.tracking import drawn_scenes
from rtrack_ros.cli import main
from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.engines import registry
from rtrack_ros.engines.scripted import ScriptedEngine


def benchmark(out: Path, *more: str) -> int:
    return main(['benchmark', 'tracking', '--scenes', '1', '--seed', '9400040', '--seconds', '0.3',
                 '--sentences', '2', '--methods', 'blocking model,rtrack_ros',
                 '--own-cost-ms', '5',
                 '--profile', '0.1', '--sweep-scenes', '1', '--out', str(out), *more])


def test_one_command_gives_table_json_and_plot_and_goes_on_where_it_was(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert benchmark(tmp_path) == 0
    shown = capsys.readouterr().out
    assert 'blocking model' in shown and 'instant engine' in shown and 'delay.svg' in shown
    result = json.loads((tmp_path / 'tracking.json').read_text())
    assert [(row['method'], row['profile']) for row in result['rows']] == [
        ('blocking model', '0.1 s'), ('rtrack_ros', '0.1 s'),
        ('rtrack_ros', '0.1 s, answers at once'),
        ('rtrack_ros', '0 s')]
    delays = ('0.25 s', '0.5 s', '1 s', '1.5 s', '2 s')
    assert {row['profile'] for row in result['sweep']} == {
        '0 s', *delays, *(f'{delay}, answers at once' for delay in delays)}
    assert 'rtrack_ros, no delay' in shown and 'by engine delay' in shown

    def refuse(*_: object) -> None:
        raise AssertionError('a finished scene was drawn again')

    monkeypatch.setattr(drawn_scenes, 'draw', refuse)
    (tmp_path / 'tracking.json').unlink()
    assert benchmark(tmp_path, '--resume') == 0
    assert json.loads((tmp_path / 'tracking.json').read_text()) == result


@pytest.mark.parametrize(('arguments', 'remedy'), [
    (['--profile', 'measured'], '--answers model'),
    (['--profile', 'jetson'], 'orin-qwen3vl-2b-int4'),
    (['--methods', 'SORT'], 'Kalman only'),
])
def test_settings_that_cannot_work_name_the_remedy(arguments: list[str], remedy: str,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['benchmark', 'tracking', *arguments]) == 2
    assert remedy in capsys.readouterr().err


def test_no_scenes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['benchmark', 'tracking', '--scenes', '0'])
    assert 'at least 1' in capsys.readouterr().err


def test_a_clip_gives_a_figure_for_every_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(registry, 'load_engine', lambda name, model: ScriptedEngine())
    texture = np.random.default_rng(5).integers(0, 255, (60, 40)).astype(np.uint8)
    for name in ('visible', 'infrared'):
        (tmp_path / name).mkdir()
        for index in range(9):
            image = np.full((120, 160), 90, np.uint8)
            image[30:90, 20 + 2 * index:60 + 2 * index] = texture
            cv2.imwrite(str(tmp_path / name / f'{index:03d}.png'), image)
    write_mot(tmp_path / 'gt.txt', [MotRow(number, 1, (18.0 + 2 * number, 30.0, 58.0 + 2 * number,
                                                       90.0)) for number in (1, 5, 9)])
    assert main(['benchmark', 'clip', '--rgb', str(tmp_path / 'visible'), '--thermal',
                 str(tmp_path / 'infrared'), '--truth', str(tmp_path / 'gt.txt'), '--json',
                 str(tmp_path / 'clip.json'), '--ask', 'the [texture]']) == 0
    shown = capsys.readouterr().out
    assert '2 boxes on key frames' in shown
    assert '"the [texture]", rgb only: recall 0.000, 0.00 false boxes a frame, 3 frames' in shown
    figures = json.loads((tmp_path / 'clip.json').read_text())
    assert figures['answers']['the [texture]']['both']['missed'] == 3
    views = figures['views']
    assert {name: view['followed'] for name, view in views.items()} == {
        'both': 1.0, 'rgb only': 1.0, 'thermal only': 1.0}
