"""``rtrack benchmark pipeline`` from the command line, without its processes."""

import json

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings need the bag extra')
pytest.importorskip('rclpy', reason='the benchmark starts real nodes')
pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.benchmarks.pipeline import benchmark
from rtrack_ros.benchmarks.pipeline.plays import PlayResult
from rtrack_ros.benchmarks.pipeline.processor_share import ShareReport
from rtrack_ros.cli import main
from rtrack_ros.playback import play as playing
from rtrack_ros.playback.processes import ProcessFailure


@pytest.fixture
def asked(monkeypatch):
    """Every play that is asked for; the third is stopped early, or fails."""
    plays, ending = [], {}

    def play_scene(scene, folder, way, share, seconds, tick):
        plays.append((folder.name, way, share, seconds))
        if len(plays) == 3 and 'fails' in ending:
            raise ProcessFailure('tracker_node ended; read its log')
        tick(1.0)
        return PlayResult(way, ShareReport('cgroup v2', share, share), 20.0, 570, 560,
                          np.full(9, 50.0), np.full(9, 20.0), 0, 9.0, 3.0, 80, 90.0, 40.0, 0.4,
                          (), interrupted=len(plays) == 3 and 'stopped' in ending)

    monkeypatch.setattr(benchmark, 'play_scene', play_scene)
    monkeypatch.setattr(benchmark, 'model_scene', lambda folder, seconds, parameters: None)
    monkeypatch.setattr(playing, 'require_ros', lambda: None)
    return plays, ending


def run(tmp_path, *words):
    status = main(['benchmark', 'pipeline', '--json', str(tmp_path / 'found.json'), *words])
    path = tmp_path / 'found.json'
    return status, json.loads(path.read_text()) if path.exists() else None


def test_both_ways_are_played_at_every_share(tmp_path, asked, capsys):
    status, found = run(tmp_path, '--parts', 'shares', '--shares', '100', '40')
    assert status == 0 and list(found['shares']) == ['ours 100%', 'common 100%', 'ours 40%',
                                                     'common 40%']
    assert [play[2] for play in asked[0]] == [1.0, 1.0, 0.4, 0.4]
    assert 'yes  age of the newest array at 40%' in capsys.readouterr().out


def test_the_soak_is_one_long_play_under_its_share(tmp_path, asked):
    status, found = run(tmp_path, '--parts', 'soak', '--soak', '10', '--soak-share', '50')
    assert (status, asked[0]) == (0, [('soak', 'ours', 0.5, 600.0)])
    assert found['soak']['age_ms']['p99'] == 50.0


@pytest.mark.parametrize(('ending', 'status', 'kept'), [('stopped', 130, 3), ('fails', 2, 2)])
def test_what_was_measured_is_kept(tmp_path, asked, ending, status, kept, capsys):
    asked[1][ending] = True
    got, found = run(tmp_path, '--parts', 'shares')
    assert (got, len(asked[0]), len(found['shares'])) == (status, 3, kept)
    assert 'ours 100%' in capsys.readouterr().out


@pytest.mark.parametrize('share', ['0', '101', 'x'])
def test_a_share_that_is_none_is_refused(tmp_path, asked, share):
    with pytest.raises(SystemExit):
        run(tmp_path, '--shares', share)
