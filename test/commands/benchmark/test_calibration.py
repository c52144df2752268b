"""``rtrack benchmark calibration`` from the command line, on half a second."""

import json
from pathlib import Path

import pytest

pytest.importorskip('matplotlib', reason='plots need the eval extra')

from rtrack_ros.cli import main


def test_one_command_gives_table_json_and_curve(tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['benchmark', 'calibration', '--scenes', '1', '--seed', '9400040',
                 '--seconds', '0.5', '--sentences', '2', '--profile', '0.1', '--own-cost-ms', '5',
                 '--bins', '4', '--out', str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert 'expected calibration error' in shown and 'reliability.svg' in shown
    result = json.loads((tmp_path / 'calibration.json').read_text())
    assert result['plan']['profile'] == '0.1 s' and result['judged_on'] == 'own frame'
    assert sum(item['boxes'] for item in result['bins']) == result['boxes'] > 0
    assert len(result['bins']) <= 4
    assert set(result['scene_errors']) == {'9400040'}
    assert result['error'] == result['scene_errors']['9400040']
    assert '<svg' in (tmp_path / 'reliability.svg').read_text()


@pytest.mark.parametrize(('arguments', 'remedy'), [
    (['--profile', 'measured'], 'orin-qwen3vl-2b-int4'),
    (['--profile', 'jetson'], 'orin-qwen3vl-2b-int4'),
])
def test_settings_that_cannot_work_name_the_remedy(arguments: list[str], remedy: str,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['benchmark', 'calibration', *arguments]) == 2
    assert remedy in capsys.readouterr().err


@pytest.mark.parametrize('option', ['--scenes', '--sentences', '--bins'])
def test_nothing_of_a_kind_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['benchmark', 'calibration', option, '0'])
    assert 'at least 1' in capsys.readouterr().err
