"""``rtrack benchmark learning``: its parts, what they write, what is refused."""

import json
from pathlib import Path

import pytest

from rtrack_ros.cli import main


def test_cas_writes_table_and_plots(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(['benchmark', 'learning', '--parts', 'cas', '--steps', '20', '--seeds', '2',
                 '--rates', '0.3', '--out', str(tmp_path)]) == 0
    result = json.loads((tmp_path / 'cas' / 'cas.json').read_text())
    assert len(result['curves']['0.3']['scale']) == 2
    assert {path.name for path in (tmp_path / 'cas').glob('*.svg')} == {'gradient_norm.svg',
                                                                      'reward.svg'}
    assert 'CAS (scale)' in capsys.readouterr().out


def test_thermal_goes_on_from_finished_scenes(tmp_path: Path, capsys: pytest.CaptureFixture
                                              ) -> None:
    pytest.importorskip('trackeval', reason='scores need TrackEval')
    pytest.importorskip('openvino_genai', reason='the shipped model runs on OpenVINO')
    command = ['benchmark', 'learning', '--parts', 'thermal', '--seconds', '0.5',
               '--scenes-per-condition', '1', '--sentences', '1', '--out', str(tmp_path)]
    assert main(command) == 0
    first = json.loads((tmp_path / 'thermal' / 'thermal.json').read_text())
    assert set(first['rows']) > {'all', 'night', 'smoke'}
    scene = tmp_path / 'thermal' / 'scene_003.json'
    written = scene.stat().st_mtime_ns
    assert main(command) == 0
    assert scene.stat().st_mtime_ns == written
    assert json.loads((tmp_path / 'thermal' / 'thermal.json').read_text()) == first
    assert main([*command, '--seconds', '0.4']) == 2
    assert 'another plan' in capsys.readouterr().err


@pytest.mark.parametrize('option', ['--seeds', '--scenes-per-condition', '--scenes'])
def test_nothing_of_a_kind_is_refused(option: str, tmp_path: Path,
                                      capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(['benchmark', 'learning', option, '0', '--out', str(tmp_path)])
    assert 'at least 1' in capsys.readouterr().err
