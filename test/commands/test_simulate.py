"""``rtrack simulate``: every format, from the same seed, with its truth."""

from pathlib import Path

import pytest

pytest.importorskip('rosbags', reason='bags need the bag extra')

from rtrack_ros.cli import main
from rtrack_ros.data.refrt_folder import read_refrt
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.data.videos import open_pairs

SMALL = ['--seconds', '0.5', '--fps', '10', '--size', '160x120', '--thermal-size', '80x60',
         '--conditions', 'day,night']


def test_all_formats_hold_the_same_scene(tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['simulate', '--seed', '4', '--out', str(tmp_path), '--format',
                 'refrt,bag,video', '--split', 'test', *SMALL]) == 0
    shown = capsys.readouterr().out
    bag, video = (SceneTruth.load(tmp_path / name / 'truth') for name in ('bag', 'video'))
    sequences = read_refrt(tmp_path / 'test')
    assert bag.expressions == video.expressions
    assert [item.sentence for item in sequences] == [item.text for item in bag.expressions]
    assert all(item.text in shown for item in bag.expressions)
    assert [frame.condition for frame in bag.frames] == ['day'] * 3 + ['night'] * 2
    for source in (tmp_path / 'bag', tmp_path / 'video' / 'visible.mp4'):
        assert len(list(open_pairs(source))) == 5


@pytest.mark.parametrize('arguments, reason', [
    (['--conditions', 'fog'], "unknown condition 'fog'"),
    (['--format', 'bag', '--jitter-ms', '80'], 'stay below 50')])
def test_impossible_requests_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                          arguments: list[str], reason: str) -> None:
    assert main(['simulate', '--seed', '1', '--out', str(tmp_path / 'x'), *SMALL,
                 *arguments]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize('arguments', [['--format', 'avi'], ['--size', '640'], ['--fps', '0'],
                                       ['--drop-thermal', '5-3'], ['--seconds', '0']])
def test_malformed_arguments_are_refused_at_once(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(['simulate', '--seed', '1', '--out', 'x', *arguments])
