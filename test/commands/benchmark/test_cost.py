"""``rtrack benchmark cost`` from the command line, in small."""

import json
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='the benchmark runs the code of the node')
pytest.importorskip('rosbags', reason='the benchmark needs the bag extra')
pytest.importorskip('matplotlib', reason='the plot needs the eval extra')

from rtrack_ros.cli import main

SMALL = ['benchmark', 'cost', '--sizes', '320x240', '--track-counts', '1', '2',
         '--query-counts', '1', '--frames', '24']


def test_the_part_pairs_prints_and_writes_what_it_measured(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, plot = tmp_path / 'made' / 'cost.json', tmp_path / 'cost.svg'
    assert main([*SMALL, '--parts', 'pairs', '--json', str(figures), '--plot', str(plot)]) == 0
    shown = capsys.readouterr().out
    assert '320x240  1/1' in shown and 'growth 320x240, 1 queries, 1 to 2 tracks' in shown
    record = json.loads(figures.read_text())
    assert [pair['tracks'] for pair in record['pairs']] == [1, 2]
    assert all(pair['rtrack_ros']['total']['p50'] > 0 for pair in record['pairs'])
    assert record['live'] == {} and record['soak'] is None
    assert '<svg' in plot.read_text()


def test_too_few_frames_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL[:-1], '20', '--parts', 'pairs']) == 2
    assert '--frames must be above 20' in capsys.readouterr().err


@pytest.mark.system
def test_the_part_live_measures_the_real_node(tmp_path: Path) -> None:
    script, figures = tmp_path / 'answers.json', tmp_path / 'cost.json'
    script.write_text(json.dumps(['[{"bbox_2d": [300, 400, 360, 700], "label": "person"}]']))
    assert main(['benchmark', 'cost', '--parts', 'live', 'soak', '--seconds', '3', '--soak',
                 '0.1', '--engine', 'scripted', '--model', str(script), '--json',
                 str(figures)]) == 0
    record = json.loads(figures.read_text())
    assert record['pairs'] == [] and set(record['live']) == {'model', 'scripted'}
    for play in (*record['live'].values(), record['soak']):
        # How many arrive is a matter of the machine; that they are counted is tested here.
        assert 0 < play['published'] <= play['sent'] <= 180
        assert 0 < play['stamp_to_publish_ms']['p50'] <= play['stamp_to_publish_ms']['p99']
        assert play['answers'] > 0 and play['usage'][-1]['rss_mib'] > 20
    assert record['soak']['sent'] > 1.5 * record['live']['model']['sent']
